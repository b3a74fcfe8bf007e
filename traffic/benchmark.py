"""Collectives measured one by one, as nccl-tests does it: every algorithm at every size, over and over.

A kind of workload (`traffic.kind`), made by `longhaul bench` rather than read from a file. In each iteration
every case is replayed once, behind a barrier of its own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from scenario.plan.types import Plan
from scenario.types.topology import Collective, Workload
from traffic.carried import carried_bytes
from traffic.collectives import Options
from traffic.events import read_adapters, read_events
from traffic.host.program import CollectiveTask
from traffic.kind import Placed, Prepared, Tables
from traffic.model.choosing import choose
from traffic.model.model import Model
from traffic.schedule import Schedule
from traffic.tasks import GroupCollective, Replay, agents, collective_tasks, options

MODELLED: tuple[str, ...] = (
    "traffic inside a host (NVLink) costs nothing, and so does adding numbers up",
)


@dataclass(frozen=True, kw_only=True)
class Benchmark(Workload):
    """Which collective to measure: by which algorithms (`auto` among them), over which real-world sizes, so
    many times after so many warm-ups. `collective` says how; its own algorithm means nothing."""

    kind = "benchmark"

    algorithms: tuple[str, ...]
    sizes_bytes: tuple[float, ...]
    iterations: int
    warmup: int
    collective: Collective


@dataclass(frozen=True)
class Alike:
    """The algorithm of an earlier case that sends the same messages; `ordered`: in the same order, over the same
    connections."""

    algorithm: str | None = None
    ordered: bool = True


@dataclass(frozen=True)
class Case:
    """One algorithm at one size; `asked` is what the user called the algorithm."""

    asked: str
    collective: GroupCollective
    schedule: Schedule
    predicted_s: float

    @property
    def algorithm(self) -> str:
        """What carries it out; of a hierarchical one, inside and among campuses, too."""
        chosen, how = self.collective, self.collective.options
        inside = f" ({how.inner}, {how.outer})" if chosen.algorithm == "hierarchical" else ""
        return chosen.algorithm + inside

    def about(self, scale_bytes: float, alike: Alike) -> dict[str, Any]:
        """As plain data; sizes are the real world's."""
        chosen = self.collective
        return {
            "asked": self.asked,
            "algorithm": self.algorithm,
            "size_bytes": chosen.size_bytes * scale_bytes,
            "carried_bytes": chosen.size_bytes,
            "predicted_s": self.predicted_s,
            "same_as": alike.algorithm,
            "same_order": alike.ordered,
        }


def prepare(benchmark: Benchmark, plan: Plan, seed: int) -> Prepared:  # noqa: ARG001 (nothing is drawn)
    """Every host's program: in each iteration, for each case a barrier and the collective. Raises
    ValueError for algorithms or options that do not fit, or a host alone."""
    if len(plan.hosts) < 2:
        raise ValueError("a collective needs two hosts or more")
    found = cases(benchmark, plan)
    tasks = _tasks(plan, found)
    how = benchmark.collective
    replay = Replay(
        benchmark.warmup + benchmark.iterations,
        how.verify,
        how.congestion,
        how.socket_buffer_bytes,
        benchmark.transport,
    )
    return Prepared(
        programs=agents(plan, tasks, replay),
        about={
            "op": how.op,
            "iterations": benchmark.iterations,
            "warmup": benchmark.warmup,
            "verify": how.verify,
            "transport": benchmark.transport.kind,
            "congestion": how.congestion,
            "channels": how.channels,
            "cases": [
                case.about(plan.scale_bytes, alike)
                for case, alike in zip(found, _alike(found), strict=True)
            ],
        },
        quiet_s=sum(case.predicted_s for case in found),
    )


def _alike(found: Sequence[Case]) -> list[Alike]:
    """For each case the first before it whose messages are the same on every rank, whatever waits for what: in the same
    order over the same connections, if there is one."""
    in_order: dict[Schedule, str] = {}
    at_all: dict[tuple[Any, ...], str] = {}
    alike = []
    for case in found:
        own = case.algorithm
        messages = tuple(tuple(op._replace(after=()) for op in ops) for ops in case.schedule)
        same = in_order.setdefault(messages, own)
        sent = tuple(tuple(sorted(op._replace(channel=0) for op in ops)) for ops in messages)
        other = at_all.setdefault(sent, own)
        if same != own or other == own:
            alike.append(Alike(same if same != own else None))
        else:
            alike.append(Alike(other, ordered=False))
    return alike


