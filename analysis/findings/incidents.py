"""What happened to the fabric during a run, and what each thing cost: links down, hosts throttled.

In: a run with its `timeline.json`. Out: per named event of the timeline, the iterations that it touched and the
time that they took beyond the median of those that nothing touched. Where several touch one iteration,
its excess is charged once: to those that struck what it waited for, in proportion to what is seen there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec
import polars as pl

from analysis.findings.critical import critical_path
from analysis.findings.priced import price
from analysis.findings.stalls import iterations
from analysis.findings.tail import nearest_rank
from analysis.form.parts import Happened
from analysis.form.training import EventCost
from analysis.run import Run
from analysis.tables import NS
from scenario.plan.ways import PlannedWay, Ways

Place: TypeAlias = tuple[str, str]
STOPPING = ("crash", "power-loss")
"""Kinds of event that hold up a host's messages too, not its compute alone."""


@dataclass(frozen=True)
class Incident:
    """An event of the timeline by name: when it was in force, and what it struck.

    `spans_ns` are its occurrences, (begin, end), on the clock of the events.
    """

    name: str
    kind: str
    says: str
    spans_ns: tuple[tuple[int, int], ...]
    links: tuple[str, ...]
    hosts: tuple[str, ...]

    def touches(self, begin_ns: int, end_ns: int) -> bool:
        """Whether any occurrence overlaps [begin, end)."""
        return any(begin < end_ns and end > begin_ns for begin, end in self.spans_ns)


@dataclass(frozen=True)
class Cost:
    """What an incident cost. `cost_s` None: there was no iteration without any to compare with.

    `beyond` counts the touched iterations that took longer than every untouched one. `together` names those
    with which an excess was divided equally, as nothing told whose it was.
    """

    incident: Incident
    touched: tuple[int, ...]
    beyond: int
    cost_s: float | None
    together: tuple[str, ...] = ()

    @property
    def in_force_ns(self) -> int:
        """How long it was in force, over all occurrences."""
        return sum(end - begin for begin, end in self.incident.spans_ns)

    def told(self, plan: dict[str, Any]) -> EventCost:
        """As `summary.json` holds it; times in seconds of the events' clock."""
        struck, in_force_s = set(self.incident.hosts), self.in_force_ns * NS
        return EventCost(
            name=self.incident.name,
            kind=self.incident.kind,
            says=self.incident.says,
            links=list(self.incident.links),
            hosts=list(self.incident.hosts),
            spans_s=[(begin * NS, end * NS) for begin, end in self.incident.spans_ns],
            touched=list(self.touched),
            beyond=self.beyond,
            cost_s=self.cost_s,
            together=list(self.together),
            price=price(plan, self.cost_s, self.incident.kind, struck, in_force_s),
        )


def incidents(run: Run) -> list[Incident]:
    """The timeline's events by name, in the order in which they first happened.

    One that never ended lasted to the end of the run; one that began after it is left out.
    """
    last_ns = int(run.events["end_ns"].max() or 0)  # type: ignore[arg-type]
    found: dict[str, list[Happened]] = {}
    for row in run.timeline:
        if row.begin_ns < last_ns:
            found.setdefault(row.name, []).append(row)
    made = [_incident(rows, last_ns) for rows in found.values()]
    return sorted(made, key=lambda one: one.spans_ns[0])


def costs(run: Run) -> list[Cost]:
    """What each incident cost, in the order in which they first happened."""
    found = incidents(run)
    if not found:
        return []
    rows = list(iterations(run).iter_rows(named=True))
    touching = {
        row["iteration"]: [one for one in found if one.touches(row["begin_ns"], row["end_ns"])]
        for row in rows
    }
    took = {row["iteration"]: int(row["duration_ns"]) for row in rows}
    quiet = sorted(took[number] for number, by in touching.items() if not by)
    if not quiet:
        return [_cost(one, touching, took, None, {}) for one in found]
    evidence = _Evidence.of(run, [number for number, by in touching.items() if not by])
    shares = {number: _shares(by, number, evidence) for number, by in touching.items() if by}
    return [_cost(one, touching, took, quiet, shares) for one in found]


def with_others(together: Sequence[str]) -> str:
    """What follows a cost that was divided with others; nothing where it was not."""
    return f", together with {', '.join(together)}" if together else ""


def _incident(rows: Sequence[Happened], last_ns: int) -> Incident:
    ends = [row.end_ns if row.end_ns is not None else last_ns for row in rows]
    spans = ((row.begin_ns, end) for row, end in zip(rows, ends, strict=True))
    return Incident(
        name=rows[0].name,
        kind=rows[0].kind,
        says=rows[0].says,
        spans_ns=tuple(sorted(spans)),
        links=tuple(dict.fromkeys(name for row in rows for name in row.targets.links)),
        hosts=tuple(dict.fromkeys(name for row in rows for name in row.targets.hosts)),
    )


def _cost(
    one: Incident,
    touching: Mapping[int, list[Incident]],
    took: Mapping[int, int],
    quiet: Sequence[int] | None,
    shares: Mapping[int, _Shares],
) -> Cost:
    touched = tuple(number for number, by in touching.items() if one in by)
    if quiet is None:
        return Cost(one, touched, 0, None)
    reference_ns = nearest_rank(quiet, 0.5)
    parts = {n: shares[n].of.get(one.name, 0.0) for n in touched}
    excess = sum((took[n] - reference_ns) * part for n, part in parts.items())
    beyond = sum(took[n] > quiet[-1] for n in touched)
    joint = {name for n in touched if parts[n] and shares[n].joint for name in shares[n].of}
    return Cost(one, touched, beyond, excess * NS, tuple(sorted(joint - {one.name})))


