"""Runs a course whose messages compete for wires: those of several connections share a wire as their packets come.

`traffic.model.execution` has whole messages follow each other. Here a message sets out in parts, as TCP sends it: each
at its sender's pace, and no more under way than its connection's window. Parts cross wires in the order in which they
come. So what fits the first window is served as it came, and of larger messages each connection gets an equal share,
without either being said. Nothing is lost: a queue holds whatever comes.

Of TCP alone: what DCQCN makes of queue pairs that compete is not this (docs/collectives.md has both, measured).
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from traffic.model.course import Course, Crossing, SentMessage, Tolls
from traffic.model.execution import Execution

FIRST_WINDOW_PACKETS = 10
"""Linux's, TCP_INIT_CWND [RFC 6928]."""
LEAST_PARTS = 4
"""Of a message that fit a window, however large it is: windows grow with what is to be sent."""
MOST_PARTS = 32
"""Of a message."""
MOST_CROSSINGS = 100_000
"""Of wires by parts, in all: messages have fewer parts where there are many."""
Crossings: TypeAlias = tuple[Crossing, ...]
Message: TypeAlias = tuple[int, int]
"""By its connection's number and its bytes."""


def ends_s(
    course: Course,
    tolls: Tolls,
    starts_s: Sequence[float],
    pauses_s: Sequence[float] | None = None,
) -> list[float]:
    """The time at which each rank is done: that of whole messages, unless some compete.

    Raises ValueError where operations wait for each other.
    """
    whole = Execution(course, tolls, starts_s, pauses_s)
    found_s = whole.run()
    if not whole.competed or not tolls.wires.windowed:
        return found_s
    divided = _divided(course, tolls)
    if not divided:
        return found_s
    return _Sharing(course, tolls, starts_s, pauses_s, divided).run()


@dataclass(frozen=True)
class _Divided:
    """A message in `count` parts, all of `size_bytes` but the last: what either costs at each hop."""

    count: int
    size_bytes: int
    last_bytes: int
    crossings: Crossings
    last: Crossings

    def parts(self, sent: SentMessage) -> Iterator[_Part]:
        """Those of a message; with the last one its receiver has it."""
        for _ in range(self.count - 1):
            yield _Part(sent.connection, self.size_bytes, self.crossings, None)
        yield _Part(sent.connection, self.last_bytes, self.last, sent.receiver)


class _Part:
    """What is under way of a message."""

    __slots__ = ("connection", "crossings", "last_s", "place", "receiver", "size_bytes")

    def __init__(
        self, connection: int, size_bytes: int, crossings: Crossings, receiver: int | None
    ) -> None:
        self.connection = connection
        self.size_bytes = size_bytes
        self.crossings = crossings
        self.receiver = receiver
        self.place = 0
        self.last_s = 0.0


class _Connection:
    """Parts that wait to be sent, and how much is under way of at most `window_bytes`."""

    def __init__(self, window_bytes: float, back_s: float) -> None:
        self.waiting: deque[_Part] = deque()
        self.window_bytes = window_bytes
        self.back_s = back_s
        self.out_bytes = 0
        self.paced = False


