"""The tasks of a program: what one rank's agent is told to do, as the JSON that it reads.

Pure. A collective is among any of the hosts; the others have no part in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scenario.plan.types import Plan, pacing_Bps
from traffic.collectives import DEFAULTS, Layout, Options, Results, make_schedule, results
from traffic.schedule import Op, Result, Schedule, placed

Task = dict[str, Any]


@dataclass(frozen=True)
class Replay:
    """How often programs are replayed, and how: with real numbers that are checked or without; the
    connections' congestion control (as Linux names it), and the size of each socket's buffers, None: as
    the kernel tunes them."""

    iterations: int
    verify: bool = False
    congestion: str = "cubic"
    socket_buffer_bytes: int | None = None


@dataclass(frozen=True)
class GroupCollective:
    """A collective over carried `size_bytes` among some hosts: `ranks[i]` is its rank i."""

    op: str
    algorithm: str
    ranks: tuple[int, ...]
    size_bytes: int
    options: Options = DEFAULTS

    def schedule(self, plan: Plan) -> Schedule:
        """Among its ranks 0, 1, …; raises ValueError where algorithm or options do not fit."""
        layout = layout_of(plan, self.ranks)
        return make_schedule(self.op, self.algorithm, layout, self.size_bytes, self.options)

    def results(self) -> Results:
        """What its ranks must hold at the end, in terms of the plan's ranks."""
        return tuple(
            tuple(
                type(result)(
                    result.offset,
                    result.size,
                    result.source,
                    tuple(self.ranks[rank] for rank in result.of),
                )
                for result in own
            )
            for own in results(self.op, len(self.ranks), self.size_bytes, self.options)
        )


def layout_of(plan: Plan, ranks: Sequence[int]) -> Layout:
    """The campuses of some of the plan's ranks."""
    return Layout(tuple(plan.hosts[rank].campus for rank in ranks))


def compute_task(seconds: float, after: Sequence[int] = ()) -> Task:
    """So much compute at full speed, once the tasks `after` are done."""
    return {"kind": "compute", "after": list(after), "ns": round(seconds * 1e9)}


def collective_tasks(
    plan: Plan, collective: GroupCollective, schedule: Schedule, after: Sequence[int] = ()
) -> list[Task]:
    """A collective as a task of every rank of the plan, once the tasks `after` are done there."""
    ops = placed(schedule, collective.ranks)
    results = dict(zip(collective.ranks, collective.results(), strict=True))
    return [
        operations_task(
            ops.get(rank, ()),
            collective.size_bytes if rank in ops else 0,
            after,
            results.get(rank, ()),
        )
        for rank in range(len(plan.hosts))
    ]


def operations_task(
    ops: Sequence[Op],
    size_bytes: int,
    after: Sequence[int] = (),
    results: Sequence[Result] = (),
) -> Task:
    """One rank's part in a collective of `size_bytes`, once the tasks `after` are done."""
    return {
        "kind": "collective",
        "after": list(after),
        "size_bytes": size_bytes,
        "ops": [_row(op) for op in ops],
        "results": [[x.offset, x.size, x.source, x.of] for x in results],
    }


def _row(op: Op) -> list[Any]:
    return [op.kind, op.peer, op.offset, op.size, op.after, op.channel]


def make_program(plan: Plan, rank: int, tasks: list[Task], replay: Replay) -> dict[str, Any]:
    """One rank's program: its tasks in every iteration, each once those that it names are done.

    A buffer holds all that any of its tasks touches. See `traffic.host.agent.run`.
    """
    return {
        "rank": rank,
        "addresses": [host.ip for host in plan.hosts],
        "iterations": replay.iterations,
        "verify": replay.verify,
        "congestion": replay.congestion,
        "socket_buffer_bytes": replay.socket_buffer_bytes,
        "pacing_Bps": pacing_Bps(plan, plan.hosts[rank]),
        "buffer_bytes": max(map(_buffer_bytes, tasks), default=0),
        "tasks": tasks,
    }


def _buffer_bytes(task: Task) -> int:
    ends = [offset + size for _, _, offset, size, _, _ in task.get("ops", ())]
    ends += [offset + size for offset, size, _, _ in task.get("results", ())]
    return max(ends, default=0)