@dataclass(frozen=True)
class _Shares:
    """Parts of an iteration's excess by name of incident; `joint` where nothing told them apart."""

    of: Mapping[str, float]
    joint: bool


def _shares(by: Sequence[Incident], iteration: int, evidence: _Evidence) -> _Shares:
    """How an iteration's excess is shared among those that touched it: those on its critical path, if any
    are, as is seen there; equally where nothing is to be seen."""
    charged = [one for one in by if evidence.waited_for(one, iteration)] or by
    seen = {one.name: evidence.at(one, iteration) for one in charged}
    whole = sum(seen.values())
    if whole:
        return _Shares({name: ns / whole for name, ns in seen.items()}, joint=False)
    return _Shares(dict.fromkeys(seen, 1 / len(seen)), joint=len(seen) > 1)


@dataclass(frozen=True)
class _Evidence:
    """How much longer than usual things took: the compute of hosts, the messages between hosts.

    `compute` is by (host, iteration), `messages` by iteration a list of (hosts, links, excess); `path` by iteration
    the hosts that its critical path computes on or talks to, and the links that it crosses.
    """

    compute: Mapping[tuple[str, int], int]
    messages: Mapping[int, list[tuple[tuple[str, str], frozenset[str], int]]] = field(
        default_factory=dict
    )
    path: Mapping[int, set[Place]] = field(default_factory=dict)

    @classmethod
    def of(cls, run: Run, quiet: Sequence[int]) -> _Evidence:
        name = dict(run.ranks.select("rank", "name").iter_rows())
        links = _links(run)
        compute = {
            (name[rank], iteration): excess
            for iteration, rank, excess in _late_compute(run, quiet).iter_rows()
        }
        held_up: dict[int, list[tuple[tuple[str, str], frozenset[str], int]]] = {}
        for iteration, src, dst, excess in _late_messages(run, quiet).iter_rows():
            struck = ((name[src], name[dst]), links.get((src, dst), frozenset()), excess)
            held_up.setdefault(iteration, []).append(struck)
        path: dict[int, set[Place]] = {}
        for row in critical_path(run).iter_rows(named=True):
            places = path.setdefault(row["iteration"], set())
            rank, peer = row["rank"], row["peer"]
            if peer in name:
                places |= {("talks", name[rank]), ("talks", name[peer])}
                places |= {("link", link) for link in links.get((peer, rank), frozenset())}
            else:
                places.add(("computes", name[rank]))
        return cls(compute, held_up, path)

    def waited_for(self, one: Incident, iteration: int) -> bool:
        """Whether the critical path of an iteration goes through what the incident struck."""
        struck = {("link", link) for link in one.links} | {("computes", host) for host in one.hosts}
        if one.kind in STOPPING:
            struck |= {("talks", host) for host in one.hosts}
        return not self.path.get(iteration, set()).isdisjoint(struck)

    def at(self, one: Incident, iteration: int) -> int:
        """The largest excess, nanoseconds, where the incident struck."""
        found = [self.compute.get((host, iteration), 0) for host in one.hosts]
        struck = set(one.hosts) if one.kind in STOPPING else set()
        for hosts, links, excess in self.messages.get(iteration, ()):
            if links.intersection(one.links) or struck.intersection(hosts):
                found.append(excess)
        return max(found, default=0)


def _links(run: Run) -> dict[tuple[int, int], frozenset[str]]:
    """The long-haul links that messages from a rank to another may have crossed, as the plan routes them."""
    ways = Ways(msgspec.convert(run.plan["ways"], tuple[PlannedWay, ...]))
    name = dict(run.ranks.select("rank", "name").iter_rows())
    campus = dict(run.ranks.select("rank", "campus").iter_rows())
    largest = run.messages.group_by("src", "dst").agg(pl.col("bytes").max())
    return {
        (src, dst): ways.links(campus[src], campus[dst], name[dst], most)
        for src, dst, most in largest.iter_rows()
    }


def _late_compute(run: Run, quiet: Sequence[int]) -> pl.DataFrame:
    """Per iteration and rank, how much longer than in the median quiet one it computed (> 0)."""
    took = (
        run.measured.filter(pl.col("kind") == "compute")
        .group_by("iteration", "rank")
        .agg(ns=(pl.col("end_ns") - pl.col("start_ns")).sum())
    )
    return beyond_usual(took, ["rank"], quiet)


def _late_messages(run: Run, quiet: Sequence[int]) -> pl.DataFrame:
    """Per iteration and pair of ranks, how much longer the slowest message took than the median of
    such slowest messages in quiet iterations (> 0)."""
    slowest = run.messages.group_by("iteration", "src", "dst").agg(ns=pl.col("transfer_ns").max())
    return beyond_usual(slowest, ["src", "dst"], quiet)


def beyond_usual(took: pl.DataFrame, place: list[str], quiet: Sequence[int]) -> pl.DataFrame:
    """Per iteration and place, by how much `ns` was above the median of the quiet iterations (> 0)."""
    usual = (
        took.filter(pl.col("iteration").is_in(quiet))
        .group_by(place)
        .agg(usual=pl.col("ns").quantile(0.5, interpolation="lower"))
    )
    excess = (pl.col("ns") - pl.col("usual")).cast(pl.Int64)
    return (
        took.join(usual, on=place)
        .select("iteration", *place, excess=excess)
        .filter(pl.col("excess") > 0)
        .sort("iteration", *place)
    )
