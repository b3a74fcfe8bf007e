"""The language of probes: which long-haul links are probed, and how often.

A workload of `kind: probes`. It runs beside others and ends with them.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from scenario.text import units
from scenario.text.diagnostics import InvalidInput, Place, Source, complain
from scenario.text.fields import Pattern, Read
from scenario.types.probing import Probing
from scenario.workload.common import Where, WorkloadModel

LEAST_INTERVAL_S, MOST_INTERVAL_S = 1e-4, 3600.0
Interval: TypeAlias = Annotated[
    float, Read(units.DURATION, least=LEAST_INTERVAL_S, most=MOST_INTERVAL_S)
]


class ProbingModel(WorkloadModel):
    """Datagrams with a number and a time stamp, sent both ways over long-haul links beside a workload:
    one-way delay, reordering and loss. They go between the campuses' probes, the measurement hosts at
    the borders; `runs-on` means nothing here."""

    kind: Literal["probes"]
    """Probes."""
    links: list[Pattern] = Field(default=["*"], min_length=1, max_length=100)
    """Which long-haul links, by name or pattern."""
    interval: Interval = 0.01
    """The time from one datagram to the next, on each link and in each direction."""


def probing(written: ProbingModel, where: Where) -> Probing:
    """The workload that was written."""
    if written.runs_on:
        where.add_key(("runs-on",), "probes run at the ends of links", "`links`")
    if "transport" in written.model_fields_set:
        where.add_key(("transport",), "probes are datagrams", "no `transport`")
    return Probing(**where.common(written), links=tuple(written.links), interval_s=written.interval)


def probing_of(links: tuple[str, ...], interval_s: float) -> Probing | None:
    """The workload that a command line asks for; None where it names no links. Raises InvalidInput."""
    if not LEAST_INTERVAL_S <= interval_s <= MOST_INTERVAL_S:
        place = Place(Source("--probe-interval"))
        raise InvalidInput([complain(place, "interval out of bounds", expected="from 100us to 1h")])
    named = Probing(name="probes-asked-for", source="--probe", links=links, interval_s=interval_s)
    return named if links else None
