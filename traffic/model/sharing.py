"""Runs a course whose messages compete for wires: those of several connections share a wire as their packets come.

`traffic.model.execution` has whole messages follow each other. Here a message sets out in parts, as TCP sends it: each
at its sender's pace, and no more under way than its connection's window. Parts cross wires in the order in which they
come. So what fits the first window is served as it came, and of larger messages each connection gets an equal share,
without either being said. Nothing is lost: a queue holds whatever comes.

Of TCP alone: what DCQCN makes of queue pairs that compete is not this (docs/collectives.md has both, measured).
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from scenario.plan.types import FIRST_WINDOW_PACKETS
from traffic.model.course import Course, Tolls
from traffic.model.execution import Alone, Competing, Execution
from traffic.model.pacing import Departure
from traffic.model.parts import Crossings, Divided, Message, cut, most_parts

LEAST_PARTS = 4
"""Of a message that fit a window, however large it is: windows grow with what is to be sent."""
_When: TypeAlias = tuple[float, float, int]
"""The time at which something happens, the time at which that was known, and its number: events' order."""
_Event: TypeAlias = "tuple[float, float, int, _Happen, Any]"
_Happen: TypeAlias = Callable[[float, Any], "_Event | None"]
"""Of what is to happen: it may return what follows."""


def ends_s(
    course: Course,
    tolls: Tolls,
    starts_s: Sequence[float],
    pauses_s: Sequence[float] | None = None,
) -> list[float]:
    """The time at which each rank is done: that of whole messages, unless some compete.

    Raises ValueError where operations wait for each other.
    """
    messages = Counter(
        (sent.connection, sent.size_bytes) for sent in course.sent if sent is not None
    )
    most = most_parts(messages, tolls)
    if most == 1:
        return Execution(course, tolls, starts_s, pauses_s).run()
    with suppress(Competing):
        return Alone(course, tolls, starts_s, pauses_s).run()
    divided = {message: cut(tolls, message, most) for message in messages}
    return _Sharing(course, tolls, starts_s, pauses_s, divided).run()


class _Part:
    """What is under way of a message, and wires that it has to cross. With the last one its receiver has it."""

    __slots__ = ("connection", "crossings", "departure", "last_s", "receiver")

    def __init__(
        self,
        connection: _Connection,
        crossings: Crossings,
        departure: Departure | None,
        receiver: int | None,
        now_s: float,
    ) -> None:
        self.connection = connection
        self.crossings = crossings
        self.departure = departure
        self.receiver = receiver
        self.last_s = now_s


class _Connection:
    """Messages that wait to be sent, of the first of which `sent` parts are, and what is under way of at most
    `window_bytes`: how many bytes, and when those are acknowledged that have come to their last wire.

    It is looked at when its sender's pace lets out the next part (`clear`), or when an acknowledgement comes; never
    where nothing waits. It is `stuck` if the acknowledgement that it waits for is not known yet. Its receiver has what
    comes in order, so nothing before `arrived_s`, even if a shorter packet was faster.
    """

    __slots__ = (
        "acknowledged", "arrived_s", "back_s", "clear", "out", "out_bytes", "sent", "stuck", "waiting", "window_bytes",
    )  # fmt: skip

    def __init__(self, window_bytes: float, back_s: float) -> None:
        self.waiting: deque[tuple[Divided, int]] = deque()
        self.sent = 0
        self.window_bytes = window_bytes
        self.back_s = back_s
        self.out_bytes = 0
        self.out: deque[int] = deque()
        self.acknowledged: deque[_When] = deque()
        self.clear: _When = (-1.0, -1.0, 0)
        self.arrived_s = 0.0
        self.stuck = False

    def take(self, now: _Event) -> _Part | None:
        """The next part, if the window lets it out."""
        message, receiver = self.waiting[0]
        last = self.sent + 1 == message.count
        size_bytes = message.last_bytes if last else message.size_bytes
        acknowledged = self.acknowledged
        while acknowledged and acknowledged[0] < now:
            acknowledged.popleft()
            self.out_bytes -= self.out.popleft()
        out_bytes = self.out_bytes + size_bytes
        if self.out_bytes and out_bytes > self.window_bytes:
            return None
        self.out_bytes = out_bytes
        self.out.append(size_bytes)
        if last:
            self.waiting.popleft()
            self.sent = 0
            return _Part(self, message.last, message.last_departure, receiver, now[0])
        self.sent += 1
        return _Part(self, message.first, message.first_departure, None, now[0])


