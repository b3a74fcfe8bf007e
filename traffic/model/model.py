"""What a schedule should cost on a planned fabric: the α–β model, with the pipelining that the schedule's
own dependencies allow, and with messages that wait for each other on the wires that they share.

Pure; printed beside what was measured.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from scenario.plan.types import Plan
from scenario.types.topology import Transport
from traffic.framing import TCP
from traffic.model.wires import (
    Connection,
    Route,
    Schedules,
    Wires,
    lane,
    largest_bytes,
    path,
)
from traffic.schedule import Op, Pause, Schedule, matches

__all__ = ["Model", "ends_s", "path", "ring_textbook_s"]

At = tuple[int, int]
"""An operation: its rank, and its index there."""
NOTHING: Mapping[Connection, int] = MappingProxyType({})


class Model:
    """The α–β model of a fabric. `beside` are schedules that are replayed over the same connections, as
    those of a benchmark are: a connection has one class, by the largest of all its messages."""

    def __init__(self, plan: Plan, transport: Transport = TCP, beside: Schedules = ()) -> None:
        self.wires = Wires(plan, transport)
        self._beside = largest_bytes(beside)

    def ends_s(self, schedule: Schedule, starts_s: Sequence[float]) -> list[float]:
        """When each rank is done with a collective that the ranks enter at `starts_s`.

        Ranks that start early get ahead as far as the schedule lets them. Messages cross each wire in the
        order in which they come to it, every wire while the one before still sends the rest. For the
        sender a message is done when the transport has it, at once. Raises ValueError for a schedule that
        cannot finish.
        """
        return Execution(self.wires, schedule, starts_s, self._beside).run()

    def collective_s(
        self, schedule: Schedule, compute_s: Sequence[float], iterations: int = 4
    ) -> float:
        """Seconds from the last rank's entry to the last rank's end, once iterations of compute and
        collective have settled: who ends early also enters the next one early."""
        ends = [0.0] * len(schedule)
        duration_s = 0.0
        for _ in range(iterations):
            starts = [end + own for end, own in zip(ends, compute_s, strict=True)]
            ends = self.ends_s(schedule, starts)
            duration_s = max(ends) - max(starts)
        return duration_s


def ends_s(plan: Plan, schedule: Schedule, starts_s: Sequence[float]) -> list[float]:
    """`Model.ends_s` of a plan."""
    return Model(plan).ends_s(schedule, starts_s)


def ring_textbook_s(plan: Plan, size_bytes: int, transport: Transport = TCP) -> float:
    """2(n−1)α + 2(n−1)/n·Sβ with the worst α and β of the ring: no pipelining. [Thakur 2005]"""
    hosts = plan.hosts
    count, wires = len(hosts), Wires(plan, transport)
    ways = (
        [path(wires, host, hosts[(host.rank + 1) % count]) for host in hosts] if count > 1 else []
    )
    alpha_s = max((way.alpha_s for way in ways), default=0.0)
    beta = max((way.beta_s_per_byte for way in ways), default=0.0)
    return 2 * (count - 1) * (alpha_s + size_bytes / count * beta)


@dataclass
class Message:
    """On its way: `last_s` is when its last byte came to the next hop."""

    send: At
    route: Route
    size_bytes: int
    on_wire_bytes: int
    frame_bytes: int
    hop: int = 0
    last_s: float = 0.0


class Execution:
    """Runs a schedule against the model, earliest event first: operations that may begin, and first
    frames that come to a wire. `traffic.model.forecast` runs whole iterations this way."""

    def __init__(
        self,
        wires: Wires,
        schedule: Sequence[Sequence[Op | Pause]],
        starts_s: Sequence[float],
        beside: Mapping[Connection, int] = NOTHING,
    ) -> None:
        self.wires = wires
        self.schedule = schedule
        self.receivers = matches(schedule)
        self.routes = self._routes(beside)
        self.wire_free: dict[str, float] = {}
        self.left: dict[At, int] = {}
        self.unlocks: dict[At, list[At]] = {}
        self.ready_s: dict[At, float] = {}
        self.events: list[tuple[float, int, At | Message]] = []
        self.count = 0
        for rank, start_s in enumerate(starts_s):
            self._enter(rank, start_s)

    def _routes(self, beside: Mapping[Connection, int]) -> dict[Connection, Route]:
        """Of every connection; `beside` are the largest messages that come over them at other times."""
        lanes = {
            connection: lane(connection, max(largest, beside.get(connection, 0)))
            for connection, largest in largest_bytes([self.schedule]).items()
        }
        routes = self.wires.routes(set(lanes.values()))
        return {connection: routes[lane] for connection, lane in lanes.items()}

    def _op(self, at: At) -> Op | Pause:
        return self.schedule[at[0]][at[1]]

    def _enter(self, rank: int, start_s: float) -> None:
        """Count what each operation of a rank waits for: those it is after, the one before it on its
        connection, and for a receive its message."""
        before: dict[tuple[bool, int, int], int] = {}
        for index, op in enumerate(self.schedule[rank]):
            waits = set(op.after)
            if isinstance(op, Op):
                connection = (op.kind == "send", op.peer, op.channel)
                if connection in before:
                    waits.add(before[connection])
                before[connection] = index
            at = (rank, index)
            self.left[at] = len(waits) + (isinstance(op, Op) and op.kind != "send")
            self.ready_s[at] = start_s
            for other in waits:
                self.unlocks.setdefault((rank, other), []).append(at)
            if not self.left[at]:
                self._begin(at)

    def _begin(self, at: At) -> None:
        """It waits for nothing any more, but perhaps for time to pass."""
        op = self._op(at)
        self._at(self.ready_s[at] + (op.seconds if isinstance(op, Pause) else 0.0), at)

    def _at(self, when_s: float, what: At | Message) -> None:
        self.count += 1
        heapq.heappush(self.events, (when_s, self.count, what))

    def run(self) -> list[float]:
        """The time at which each rank is done."""
        done_s = [0.0] * len(self.schedule)
        done = 0
        while self.events:
            now_s, _, what = heapq.heappop(self.events)
            if isinstance(what, Message):
                self._cross(now_s, what)
                continue
            done_s[what[0]] = max(done_s[what[0]], now_s)
            done += 1
            self._carry_out(now_s, what)
        if done < len(self.left):
            raise ValueError(f"{len(self.left) - done} operations wait for each other")
        return done_s

    def _carry_out(self, now_s: float, at: At) -> None:
        op = self._op(at)
        if isinstance(op, Op) and op.kind == "send":
            packets = self.wires.framing
            frame = min(op.size, packets.payload_bytes) + packets.header_bytes
            on_wire = self.wires.on_wire_bytes(op.size)
            route = self.routes[at[0], op.peer, op.channel]
            self._cross(now_s, Message(at, route, op.size, on_wire, frame, last_s=now_s))
        for other in self.unlocks.get(at, ()):
            self._unlock(other, now_s)

    def _cross(self, now_s: float, message: Message) -> None:
        """Its first frame has come to the next wire; it may have to wait for others there."""
        hop = message.route[message.hop]
        start_s = max(now_s, self.wire_free.get(hop.wire, 0.0))
        busy_s = max(
            message.on_wire_bytes * hop.s_per_byte, message.size_bytes * hop.s_per_payload_byte
        )
        self.wire_free[hop.wire] = start_s + busy_s
        frame_s = message.frame_bytes * hop.s_per_byte
        onward_s = hop.onward_s + message.frame_bytes * hop.onward_s_per_byte
        message.last_s = max(start_s + busy_s, message.last_s + frame_s) + onward_s
        message.hop += 1
        if message.hop < len(message.route):
            self._at(start_s + frame_s + onward_s, message)
        else:
            self._unlock(self.receivers[message.send], message.last_s)

    def _unlock(self, at: At, when_s: float) -> None:
        self.left[at] -= 1
        self.ready_s[at] = max(self.ready_s[at], when_s)
        if not self.left[at]:
            self._begin(at)
