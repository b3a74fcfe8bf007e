"""What iterations of a whole program should take: the α–β model over all tasks and streams of all ranks.

Pure. A task becomes operations between a beginning and an end, both of which take no time. Of many that differ in
numbers alone, the same program is gone through once for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from scenario.plan.types import End, Plan
from scenario.types.topology import Transport
from traffic.framing import TCP
from traffic.host.program import CollectiveTask, ComputeTask, IdleTask, Task
from traffic.model.course import Course, Tolls, tolls
from traffic.model.settling import length_s, repeating, turn_of
from traffic.model.sharing import ends_s
from traffic.model.together import ends_together, paced_together
from traffic.model.windows import paced
from traffic.model.wires import Hop, Lane, Route, Wires
from traffic.schedule import Op, Pause

Tasks: TypeAlias = Sequence[Sequence[Task]]
"""`tasks[rank]` as agents replay them."""
Structure: TypeAlias = tuple[object, ...]


@dataclass(frozen=True)
class Cycle:
    """Tasks on some wires: iterations follow each other until they repeat, or there is but one (`once`)."""

    wires: Wires
    tasks: Tasks
    once: bool = False


def iteration_s(plan: Plan, tasks: Tasks, transport: Transport = TCP) -> float:
    """Seconds from one end of all ranks' tasks to the next.

    Raises ValueError where tasks wait for each other for ever.
    """
    return duration_s(Cycle(Wires(plan, transport), tasks))


def ideal_iteration_s(
    plan: Plan, tasks_on: Callable[[Plan], Tasks], transport: Transport = TCP
) -> float:
    """An iteration if all hosts stood in one campus, as `ideal_cycle` says."""
    return duration_s(ideal_cycle(plan, tasks_on, transport))


def ideal_cycle(plan: Plan, tasks_on: Callable[[Plan], Tasks], transport: Transport = TCP) -> Cycle:
    """All hosts in one campus, equally fast, behind loss-free switches: compute at the mean speed, and nothing in the
    way of a message but its sender's NIC, as slow as the slowest.

    `tasks_on` makes the same workload's tasks for such hosts.
    """
    mean = sum(host.flops for host in plan.hosts) / len(plan.hosts)
    alike = replace(plan, hosts=tuple(replace(host, flops=mean) for host in plan.hosts))
    return Cycle(_OneCampus(plan, transport), tasks_on(alike), once=True)


def duration_s(cycle: Cycle) -> float:
    """Seconds of an iteration of one cycle, on average where they take several lengths by turns."""
    course = Course([_flat(own) for own in cycle.tasks])
    together_s = [0.0] * course.width
    costs = paced(course, tolls(course, cycle.wires), together_s)
    if cycle.once:
        return max(ends_s(course, costs, together_s))
    return length_s(repeating(course.width, lambda ends: ends_s(course, costs, ends)))


def durations_s(cycles: Sequence[Cycle]) -> list[float]:
    """Seconds of an iteration of each cycle, to the last bit as `duration_s` has them."""
    courses: dict[Structure, Course] = {}
    groups: dict[tuple[Structure, bool, Structure], list[tuple[int, Tolls]]] = {}
    for place, cycle in enumerate(cycles):
        structure = _structure(cycle)
        if structure not in courses:
            courses[structure] = Course([_flat(own) for own in cycle.tasks])
        costs = tolls(courses[structure], cycle.wires)
        groups.setdefault((structure, cycle.once, costs.names), []).append((place, costs))
    found = [0.0] * len(cycles)
    for (structure, _, _), group in groups.items():
        chosen = [cycles[place] for place, _ in group]
        durations = _together(courses[structure], chosen, [costs for _, costs in group])
        for (place, _), seconds in zip(group, durations, strict=True):
            found[place] = seconds
    return found


def _together(course: Course, cycles: Sequence[Cycle], costs: Sequence[Tolls]) -> list[float]:
    pauses = np.array([_pauses(cycle.tasks) for cycle in cycles]).T
    costs = paced_together(course, pauses, costs, np.zeros((course.width, len(cycles))))
    found: list[list[list[float]]] = [[[0.0] * course.width] for _ in cycles]
    left = list(range(len(cycles)))
    durations = [0.0] * len(cycles)
    while left:
        starts = np.array([found[place][-1] for place in left]).T
        ends = ends_together(course, pauses[:, left], [costs[place] for place in left], starts)
        for place, own in zip(left, ends.T.tolist(), strict=True):
            found[place].append(own)
        turns = {place: 1 if cycles[place].once else turn_of(found[place]) for place in left}
        for place, turn in turns.items():
            if turn:
                durations[place] = length_s(found[place][-1 - turn :])
        left = [place for place in left if not turns[place]]
    return durations


def _structure(cycle: Cycle) -> Structure:
    """All of a cycle's tasks but how long they compute; operations are told apart by being the very same object."""
    rows = (
        (
            type(task),
            task.stream,
            task.after,
            id(task.ops) if isinstance(task, CollectiveTask) else 0,
        )
        for own in cycle.tasks
        for task in own
    )
    return (tuple(map(len, cycle.tasks)), *rows)