class _Sharing:
    """One course on one fabric. An event is a function that is called when its time has come, with what it is of.

    There is one for each wire that a part comes to, and one for each time that a connection is looked at.
    """

    def __init__(
        self,
        course: Course,
        tolls: Tolls,
        starts_s: Sequence[float],
        pauses_s: Sequence[float] | None,
        divided: Mapping[Message, Divided],
    ) -> None:
        self.course = course
        self.divided = divided
        self.pauses_s = course.pauses_s if pauses_s is None else pauses_s
        self.left = list(course.waits)
        self.ready_s = [starts_s[rank] for rank in course.ranks]
        self.done_s = [0.0] * course.width
        self.free_s = [0.0] * len(tolls.numbers)
        self.connections = _connections(tolls, divided)
        self.events: list[_Event] = []
        self.number = itertools.count().__next__
        self.cross, self.send = self._cross, self._send  # bound once
        for op, waits in enumerate(course.waits):
            if not waits:
                self._ready(-1.0, op)

    def run(self) -> list[float]:
        """The time at which each rank is done. Raises ValueError where operations wait for each other."""
        events = self.events
        while events:
            now_s, _, _, happen, what = events[0]
            follows = happen(now_s, what)  # what else it adds comes later than the first
            if follows:
                heapq.heapreplace(events, follows)
            else:
                heapq.heappop(events)
        if any(self.left):
            raise ValueError(f"{sum(map(bool, self.left))} operations wait for each other")
        return self.done_s

    def _at(self, when_s: float, now_s: float, happen: _Happen, what: object) -> None:
        heapq.heappush(self.events, (when_s, now_s, self.number(), happen, what))

    def _ready(self, now_s: float, op: int) -> None:
        """It waits for nothing any more, but perhaps for time to pass."""
        self._at(self.ready_s[op] + self.pauses_s[op], now_s, self._begin, op)

    def _begin(self, now_s: float, op: int) -> None:
        rank, sent = self.course.ranks[op], self.course.sent[op]
        self.done_s[rank] = max(self.done_s[rank], now_s)
        if sent is not None:
            message = self.divided[sent.connection, sent.size_bytes]
            self._queue(now_s, self.connections[sent.connection], (message, sent.receiver))
        for other in self.course.unlocks[op]:
            self._unlock(now_s, other)

    def _queue(self, now_s: float, connection: _Connection, message: tuple[Divided, int]) -> None:
        connection.waiting.append(message)
        if len(connection.waiting) > 1:
            return
        if connection.clear >= self.events[0]:
            heapq.heappush(self.events, (*connection.clear, self.send, connection))
            return
        follows = self._send(now_s, connection)
        if follows:
            heapq.heappush(self.events, follows)

    def _unlock(self, when_s: float, op: int) -> None:
        self.left[op] -= 1
        self.ready_s[op] = max(self.ready_s[op], when_s)
        if not self.left[op]:
            self._ready(when_s, op)

    def _send(self, now_s: float, connection: _Connection) -> _Event | None:
        """The next part, if the window lets it out; then the one after it as soon as the sender's pace allows."""
        part = connection.take(self.events[0])
        if part is None:
            self._await(connection)
            return None
        clear_s = now_s + part.crossings[1]
        if part.departure:
            part.last_s, paced_s = part.departure.out_s(now_s, connection.clear[0])
            clear_s = max(clear_s, paced_s)
        connection.clear = clear_s, now_s, self.number()
        if connection.waiting:
            heapq.heappush(self.events, (*connection.clear, self.send, connection))
        return self._cross(now_s, part)

    def _await(self, connection: _Connection) -> None:
        """Look at it again with the next acknowledgement, which may not be known yet."""
        acknowledged = connection.acknowledged
        connection.stuck = not acknowledged
        if acknowledged:
            heapq.heappush(self.events, (*acknowledged[0], self.send, connection))

    def _cross(self, now_s: float, part: _Part) -> _Event | None:
        """A part's first frame has come to the next wire; it may have to wait for others there."""
        wire, busy_s, frame_s, onward_s, others = part.crossings
        free_s = self.free_s
        over_s = free_s[wire]
        start_s = now_s if over_s < now_s else over_s
        free_s[wire] = over_s = start_s + busy_s
        last_s = part.last_s + frame_s
        part.last_s = (over_s if last_s < over_s else last_s) + onward_s
        if others:
            part.crossings = others
            return start_s + frame_s + onward_s, now_s, self.number(), self.cross, part
        self._come(now_s, part)
        return None

    def _come(self, now_s: float, part: _Part) -> None:
        """It is known when all of a part is there; its acknowledgement meets nobody."""
        connection = part.connection
        arrived_s = connection.arrived_s = max(part.last_s, connection.arrived_s)
        if part.receiver is not None:
            self._at(arrived_s, now_s, self._unlock, part.receiver)
        back_s = arrived_s + connection.back_s
        connection.acknowledged.append((back_s, arrived_s, self.number()))
        if connection.stuck:
            self._await(connection)


def _connections(tolls: Tolls, divided: Mapping[Message, Divided]) -> list[_Connection]:
    """Each with a window of TCP's first packets, of what fills its way, or of some of its own parts: the largest."""
    part_bytes: Counter[int] = Counter()
    for (connection, _), message in divided.items():
        part_bytes[connection] = max(part_bytes[connection], message.size_bytes)
    first_bytes = FIRST_WINDOW_PACKETS * tolls.wires.framing.payload_bytes
    found = []
    for number, route in enumerate(tolls.routes):
        back_s = sum(hop.onward_s for hop in route)
        own_bytes = LEAST_PARTS * part_bytes[number]
        filling_bytes = 2 * back_s / max(hop.s_per_byte for hop in route)
        found.append(_Connection(max(first_bytes, filling_bytes + own_bytes), back_s))
    return found