class _Sharing:
    """One course on one fabric. An event is a function that is called when its time has come, with what it is of."""

    def __init__(
        self,
        course: Course,
        tolls: Tolls,
        starts_s: Sequence[float],
        pauses_s: Sequence[float] | None,
        divided: Mapping[Message, _Divided],
    ) -> None:
        self.course = course
        self.divided = divided
        self.pauses_s = course.pauses_s if pauses_s is None else pauses_s
        self.left = list(course.waits)
        self.ready_s = [starts_s[rank] for rank in course.ranks]
        self.done_s = [0.0] * course.width
        self.free_s = [0.0] * len(tolls.numbers)
        self.connections = _connections(tolls, divided)
        self.events: list[tuple[float, int, Callable[..., None], object]] = []
        self.count = 0
        for op, waits in enumerate(course.waits):
            if not waits:
                self._ready(op)

    def run(self) -> list[float]:
        """The time at which each rank is done."""
        events = self.events
        while events:
            now_s, _, happen, what = heapq.heappop(events)
            happen(now_s, what)
        return self.done_s

    def _at(self, when_s: float, happen: Callable[..., None], what: object) -> None:
        self.count += 1
        heapq.heappush(self.events, (when_s, self.count, happen, what))

    def _ready(self, op: int) -> None:
        """It waits for nothing any more, but perhaps for time to pass."""
        self._at(self.ready_s[op] + self.pauses_s[op], self._begin, op)

    def _begin(self, now_s: float, op: int) -> None:
        rank, sent = self.course.ranks[op], self.course.sent[op]
        self.done_s[rank] = max(self.done_s[rank], now_s)
        if sent is not None:
            connection = self.connections[sent.connection]
            connection.waiting += self.divided[sent.connection, sent.size_bytes].parts(sent)
            self._send(now_s, connection)
        for other in self.course.unlocks[op]:
            self._unlock(other, now_s)

    def _unlock(self, op: int, when_s: float) -> None:
        self.left[op] -= 1
        self.ready_s[op] = max(self.ready_s[op], when_s)
        if not self.left[op]:
            self._ready(op)

    def _send(self, now_s: float, connection: _Connection) -> None:
        """The next part, if pace and window let it out."""
        if connection.paced or not connection.waiting:
            return
        part = connection.waiting[0]
        out_bytes = connection.out_bytes + part.size_bytes
        if connection.out_bytes and out_bytes > connection.window_bytes:
            return
        connection.waiting.popleft()
        connection.out_bytes = out_bytes
        connection.paced = True
        part.last_s = now_s
        self._at(now_s + part.crossings[0][1], self._pace, connection)
        self._cross(now_s, part)

    def _pace(self, now_s: float, connection: _Connection) -> None:
        connection.paced = False
        self._send(now_s, connection)

    def _cross(self, now_s: float, part: _Part) -> None:
        """A part's first frame has come to the next wire; it may have to wait for others there."""
        wire, busy_s, frame_s, onward_s = part.crossings[part.place]
        start_s = max(now_s, self.free_s[wire])
        self.free_s[wire] = start_s + busy_s
        part.last_s = max(start_s + busy_s, part.last_s + frame_s) + onward_s
        part.place += 1
        if part.place < len(part.crossings):
            self._at(start_s + frame_s + onward_s, self._cross, part)
        else:
            self._at(part.last_s, self._come, part)

    def _come(self, now_s: float, part: _Part) -> None:
        """All of a part is there; its acknowledgement meets nobody."""
        if part.receiver is not None:
            self._unlock(part.receiver, now_s)
        connection = self.connections[part.connection]
        self._at(now_s + connection.back_s, self._acknowledge, part)

    def _acknowledge(self, now_s: float, part: _Part) -> None:
        connection = self.connections[part.connection]
        connection.out_bytes -= part.size_bytes
        self._send(now_s, connection)


def _divided(course: Course, tolls: Tolls) -> dict[Message, _Divided]:
    """Every message of a course in as many parts as there may be; nothing where that is one."""
    messages = Counter(
        (sent.connection, sent.size_bytes) for sent in course.sent if sent is not None
    )
    most = MOST_PARTS
    while most > 1:
        found = {message: _cut(tolls, message, most) for message in messages}
        crossings = sum(
            times * found[message].count * len(tolls.routes[message[0]])
            for message, times in messages.items()
        )
        if crossings <= MOST_CROSSINGS:
            return found
        most //= 2
    return {}


def _cut(tolls: Tolls, message: Message, most: int) -> _Divided:
    """A message in at most so many parts of whole packets."""
    connection, size_bytes = message
    payload_bytes = tolls.wires.framing.payload_bytes
    packets = max(1, -(-size_bytes // payload_bytes))
    part_bytes = -(-packets // most) * payload_bytes
    count = max(1, -(-size_bytes // part_bytes))
    last_bytes = size_bytes - (count - 1) * part_bytes
    return _Divided(
        count,
        min(part_bytes, size_bytes),
        last_bytes,
        tolls.cost(connection, min(part_bytes, size_bytes)),
        tolls.cost(connection, last_bytes),
    )


def _connections(tolls: Tolls, divided: Mapping[Message, _Divided]) -> list[_Connection]:
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
