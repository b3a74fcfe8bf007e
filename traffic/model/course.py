"""A schedule taken apart once, so that it can be run against the model many times: operations by number, what each
waits for, the message of each send. What messages cost on some wires is apart: that is what differs between fabrics.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from traffic.model.pacing import Departure, counted
from traffic.model.wires import Connection, Hop, Route, Wires, largest_bytes
from traffic.schedule import Op, Pause, matches

NOTHING: Mapping[Connection, int] = MappingProxyType({})
Crossing: TypeAlias = tuple[int, float, float, float]
"""Of a message at a hop: the wire's number, how long it is busy, how long a frame takes, what comes behind it."""


@dataclass(frozen=True)
class SentMessage:
    """What a send puts on its way: over which connection (by number), how much, to which operation."""

    connection: int
    size_bytes: int
    receiver: int


class Course:
    """A schedule of all ranks. Operations are numbered rank by rank; `ranks[i]` is whose operation i is.

    Raises ValueError where sends and receives do not pair up.
    """

    def __init__(self, schedule: Sequence[Sequence[Op | Pause]]) -> None:
        firsts = [0]
        for ops in schedule:
            firsts.append(firsts[-1] + len(ops))
        self.size = firsts[-1]
        self.width = len(schedule)
        self.ranks = [rank for rank, ops in enumerate(schedule) for _ in ops]
        self.pauses_s = [op.seconds if isinstance(op, Pause) else 0.0 for o in schedule for op in o]
        self.waits = [0] * self.size
        self.unlocks: list[list[int]] = [[] for _ in range(self.size)]
        self.largest = largest_bytes([schedule])
        self.sent: list[SentMessage | None] = [None] * self.size
        numbers = {connection: place for place, connection in enumerate(self.largest)}
        for (rank, index), (sink, there) in matches(schedule).items():
            op = schedule[rank][index]
            assert isinstance(op, Op)
            number = numbers[rank, op.peer, op.channel]
            self.sent[firsts[rank] + index] = SentMessage(number, op.size, firsts[sink] + there)
        for rank, ops in enumerate(schedule):
            self._enter(firsts[rank], ops)

    def _enter(self, first: int, ops: Sequence[Op | Pause]) -> None:
        """Count what each operation of a rank waits for: those it is after, the one before it on its connection, and
        for a receive its message."""
        before: dict[tuple[bool, int, int], int] = {}
        for index, op in enumerate(ops):
            waits = set(op.after)
            if isinstance(op, Op):
                connection = (op.kind == "send", op.peer, op.channel)
                if connection in before:
                    waits.add(before[connection])
                before[connection] = index
            self.waits[first + index] = len(waits) + (isinstance(op, Op) and op.kind != "send")
            for other in waits:
                self.unlocks[first + other].append(first + index)


@dataclass(frozen=True)
class Tolls:
    """What the messages of a course cost on some wires, which are numbered: by operation, and the same by connection
    and size. `routes` are the connections' ways; by their `names` two fabrics are seen to have the same ways. `largest`
    are the connections' largest messages, at other times, too; `paces` seconds per byte of those connections that TCP
    paces (`traffic.model.windows`)."""

    wires: Wires
    routes: tuple[Route, ...]
    numbers: Mapping[str, int]
    crossings: list[tuple[Crossing, ...]]
    known: dict[tuple[int, int], tuple[Crossing, ...]]
    largest: tuple[int, ...]
    paces: Mapping[int, float] = field(default_factory=dict)

    @property
    def names(self) -> tuple[tuple[str, ...], ...]:
        """The wires of every connection's way."""
        return tuple(tuple(hop.wire for hop in route) for route in self.routes)

    def cost(self, connection: int, size_bytes: int) -> tuple[Crossing, ...]:
        """Of so many bytes that come over a connection."""
        return _crossings(self.wires, self.routes[connection], size_bytes, self.numbers)

    def departure(self, connection: int, size_bytes: int) -> Departure | None:
        """Of so many bytes over a connection, if it is paced."""
        pace = self.paces.get(connection)
        if pace is None:
            return None
        return Departure(
            *(pace * own for own in counted(size_bytes, self.wires.framing.payload_bytes))
        )


def tolls(course: Course, wires: Wires, beside: Mapping[Connection, int] = NOTHING) -> Tolls:
    """Of every message of a course; `beside` are the largest messages that come over its connections at other times."""
    own = {key: max(size, beside.get(key, 0)) for key, size in course.largest.items()}
    lanes = wires.lanes({**beside, **own})
    found = wires.routes({lanes[connection] for connection in course.largest})
    routes = tuple(found[lanes[connection]] for connection in course.largest)
    names = dict.fromkeys(hop.wire for route in routes for hop in route)
    numbers = {name: place for place, name in enumerate(names)}
    known: dict[tuple[int, int], tuple[Crossing, ...]] = {}
    crossings: list[tuple[Crossing, ...]] = []
    for sent in course.sent:
        if sent is None:
            crossings.append(())
            continue
        key = sent.connection, sent.size_bytes
        if key not in known:
            known[key] = _crossings(wires, routes[sent.connection], sent.size_bytes, numbers)
        crossings.append(known[key])
    largest = tuple(own[connection] for connection in course.largest)
    return Tolls(wires, routes, numbers, crossings, known, largest)


def _crossings(
    wires: Wires, way: Route, size_bytes: int, numbers: Mapping[str, int]
) -> tuple[Crossing, ...]:
    packets = wires.framing
    frame_bytes = min(size_bytes, packets.payload_bytes) + packets.header_bytes
    on_wire_bytes = wires.on_wire_bytes(size_bytes)
    return tuple(
        _crossing(hop, numbers[hop.wire], size_bytes, on_wire_bytes, frame_bytes) for hop in way
    )


def _crossing(
    hop: Hop, number: int, size_bytes: int, on_wire_bytes: int, frame_bytes: int
) -> Crossing:
    return (
        number,
        max(on_wire_bytes * hop.s_per_byte, size_bytes * hop.s_per_payload_byte),
        frame_bytes * hop.s_per_byte,
        hop.onward_s + frame_bytes * hop.onward_s_per_byte,
    )
