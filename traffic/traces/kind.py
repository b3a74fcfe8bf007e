"""Traces as a kind of workload: every host's program, what is expected, and the events.

The names that `traffic.kind` asks for. Collectives have the same task number on every host; compute is
numbered behind them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from scenario.plan.types import Plan
from scenario.types.trace import TraceReplay
from traffic.carried import carried_bytes
from traffic.collectives import ELEMENT_BYTES, Options
from traffic.events import read_adapters, read_events
from traffic.host.program import CollectiveTask, ComputeTask, IdleTask, Task
from traffic.kind import Placed, Prepared, Tables
from traffic.model.forecast import ideal_iteration_s, iteration_s
from traffic.model.model import ring_textbook_s
from traffic.schedule import Op, Result, on_channels, placed
from traffic.tasks import GroupCollective, Replay, agents
from traffic.traces.mapping import HostTask, HostTasks, Idle, Line, Message, Shared, Work, on_hosts
from traffic.traces.storing import load

MODELLED: tuple[str, ...] = (
    "GPU compute is a sleep as long as the trace measured it, on whichever host",
    "ranks begin as far apart as in the trace, where its collectives tell how far that is",
    "what ranks of a trace that live in one host tell each other costs nothing",
)
MOST_TASKS = 2**15 - 1  # events number tasks in 16 bits
MOST_CHANNELS = 64

Made: TypeAlias = tuple[dict[int, tuple[Op, ...]], dict[int, tuple[Result, ...]]]
"""A schedule's operations, and its results, by host."""


def prepare(workload: TraceReplay, plan: Plan, seed: int) -> Prepared:  # noqa: ARG001 (nothing is drawn)
    """One program per host. Raises ValueError where the hosts do not suffice, InvalidInput for a trace
    that is none."""
    hosts = on_hosts(_trace(workload, plan), workload.ranks_per_host)
    _check(hosts)
    parts = _Parts(workload, plan, hosts)
    tasks = [parts.tasks(host.rank) for host in plan.hosts]
    replay = Replay(
        workload.iterations,
        workload.verify,
        workload.congestion,
        transport=workload.transport,
    )
    compute_s = [sum(_compute_ns(tasks)) / 1e9 for tasks in _padded(hosts, plan)]
    carried = sum(carried_bytes(one.size_bytes, plan) for one in _shared(hosts).values())
    return Prepared(
        programs=agents(plan, tasks, replay),
        about=_about(workload, plan, hosts, compute_s)
        | {"prediction": _prediction(workload, plan, tasks)},
        quiet_s=max(compute_s)
        + max(_begins_s(hosts))
        + ring_textbook_s(plan, carried, workload.transport),
    )


def collect(placed: Placed, folder: Path, start_ns: int) -> Tables:
    """The events of every host. A message ends on both sides when it has been received: that a sender
    goes on before then is no sign that something waited for it."""
    workload = placed.workload
    assert isinstance(workload, TraceReplay)
    hosts = on_hosts(_trace(workload, placed.plan), workload.ranks_per_host)
    messages = [n for n, what in _shared(hosts).items() if isinstance(what, Message)]
    whole = (pl.col("kind") == "collective") & pl.col("task").is_in(messages)
    received = pl.col("end_ns").max().over("iteration", "task", "kind")
    events = read_events(placed, folder, start_ns)
    events = events.with_columns(end_ns=pl.when(whole).then(received).otherwise("end_ns"))
    return {"events": events} | read_adapters(placed, folder)


def _prediction(workload: TraceReplay, plan: Plan, tasks: list[list[Task]]) -> dict[str, float]:
    """Seconds of an iteration, here and in one campus. Empty where the model, which carries out the tasks of
    a stream as they are listed, not as they become ready, would wait for ever."""
    try:
        return {
            "iteration_s": iteration_s(plan, tasks, workload.transport),
            "ideal_iteration_s": ideal_iteration_s(plan, lambda _: tasks, workload.transport),
        }
    except ValueError:
        return {}


def _trace(workload: TraceReplay, plan: Plan) -> Any:
    if len(plan.hosts) < workload.hosts:
        raise ValueError(
            f"{workload.ranks} ranks, {workload.ranks_per_host} per host, need {workload.hosts} hosts:"
            f" there are {len(plan.hosts)}; ranks-per-host says how many ranks share one"
        )
    trace = load(workload.trace)
    if len(trace.ranks) != workload.ranks:
        raise ValueError(f"ranks is {workload.ranks}: the trace has {len(trace.ranks)}")
    return trace


def _check(hosts: HostTasks) -> None:
    most = hosts.shared + max(len(_compute_ns(tasks)) for tasks in hosts.hosts)
    if most > MOST_TASKS:
        raise ValueError(f"the trace has {most} tasks in one iteration: at most {MOST_TASKS}")
    if not hosts.shared:
        raise ValueError("nothing of the trace crosses the network: all its groups fit into a host")


