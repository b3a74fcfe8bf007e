"""The language of background load: from where to where, how much, and when.

A workload of `kind: background`. It runs beside others and ends with them.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from scenario.text.fields import Duration, Name, Rate
from scenario.text.strict import Strict
from scenario.types.background import Background, Pattern
from scenario.workload.common import Where, WorkloadModel


class ConstantPattern(Strict):
    """Load without a pause."""

    kind: Literal["constant"] = "constant"
    """Always."""


class OnOffPattern(Strict):
    """Load and silence in turn, as long each time."""

    kind: Literal["on-off"]
    """In turn."""
    busy: Duration
    """How long there is load."""
    idle: Duration
    """How long there is none."""


class ParetoPattern(Strict):
    """Load and silence in turn, for times with a heavy tail: many such sources together are as bursty
    at all scales as real networks are (Willinger et al., Self-Similarity Through High-Variability, 1997)."""

    kind: Literal["pareto"]
    """In turn, for Pareto-distributed times."""
    busy: Duration
    """How long there is load, on average."""
    idle: Duration
    """How long there is none, on average."""
    shape: float = Field(default=1.5, gt=1, le=10)
    """Index of the tail: up to 2, the variance has no bound."""


PatternField: TypeAlias = Annotated[
    ConstantPattern | OnOffPattern | ParetoPattern, Field(discriminator="kind")
]


class BackgroundModel(WorkloadModel):
    """Other people's traffic beside a workload, from one place to another: between the borders of two
    campuses, or between hosts."""

    kind: Literal["background"]
    """Background load."""
    origin: Name = Field(alias="from")
    """Where it comes from: a campus (its border) or a host."""
    to: Name
    """Where it goes."""
    rate: Rate
    """How much, while there is load; headers are part of it. It is divided by `scale.bytes` as links are."""
    protocol: Literal["tcp", "udp"] = "tcp"
    """`tcp` gives way to others when the network is full; `udp` does not."""
    pattern: PatternField = ConstantPattern()
    """When there is load."""


def background(written: BackgroundModel, where: Where) -> Background:
    """The workload that was written."""
    if written.runs_on:
        where.add_key(("runs-on",), "background load has two ends", "`from` and `to`")
    if written.transport.kind == "roce" and "protocol" in written.model_fields_set:
        where.add_key(("protocol",), "means nothing with `transport: roce`", "one of the two")
    if written.origin == written.to:
        where.add(("to",), "load from a place to itself", "another place than `from`")
    return Background(
        **where.common(written),
        origin=written.origin,
        target=written.to,
        rate_bps=written.rate,
        protocol=written.protocol,
        pattern=_pattern(written.pattern),
    )


def _pattern(written: ConstantPattern | OnOffPattern | ParetoPattern) -> Pattern:
    if isinstance(written, ConstantPattern):
        return Pattern("constant")
    shape = written.shape if isinstance(written, ParetoPattern) else 0.0
    return Pattern(written.kind, written.busy, written.idle, shape)
