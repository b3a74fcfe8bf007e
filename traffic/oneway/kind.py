"""Probes as a kind of workload: a program for each campus's probe, and what came back as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import polars as pl

from scenario.plan import forwarding
from scenario.plan.types import End, Plan, PlannedHost
from scenario.types.probing import Probing
from traffic.kind import Assignment, Placed, Prepared, Tables
from traffic.oneway.form import FIELDS, FRAME_BYTES, Outwards, ProberProgram
from traffic.rows import read_rows

MODELLED: tuple[str, ...] = ()
PROBES = {
    "workload": pl.String,
    "link": pl.String,
    "direction": pl.String,
    "sequence": pl.Int64,
    "sent_ns": pl.Int64,
    "received_ns": pl.Int64,
}
"""The table `probes`: `direction` is `forward` or `backward`, as the link's; `received_ns` is null where a
datagram was lost. Nanoseconds from the start of the workloads."""


@dataclass(frozen=True)
class ProbedDirection:
    """A long-haul link in one direction, and the sending ends of all wires from probe to probe."""

    number: int
    link: str
    direction: str
    source: PlannedHost
    sink: PlannedHost
    there: tuple[End, ...]

    @property
    def delay_s(self) -> float:
        """What a datagram takes that meets nobody: delays, and its time on every wire."""
        bits = 8 * FRAME_BYTES
        return sum(end.shape.delay_s + bits / end.shape.rate_bps for end in self.there)

    def longest_s(self, frame_bytes: int) -> float:
        """What it takes where every switch's queue is full."""
        bits = 8 * frame_bytes
        queues = (end.shape.limit_packets * bits / end.shape.rate_bps for end in self.there[1:])
        return self.delay_s + sum(queues)

    @property
    def rate_bps(self) -> float:
        """Of the slowest wire."""
        return min(end.shape.rate_bps for end in self.there)


def prepare(workload: Probing, plan: Plan, seed: int) -> Prepared:  # noqa: ARG001 (nothing by chance)
    """A program for every probe at the end of a probed link. Raises ValueError where there is none."""
    names = [link.link for link in plan.long_hauls()]
    for pattern in workload.links:
        if not any(fnmatchcase(name, pattern) for name in names):
            known = ", ".join(names) or "none at all"
            raise ValueError(f"links: no long-haul link is called {pattern}; there are {known}")
    ways = list(probed(workload, plan))
    if not ways:
        raise ValueError("links: no route between two borders leads over one of them")
    grace_s = 2 * max(way.longest_s(plan.frame_bytes) for way in ways)
    ends = dict.fromkeys(host for way in ways for host in (way.source, way.sink))
    programs = {host.name: _program(workload, host, ways, grace_s) for host in ends}
    return Prepared(programs, _about(workload, ways), grace_s)


def probed(workload: Probing, plan: Plan) -> Iterator[ProbedDirection]:
    """Both ways over every link that is named, unless the routes between its campuses' probes lead
    elsewhere."""
    at = {probe.leaf: probe for probe in plan.probes}
    ways, number = forwarding.of(plan), 0
    for link in plan.long_hauls():
        if not any(fnmatchcase(link.link, pattern) for pattern in workload.links):
            continue
        for direction, near, far in (("forward", link.a, link.b), ("backward", link.b, link.a)):
            there = ways.walk(at[near.node], at[far.node])
            if near in there:
                yield ProbedDirection(
                    number, link.link, direction, at[near.node], at[far.node], there
                )
                number += 1


def collect(placed: Placed, folder: Path, start_ns: int) -> Tables:
    """The table `probes`."""
    assert isinstance(placed.workload, Probing)
    ways = list(probed(placed.workload, placed.plan))
    hosts = dict.fromkeys(host.name for way in ways for host in (way.source, way.sink))
    noted = pl.concat(read_rows(folder / name, FIELDS) for name in hosts)
    noted = noted.with_columns(at_ns=pl.col("at_ns") - start_ns)
    sent = noted.filter(received=0).select("way", "sequence", sent_ns="at_ns")
    came = noted.filter(received=1).select("way", "sequence", received_ns="at_ns")
    came = came.unique(["way", "sequence"], keep="first", maintain_order=True)
    named = pl.DataFrame(
        [{"way": way.number, "link": way.link, "direction": way.direction} for way in ways]
    )
    found = sent.join(came, on=["way", "sequence"], how="left").join(named, on="way")
    found = found.sort("way", "sequence").with_columns(workload=pl.lit(placed.workload.name))
    return {"probes": found.select(pl.col(name).cast(kind) for name, kind in PROBES.items())}


def _program(
    workload: Probing, host: PlannedHost, ways: list[ProbedDirection], grace_s: float
) -> Assignment:
    from traffic.oneway.packet import datagram  # noqa: PLC0415 (scapy: half a second)

    program = ProberProgram(
        interval_ns=round(workload.interval_s * 1e9),
        grace_ns=round(grace_s * 1e9),
        ways=tuple(
            Outwards(way.number, way.sink.ip, datagram(host.ip, way.sink.ip, way.number).hex())
            for way in ways
            if way.source == host
        ),
    )
    return Assignment("traffic.oneway.prober", program, follows=True)


def _about(workload: Probing, ways: list[ProbedDirection]) -> dict[str, Any]:
    """`load` is the share of the slowest wire that the probes take."""
    rate_bps = 8 * FRAME_BYTES / workload.interval_s
    return {
        "interval_s": workload.interval_s,
        "frame_bytes": FRAME_BYTES,
        "ways": [
            {
                "link": way.link,
                "direction": way.direction,
                "source": way.source.campus,
                "sink": way.sink.campus,
                "delay_s": way.delay_s,
                "load": rate_bps / way.rate_bps,
            }
            for way in ways
        ],
    }
