"""What iterations of a whole program should take: the α–β model over all tasks and streams of all ranks.

Pure. A task becomes operations between a beginning and an end, both of which take no time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from scenario.plan.types import Plan
from scenario.types.topology import Transport
from traffic.framing import TCP
from traffic.host.program import CollectiveTask, ComputeTask, Task
from traffic.model.model import Execution
from traffic.model.wires import Hop, Lane, Route, Wires
from traffic.schedule import Op, Pause

ITERATIONS = 3
"""After so many, who ends early also begins early, and iterations take the same."""


def iteration_s(plan: Plan, tasks: Sequence[Sequence[Task]], transport: Transport = TCP) -> float:
    """Seconds from one end of all ranks' tasks to the next. `tasks[rank]` as agents replay them.

    Raises ValueError where tasks wait for each other for ever.
    """
    wires = Wires(plan, transport)
    ends = [[0.0] * len(tasks)]
    schedule = [_flat(own) for own in tasks]
    for _ in range(ITERATIONS):
        ends.append(Execution(wires, schedule, ends[-1]).run())
    return max(ends[-1]) - max(ends[-2])


def ideal_iteration_s(
    plan: Plan,
    tasks_on: Callable[[Plan], Sequence[Sequence[Task]]],
    transport: Transport = TCP,
) -> float:
    """An iteration if all hosts stood in one campus, equally fast, behind loss-free switches: compute at
    the mean speed, and nothing in the way of a message but its sender's NIC, as slow as the slowest.

    `tasks_on` makes the same workload's tasks for such hosts.
    """
    mean = sum(host.flops for host in plan.hosts) / len(plan.hosts)
    alike = replace(plan, hosts=tuple(replace(host, flops=mean) for host in plan.hosts))
    tasks = tasks_on(alike)
    schedule = [_flat(own) for own in tasks]
    return max(Execution(_OneCampus(plan, transport), schedule, [0.0] * len(tasks)).run())


class _OneCampus(Wires):
    """Every host's NIC as slow as the slowest, with full packets; and no other wire."""

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
        if isinstance(task, CollectiveTask):
            found += _operations(task, begin)
        inside = tuple(range(begin, len(found)))
        found.append(Pause(task.ns / 1e9 if isinstance(task, ComputeTask) else 0.0, inside))
        ends.append(len(found) - 1)
        before[task.stream] = ends[-1]
    return found


def _operations(task: CollectiveTask, begin: int) -> list[Op]:
    """Those of a task that begins at an index: each after the beginning and what it names."""
    return [
        op._replace(after=(begin, *(begin + 1 + other for other in op.after))) for op in task.ops
    ]