def collect(placed: Placed, folder: Path, start_ns: int) -> Tables:
    """The events of every rank, and where results were checked how many were wrong."""
    tables = {"events": read_events(placed, folder, start_ns)} | read_adapters(placed, folder)
    if placed.workload.collective.verify:  # type: ignore[attr-defined]
        tables["wrong"] = _read_wrong(placed, folder)
    return tables


def _read_wrong(placed: Placed, folder: Path) -> pl.DataFrame:
    """Wrong results by rank and task, over all iterations."""
    rows = []
    for host, rank in zip(placed.plan.hosts, placed.ranks, strict=True):
        counts = json.loads((folder / f"{host.name}.wrong").read_text())
        rows += [(rank, task, count) for task, count in enumerate(counts)]
    schema = {"rank": pl.Int32, "task": pl.Int16, "wrong": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def cases(benchmark: Benchmark, plan: Plan) -> list[Case]:
    """Every algorithm at every size, in the order in which they are replayed; sizes that the fabric cannot
    tell apart, as they are scaled to the same carried bytes, once.

    Each is predicted from where the one before leaves the ranks, and the barrier after that; the first
    one from where the last one does.
    """
    sizes = dict.fromkeys(carried(plan, real) for real in benchmark.sizes_bytes)
    barrier, ends_s = _barrier(plan).schedule(plan), [0.0] * len(plan.hosts)
    enter_s = Model(plan, benchmark.transport).ends_s(barrier, ends_s)
    found = [
        (asked, _collective(benchmark, plan, asked, size, enter_s))
        for size in sizes
        for asked in benchmark.algorithms
    ]
    schedules = [collective.schedule(plan) for _, collective in found]
    model = Model(plan, benchmark.transport, [barrier, *schedules])
    made: list[Case] = []
    for number, schedule in enumerate(schedules * 2):
        enter_s = model.ends_s(barrier, ends_s)
        ends_s = model.ends_s(schedule, enter_s)
        made.append(Case(*found[number % len(found)], schedule, max(ends_s) - max(enter_s)))
    return made[len(found) :]


def _collective(
    benchmark: Benchmark, plan: Plan, asked: str, size: int, enter_s: Sequence[float]
) -> GroupCollective:
    """`auto` is the fastest for ranks that enter as a barrier leaves them, at `enter_s`."""
    op, how = benchmark.collective.op, options(benchmark.collective, plan)
    if asked != "auto":
        return GroupCollective(op, asked, _everybody(plan), size, how)
    model = Model(plan, benchmark.transport)
    choice = choose(
        model.wires,
        op,
        size,
        how,
        lambda schedule: max(model.ends_s(schedule, enter_s)) - max(enter_s),
    )
    return GroupCollective(op, choice.algorithm, _everybody(plan), size, choice.options)


def carried(plan: Plan, real_bytes: float) -> int:
    """Carried bytes for a real-world size: at least an element per rank, and as many for each."""
    return carried_bytes(real_bytes / len(plan.hosts), plan) * len(plan.hosts)


def _everybody(plan: Plan) -> tuple[int, ...]:
    return tuple(host.rank for host in plan.hosts)


def _barrier(plan: Plan) -> GroupCollective:
    return GroupCollective("barrier", "dissemination", _everybody(plan), 0, Options())


def _tasks(plan: Plan, found: Sequence[Case]) -> list[list[CollectiveTask]]:
    """By rank: task 2i is the barrier before case i, task 2i+1 the case."""
    barrier = _barrier(plan)
    barriers = collective_tasks(len(plan.hosts), barrier, barrier.schedule(plan))
    columns = []
    for number, case in enumerate(found):
        before = (2 * number - 1,) if number else ()
        columns.append([replace(task, after=before) for task in barriers])
        columns.append(
            collective_tasks(len(plan.hosts), case.collective, case.schedule, after=(2 * number,))
        )
    return [list(own) for own in zip(*columns, strict=True)]
