"""The tasks of one iteration on all hosts, in the making: what computes, what communicates, after what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

from scenario.plan.types import Plan
from scenario.types.topology import Collective
from traffic.carried import carried_bytes
from traffic.collectives import Layout, Options, algorithms_of, make_schedule
from traffic.collectives.own import is_own
from traffic.host.program import CollectiveTask, Task
from traffic.schedule import Op, Result, Schedule, on_channels
from traffic.tasks import (
    GroupCollective,
    collective_tasks,
    compute_task,
    layout_of,
    options,
)

At: TypeAlias = Mapping[int, int]
"""A task of several ranks: by rank, its index among that rank's tasks."""

CHANNELS = 64
"""Channels that each stream has for itself: no collective uses more."""
MOST_OPERATIONS = 1_200_000
"""Of all ranks, in one iteration: some 20 s and 800 MB to plan."""
ELSE = {"all_to_all": "pairwise"}
"""What carries out an operation that the workload's algorithm cannot; all others go round a ring."""


@dataclass
class Communication:
    """Tasks that are the same collective, of so many carried bytes, among so many ranks. `tasks` are the
    numbers that events have."""

    op: str
    algorithm: str
    ranks: int
    size_bytes: int
    tasks: list[int]


class Graph:
    """Tasks of every rank, numbered alike on all ranks that share one.

    Tasks of one stream are carried out one after another, in the order in which they are added, which
    must be that in which they become ready. `tasks[rank]` is what the agents replay.
    """

    def __init__(self, plan: Plan, how: Collective) -> None:
        self.plan = plan
        self.tasks: list[list[Task]] = [[] for _ in plan.hosts]
        self.communication: list[Communication] = []
        self._how = how
        self._options = options(how, plan)
        self._count = 0
        self._operations = 0
        self._streams: dict[str, int] = {}

    @property
    def ranks(self) -> range:
        """All ranks."""
        return range(len(self.plan.hosts))

    def compute(self, seconds: Mapping[int, float], *after: At) -> At:
        """So many seconds of compute on each of some ranks, after other tasks."""
        return self._add(
            {rank: compute_task(time_s) for rank, time_s in seconds.items()}, after, "compute"
        )

    def collective(
        self,
        op: str,
        ranks: Sequence[int],
        real_bytes: float,
        *after: At,
        stream: str = "collective",
        counts: Sequence[Sequence[float]] | None = None,
    ) -> At:
        """A collective over `real_bytes` among some ranks; `counts` are an all-to-all's, in real bytes.

        A group of one needs none: what comes after it then comes after nothing of it.
        """
        if len(ranks) < 2:
            return {}
        wanted = self._group(op, tuple(ranks), real_bytes, counts)
        made = self._tasks_of(wanted, self._shift(stream))
        self._note(op, wanted.algorithm, len(ranks), wanted.size_bytes)
        return self._add({rank: made[rank] for rank in ranks}, after, stream)

    def messages(self, schedule: Schedule, *after: At, stream: str) -> At:
        """Messages between ranks as a task of those that send or receive any."""
        shift = self._shift(stream)
        tasks = {
            rank: CollectiveTask(sum(op.size for op in ops), on_channels(ops, shift))
            for rank, ops in enumerate(schedule)
            if ops
        }
        sent = sum(op.size for ops in schedule for op in ops if op.kind == "send")
        self._note("send_recv", "direct", len(tasks), sent)
        return self._add(tasks, after, stream)

    def _note(self, op: str, algorithm: str, ranks: int, size_bytes: int) -> None:
        """The task that is added next is such a collective."""
        alike = Communication(op, algorithm, ranks, size_bytes, [])
        for known in self.communication:
            if replace(known, tasks=[]) == alike:
                known.tasks.append(self._count)
                return
        self.communication.append(replace(alike, tasks=[self._count]))

    def _add(self, tasks: Mapping[int, Task], after: Iterable[At], stream: str) -> At:
        number, self._count = self._count, self._count + 1
        before = list(after)
        self._shift(stream)
        self._spend(sum(_operations(task) for task in tasks.values()))
        placed = {}
        for rank, task in tasks.items():
            waits = tuple(sorted({at[rank] for at in before if rank in at}))
            placed[rank] = len(self.tasks[rank])
            self.tasks[rank].append(replace(task, number=number, stream=stream, after=waits))
        return placed

    def expect(self, tasks: int) -> None:
        """Raises ValueError where so many more tasks of all ranks are too many, before any is made."""
        self._check(self._operations + tasks * len(self.ranks))

    def _spend(self, operations: int) -> None:
        self._operations += operations
        self._check(self._operations)

    def _check(self, operations: int) -> None:
        if operations > MOST_OPERATIONS:
            raise ValueError(
                f"more than {MOST_OPERATIONS:,} operations of {len(self.plan.hosts):,} ranks in one iteration:"
                f" take larger buckets, fewer layers, micro-batches or steps, or fewer hosts"
            )

    def _shift(self, stream: str) -> int:
        """How much higher a stream's channels are numbered than an algorithm numbers them."""
        return CHANNELS * self._streams.setdefault(stream, len(self._streams))

    def _tasks_of(self, wanted: GroupCollective, shift: int) -> Sequence[CollectiveTask]:
        """A collective as a task of every rank; of plans alike it is the very same."""
        layout = layout_of(self.plan, wanted.ranks)
        made = _on_layout if is_own(wanted.algorithm) else _on_layout_once
        return made(wanted, layout, len(self.plan.hosts), shift)

    def _group(
        self,
        op: str,
        ranks: tuple[int, ...],
        real_bytes: float,
        counts: Sequence[Sequence[float]] | None,
    ) -> GroupCollective:
        known = algorithms_of(op)
        algorithm = self._how.algorithm if self._how.algorithm in known else ELSE.get(op, "ring")
        chosen: Options = self._options
        if counts is not None:
            rows = tuple(tuple(carried_bytes(one, self.plan) for one in row) for row in counts)
            chosen = replace(chosen, counts=rows)
        size = carried_bytes(real_bytes, self.plan, len(ranks))
        return GroupCollective(op, algorithm, ranks, size, chosen)


def _on_layout(
    wanted: GroupCollective, layout: Layout, width: int, shift: int
) -> tuple[CollectiveTask, ...]:
    """A collective as a task of each of `width` ranks, on channels of its stream."""
    schedule = make_schedule(wanted.op, wanted.algorithm, layout, wanted.size_bytes, wanted.options)
    made = collective_tasks(width, wanted, schedule)
    return tuple(replace(task, ops=on_channels(task.ops, shift)) for task in made)


_on_layout_once = lru_cache(maxsize=16)(_on_layout)
"""Forecasts of a study ask for the same ones again and again."""


def _operations(task: Task) -> int:
    return len(task.ops) if isinstance(task, CollectiveTask) else 1


def both(*several: At) -> At:
    """Of tasks on different ranks, one that stands for all of them."""
    return {rank: index for at in several for rank, index in at.items()}


def message(source: int, sink: int, offset: int, size_bytes: int) -> tuple[Op, Op]:
    """A send, and the receive that takes it."""
    return Op("send", sink, offset, size_bytes), Op("copy", source, offset, size_bytes)


__all__ = ["At", "Graph", "Result", "both", "message"]