class _Parts:
    """Makes the hosts' tasks; every collective's schedule is made once per line."""

    def __init__(self, workload: TraceReplay, plan: Plan, hosts: HostTasks) -> None:
        self.workload = workload
        self.plan = plan
        self.hosts = _padded(hosts, plan)
        self.shared = hosts.shared
        self.lines: dict[Line, int] = {}
        self.made: dict[GroupCollective, Made] = {}

    def tasks(self, host: int) -> list[Task]:
        """A host's tasks, as its agent reads them."""
        found: list[Task] = []
        computes = 0
        for task in self.hosts[host]:
            if isinstance(task.what, Work):
                number = self.shared + computes
                computes += 1
                found.append(ComputeTask(task.what.ns, tuple(task.after), task.what.stream, number))
            elif isinstance(task.what, Idle):
                idle = task.what
                found.append(IdleTask(idle.ns, idle.again_ns, (), idle.stream))
            else:
                found.append(self._communication(task.what, tuple(task.after), host))
        return found

    def _communication(self, what: Shared | Message, after: tuple[int, ...], host: int) -> Task:
        line = self.lines.setdefault(what.line, len(self.lines)) * MOST_CHANNELS
        if isinstance(what, Message):
            size = carried_bytes(what.size_bytes, self.plan)
            kind = "send" if what.sends else "copy"
            op = Op("send" if what.sends else "copy", what.peer, 0, size, (), line)
            stream = f"{kind} {line}"
            return CollectiveTask(size, (op,), (), after, stream, what.number)
        collective = self._collective(what)
        ops, results = self._schedule(what, collective)
        shifted = on_channels(ops[host], line)
        size, own = collective.size_bytes, results[host]
        return CollectiveTask(size, shifted, own, after, f"group {line}", what.number)

    def _collective(self, what: Shared) -> GroupCollective:
        size = carried_bytes(what.size_bytes, self.plan)
        counts = tuple(
            tuple(carried_bytes(one, self.plan) if one else 0 for one in row) for row in what.counts
        )
        options = Options(channels=self.workload.channels, root=what.root, counts=counts or None)
        size = max(size, ELEMENT_BYTES * len(what.hosts))
        algorithm = self.workload.algorithms[what.op]
        return GroupCollective(what.op, algorithm, what.hosts, size, options)

    def _schedule(self, what: Shared, collective: GroupCollective) -> Made:
        if collective not in self.made:
            ops = placed(collective.schedule(self.plan), what.hosts)
            results = dict(zip(what.hosts, collective.results(), strict=True))
            self.made[collective] = ops, results
        return self.made[collective]


def _padded(hosts: HostTasks, plan: Plan) -> list[tuple[HostTask, ...]]:
    """By rank of the plan; hosts that the trace does not need do nothing."""
    return [*hosts.hosts, *[()] * (len(plan.hosts) - len(hosts.hosts))]


def _compute_ns(tasks: Sequence[HostTask]) -> list[int]:
    return [task.what.ns for task in tasks if isinstance(task.what, Work)]


def _begins_s(hosts: HostTasks) -> list[float]:
    """How much later than the first host each begins, the first time: as the last of its ranks does in the trace."""
    found = [
        [task.what.ns for task in tasks if isinstance(task.what, Idle)] for tasks in hosts.hosts
    ]
    return [max(own, default=0) / 1e9 for own in found]


def _shared(hosts: HostTasks) -> dict[int, Shared | Message]:
    """Every collective and message once, by number."""
    whats = (task.what for tasks in hosts.hosts for task in tasks)
    return {what.number: what for what in whats if isinstance(what, Shared | Message)}


def _about(
    workload: TraceReplay, plan: Plan, hosts: HostTasks, compute_s: Sequence[float]
) -> dict[str, Any]:
    """`op`, `algorithm` and `size_bytes` are those of the collectives that move most bytes."""
    collectives = _collectives(workload, plan, hosts)
    most = max(collectives, key=lambda one: one["size_bytes"] * len(one["tasks"]))
    return {
        "trace": str(workload.trace),
        "trace_ranks": workload.ranks,
        "ranks_per_host": workload.ranks_per_host,
        "collectives": collectives,
        "iterations": workload.iterations,
        "warmup": workload.warmup,
        "op": most["op"],
        "algorithm": most["algorithm"],
        "size_bytes": most["size_bytes"],
        "verify": workload.verify,
        "transport": workload.transport.kind,
        "compute_s": list(compute_s),
        "begins_s": _begins_s(hosts),
    }


def _collectives(workload: TraceReplay, plan: Plan, hosts: HostTasks) -> list[dict[str, Any]]:
    """Those of one iteration that are alike, by the numbers of their tasks."""
    alike: dict[tuple[str, int, int], list[int]] = {}
    for number, what in sorted(_shared(hosts).items()):
        op, ranks = (what.op, len(what.hosts)) if isinstance(what, Shared) else ("send_recv", 2)
        size = carried_bytes(what.size_bytes, plan)
        alike.setdefault((op, ranks, size), []).append(number)
    algorithms = workload.algorithms | {"send_recv": "direct"}
    return [
        {"op": op, "algorithm": algorithms[op], "ranks": ranks, "size_bytes": size, "tasks": tasks}
        for (op, ranks, size), tasks in alike.items()
    ]
