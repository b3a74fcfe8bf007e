"""`collisions` of `summary.json`: big connections that share a way while an equal one is idle."""

from __future__ import annotations

from typing import Annotated

from analysis.form.parts import Bytes, Count, Form, Seconds, Share, doc


class Crowded(Form, frozen=True, kw_only=True):
    """Equal ways of one switch of which some have nobody, and another has several."""

    switch: Annotated[str, doc("Where the choice is made.")]
    ways: Annotated[Count, doc("Interfaces among which its hash chooses.")]
    idle: Annotated[Count, doc("Of them, those that no big connection takes.")]
    interface: Annotated[str, doc("The one that most of them take.")]
    connections: Annotated[list[str], doc("Those that take it: FROM → TO, and the channel.")]
    carried_bytes: Annotated[Bytes, doc("What they carry in an iteration, scaled.")]


class Collisions(Form, frozen=True, kw_only=True):
    """Which equal ways the workload's big connections take: those with a quarter of the largest's bytes or more."""

    connections: Annotated[Count, doc("Big connections that had a choice somewhere.")]
    crowded: Annotated[list[Crowded], doc("The fullest first.")]
    cost_s: Annotated[
        Seconds, doc("By the model, of an iteration: with these ways, less with bytes dealt out.")
    ]
    cost_share: Annotated[Share, doc("The same, of the iteration by the model.")]
