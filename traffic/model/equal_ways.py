"""Which of several equal ways each big connection of a workload takes, and what it would save if they shared better.

Pure: switches hash addresses and ports, which the plan knows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from scenario.plan.forwarding import Fork, Forwarding
from scenario.plan.types import End, Plan
from scenario.types.topology import Transport
from traffic.host.program import CollectiveTask, Task
from traffic.model.forecast import Cycle, duration_s
from traffic.model.wires import Connection, Lane, Wires, opened

BIG = 0.25
"""Of the bytes of the connection that carries most."""
MOST = 1000
"""Connections that are looked at, the biggest."""
MOST_WAYS = 256
"""From one host to another, when bytes are dealt out."""


def described(
    plan: Plan, tasks: Sequence[Sequence[Task]], transport: Transport
) -> dict[str, Any] | None:
    """For `plan.json`: the big connections that had a choice, with each choice; where some share a way while
    another is idle also an iteration's seconds by the model if bytes were dealt out. None where nobody has a choice."""
    if not plan.groups:
        return None
    wires = Wires(plan, transport)
    moved, largest = _moved(tasks)
    lanes = opened(largest)
    chosen = {
        connection: choices
        for connection in _big(moved)
        if (choices := wires.choices(lanes[connection]))
    }
    if not chosen:
        return None
    shared = _some_are_idle([choice for choices in chosen.values() for choice in choices])
    return {
        "connections": [
            _told(wires, connection, moved[connection], lanes[connection], choices)
            for connection, choices in chosen.items()
        ],
        "iteration_s": duration_s(Cycle(wires, tasks)) if shared else None,
        "dealt_out_s": duration_s(Cycle(DealtOut(plan, transport, tasks), tasks))
        if shared
        else None,
    }


def _moved(tasks: Sequence[Sequence[Task]]) -> tuple[dict[Connection, int], dict[Connection, int]]:
    """Bytes of an iteration by connection, and the largest message."""
    moved: Counter[Connection] = Counter()
    largest: dict[Connection, int] = defaultdict(int)
    for rank, own in enumerate(tasks):
        for task in own:
            for op in task.ops if isinstance(task, CollectiveTask) else ():
                if op.kind == "send":
                    connection = (rank, op.peer, op.channel)
                    moved[connection] += op.size
                    largest[connection] = max(largest[connection], op.size)
    return moved, largest


def _big(moved: Mapping[Connection, int]) -> list[Connection]:
    """Those that matter, biggest first."""
    least = BIG * max(moved.values(), default=0)
    order = sorted(moved, key=lambda connection: (-moved[connection], connection))
    return [connection for connection in order if moved[connection] >= max(least, 1)][:MOST]


def _some_are_idle(choices: Sequence[Fork]) -> bool:
    """Whether somewhere two share a way while another has nobody."""
    taken: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for choice in choices:
        taken[choice.of][choice.took] += 1
    return any(max(count.values()) > 1 and len(count) < len(of) for of, count in taken.items())


def _told(
    wires: Wires, connection: Connection, moved: int, lane: Lane, choices: Sequence[Fork]
) -> dict[str, Any]:
    source, sink, channel = connection
    return {
        "from": wires.plan.hosts[source].name,
        "to": wires.plan.hosts[sink].name,
        "channel": channel,
        "source_port": wires.connection(lane).source_port,
        "bytes": moved,
        "choices": [
            {"switch": choice.switch, "of": list(choice.of), "took": choice.took}
            for choice in choices
        ],
    }


class DealtOut(Wires):
    """As if somebody dealt big connections out: the biggest first, each takes the way on which there is least."""

    def __init__(self, plan: Plan, transport: Transport, tasks: Sequence[Sequence[Task]]) -> None:
        super().__init__(plan, transport)
        moved, largest = _moved(tasks)
        lanes = opened(largest)
        load: Counter[str] = Counter()
        for connection in _big(moved):
            lane = lanes[connection]
            way = min(self._ways(lane), key=lambda ends: _seconds(ends, load))
            self._ends[lane] = way
            load.update(dict.fromkeys((end.interface for end in way), moved[connection]))

    def _ways(self, lane: Lane) -> list[tuple[End, ...]]:
        source, sink = (self.plan.hosts[rank] for rank in lane[:2])
        known = self._forwarding
        assert isinstance(known, Forwarding)
        return [ends for _, ends in islice(known.ways(source, sink, lane.dscp), MOST_WAYS)]


def _seconds(ends: Sequence[End], load: Mapping[str, int]) -> list[float]:
    """What the wires of a way have to carry already, the busiest first."""
    return sorted((load[end.interface] / end.shape.rate_bps for end in ends), reverse=True)