class _OneCampus(Wires):
    """Every host's NIC as slow as the slowest, with full packets; and no other wire."""

    def ends(self, lane: Lane) -> tuple[End, ...]:  # noqa: ARG002
        """No wires to choose among."""
        return ()

    def routes(self, lanes: Iterable[Lane]) -> dict[Lane, Route]:
        """One hop, without delay."""
        slowest_bps = min(host.nic_bps for host in self.plan.hosts)
        s_per_byte = 8 / (slowest_bps * self.framing.payload_share)
        return {lane: (Hop(str(lane[0]), s_per_byte, s_per_byte, 0.0, 0.0),) for lane in lanes}

    def on_wire_bytes(self, payload_bytes: int) -> int:
        """Headers are in the hops' seconds per byte."""
        return payload_bytes


def _flat(tasks: Sequence[Task]) -> list[Op | Pause]:
    """A rank's tasks as one list of operations."""
    found: list[Op | Pause] = []
    ends: list[int] = []
    before: dict[str, int] = {}
    for task in tasks:
        waits = {ends[other] for other in task.after}
        if task.stream in before:
            waits.add(before[task.stream])
        begin = len(found)
        found.append(Pause(0.0, tuple(sorted(waits))))
        last: tuple[int, ...] = (begin,)
        if isinstance(task, CollectiveTask):
            found += _operations(task, begin)
            last = _last(task, begin) or last
        found.append(Pause(_seconds(task), last))
        ends.append(len(found) - 1)
        before[task.stream] = ends[-1]
    return found


def _pauses(tasks: Tasks) -> list[float]:
    """What every operation of all ranks waits, as `_flat` numbers them."""
    found: list[float] = []
    for own in tasks:
        for task in own:
            inside = len(task.ops) if isinstance(task, CollectiveTask) else 0
            found += [0.0] * (1 + inside)
            found.append(_seconds(task))
    return found


def _seconds(task: Task) -> float:
    if isinstance(task, IdleTask):
        return task.again_ns / 1e9
    return task.ns / 1e9 if isinstance(task, ComputeTask) else 0.0


def _operations(task: CollectiveTask, begin: int) -> list[Op]:
    """Those of a task that begins at an index: each after what it names, or else after the beginning."""
    return [
        op._replace(after=tuple(begin + 1 + other for other in op.after) or (begin,))
        for op in task.ops
    ]


def _last(task: CollectiveTask, begin: int) -> tuple[int, ...]:
    """Those operations of a task that no other one comes after: once they are done, all are."""
    followed = {other for op in task.ops for other in op.after}
    return tuple(begin + 1 + own for own in range(len(task.ops)) if own not in followed)
