"""The tasks of a program: what one rank's agent is told to do (`traffic.host.program`).

Pure. A collective is among any of the hosts; the others have no part in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from scenario.plan.types import Plan, PlannedHost
from scenario.types.topology import Collective, Transport
from traffic.adapters import FEWEST, MOST, paths, roce_settings, slots
from traffic.carried import carried_bytes
from traffic.collectives import DEFAULTS, Layout, Options, Results, make_schedule, results
from traffic.framing import TCP
from traffic.host.program import CollectiveTask, ComputeTask, Program, Task
from traffic.host.registered import PIECE_BYTES
from traffic.host.transport import Settings
from traffic.kind import Assignment
from traffic.model.wires import Wires, largest_bytes, opened
from traffic.schedule import Schedule, placed


@dataclass(frozen=True)
class Replay:
    """How often programs are replayed, and how: with real numbers that are checked or without, and what
    carries them; of TCP, congestion control (as Linux names it) and the size of each socket's buffers, None:
    as the kernel tunes them."""

    iterations: int
    verify: bool = False
    congestion: str = "cubic"
    socket_buffer_bytes: int | None = None
    transport: Transport = TCP


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
                result._replace(of=tuple(self.ranks[rank] for rank in result.of)) for result in own
            )
            for own in results(self.op, len(self.ranks), self.size_bytes, self.options)
        )


def options(collective: Collective, plan: Plan) -> Options:
    """How the collective is carried out; segments are scaled as all bytes are."""
    segment = collective.segment_bytes
    return Options(
        channels=collective.channels,
        segment_bytes=carried_bytes(segment, plan) if segment else None,
        servers=collective.servers,
        order=collective.order,
        inner=collective.inner,
        outer=collective.outer,
    )


def layout_of(plan: Plan, ranks: Sequence[int]) -> Layout:
    """The campuses of some of the plan's ranks."""
    return Layout(tuple(plan.hosts[rank].campus for rank in ranks))


def compute_task(seconds: float, after: Sequence[int] = ()) -> ComputeTask:
    """So much compute at full speed, once the tasks `after` are done."""
    return ComputeTask(round(seconds * 1e9), tuple(after))


def collective_tasks(
    width: int, collective: GroupCollective, schedule: Schedule, after: Sequence[int] = ()
) -> list[CollectiveTask]:
    """A collective as a task of each of a plan's `width` ranks, once the tasks `after` are done there."""
    ops = placed(schedule, collective.ranks)
    results = dict(zip(collective.ranks, collective.results(), strict=True))
    return [
        CollectiveTask(
            size_bytes=collective.size_bytes if rank in ops else 0,
            ops=ops.get(rank, ()),
            results=results.get(rank, ()),
            after=tuple(after),
        )
        for rank in range(width)
    ]


def agents(
    plan: Plan,
    tasks: Sequence[Sequence[Task]],
    replay: Replay,
    slowdowns: Mapping[int, Sequence[float]] = MappingProxyType({}),
) -> dict[str, Assignment]:
    """Every host's program, by its name: `tasks[rank]` in every iteration, each once those that it names
    are done. `slowdowns`, by rank, are how many times as long compute takes, by iteration."""
    addresses = tuple(host.ip for host in plan.hosts)
    wires = Wires(plan, replay.transport)
    return {
        host.name: Assignment(
            "traffic.host.agent",
            Program(
                rank=host.rank,
                addresses=addresses,
                iterations=replay.iterations,
                tasks=tuple(tasks[host.rank]),
                transport=_settings(wires, host, tasks[host.rank], replay),
                verify=replay.verify,
                slowdowns=tuple(slowdowns.get(host.rank, ())),
                paths=paths(wires, host),
                numbers=_numbers(wires, host, tasks[host.rank]),
            ),
        )
        for host in plan.hosts
    }


def _numbers(
    wires: Wires, host: PlannedHost, tasks: Sequence[Task]
) -> tuple[tuple[int, int, int], ...]:
    """Of the source ports of a host's connections, where those are pinned."""
    if not wires.plan.routing.pinned:
        return ()
    sent = largest_bytes([[task.ops] for task in tasks if isinstance(task, CollectiveTask)])
    largest = {(host.rank, peer, channel): size for (_, peer, channel), size in sent.items()}
    return tuple(
        (peer, channel, wires.number(lane)) for (_, peer, channel), lane in opened(largest).items()
    )


def _settings(wires: Wires, host: PlannedHost, tasks: Sequence[Task], replay: Replay) -> Settings:
    """How a host's connections are to be."""
    if replay.transport.kind == "roce":
        depth = slots(wires) if replay.verify else _most_messages(tasks)
        made = roce_settings(wires, replay.transport, depth, discards=not replay.verify)
        return replace(made, one_way=True)
    return Settings(
        congestion=replay.congestion,
        buffer_bytes=replay.socket_buffer_bytes,
        pacing_Bps=wires.framing.pace_Bps(host),
    )


def _most_messages(tasks: Sequence[Task]) -> int:
    """That an iteration has on one connection, whole pieces of them, as far as they may be under way."""
    count: Counter[tuple[int, int]] = Counter()
    for task in tasks:
        for op in task.ops if isinstance(task, CollectiveTask) else ():
            if op.kind == "send":
                count[op.peer, op.channel] += 1 + op.size // PIECE_BYTES
    return min(max(FEWEST, *count.values(), 0), MOST)
