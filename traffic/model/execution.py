"""Runs a course against the model, earliest event first: operations that may begin, first frames that come to a wire.

Messages cross each wire in the order in which they come to it, every wire while the one before still sends the rest.
`Execution.order` is the order in which all that happened; `traffic.model.together` goes through it for many fabrics.
`Alone` ends where a message would wait for another connection's: then `traffic.model.sharing` says more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from heapq import heappop, heappush

from scenario.errors import LonghaulError
from traffic.model.course import Course, Tolls


class Competing(LonghaulError):
    """A message would have to wait for one of another connection."""


class Execution:
    """One course on one fabric, its ranks beginning at `starts_s`; `pauses_s` are in place of the course's own.

    An event is an operation's number; with `course.size` added, the message that it sends, come to its next wire.
    """

    def __init__(
        self,
        course: Course,
        tolls: Tolls,
        starts_s: Sequence[float],
        pauses_s: Sequence[float] | None = None,
    ) -> None:
        self.course = course
        self.pauses_s = course.pauses_s if pauses_s is None else pauses_s
        self.tolls = tolls
        self.crossings = tolls.crossings
        self.left = list(course.waits)
        self.ready_s = [starts_s[rank] for rank in course.ranks]
        self.free_s = [0.0] * len(tolls.numbers)
        self.user = [-1] * len(tolls.numbers)
        self.hop = [0] * course.size
        self.last_s = [0.0] * course.size
        self.clear_s = [-math.inf] * len(tolls.routes)
        self.events: list[tuple[float, int, int]] = []
        self.order: list[int] = []
        self.count = 0
        for op, waits in enumerate(course.waits):
            if not waits:
                self._at(self.ready_s[op] + self.pauses_s[op], op)

    def run(self) -> list[float]:
        """The time at which each rank is done. Raises ValueError where operations wait for each other."""
        size, ranks, unlocks = self.course.size, self.course.ranks, self.course.unlocks
        done_s = [0.0] * self.course.width
        done = 0
        events, order = self.events, self.order
        while events:
            now_s, _, event = heappop(events)
            order.append(event)
            if event >= size:
                self._cross(now_s, event - size)
                continue
            done_s[ranks[event]] = now_s
            done += 1
            if self.crossings[event]:
                self._set_out(now_s, event)
            self._unlock(unlocks[event], now_s)
        if done < size:
            raise ValueError(f"{size - done} operations wait for each other")
        return done_s

    def begun_s(self, op: int) -> float:
        """When an operation began, once all have."""
        return self.ready_s[op] + self.pauses_s[op]

    def _at(self, when_s: float, event: int) -> None:
        self.count += 1
        heappush(self.events, (when_s, self.count, event))

    def _set_out(self, now_s: float, op: int) -> None:
        """A message comes to its first wire, perhaps later if its connection is paced, and its last packet after it."""
        sent = self.course.sent[op]
        assert sent is not None
        begin_s = self.last_s[op] = now_s
        departure = self.tolls.departure(sent.connection, sent.size_bytes)
        if departure:
            clear_s = self.clear_s[sent.connection]
            begin_s = max(now_s, clear_s)
            self.last_s[op], self.clear_s[sent.connection] = departure.out_s(begin_s, clear_s)
        if begin_s > now_s:
            self._at(begin_s, op + self.course.size)
        else:
            self._cross(now_s, op)

    def _cross(self, now_s: float, op: int) -> None:
        """A message's first frame has come to the next wire; it may have to wait for others there."""
        way, place = self.crossings[op], self.hop[op]
        wire, busy_s, frame_s, onward_s = way[place]
        sent = self.course.sent[op]
        assert sent is not None
        start_s = now_s
        if start_s < self.free_s[wire]:
            start_s = self.free_s[wire]
            if self.user[wire] != sent.connection:
                self._compete()
        self.user[wire] = sent.connection
        self.free_s[wire] = start_s + busy_s
        self.last_s[op] = max(start_s + busy_s, self.last_s[op] + frame_s) + onward_s
        self.hop[op] = place + 1
        if place + 1 < len(way):
            self._at(start_s + frame_s + onward_s, op + self.course.size)
        else:
            self._unlock((sent.receiver,), self.last_s[op])

    def _compete(self) -> None:
        """A message waits for another connection's, as a whole."""

    def _unlock(self, ops: Sequence[int], when_s: float) -> None:
        """What they wait for is done; those that wait for nothing else begin, perhaps once some time has passed."""
        left, ready_s = self.left, self.ready_s
        for op in ops:
            left[op] -= 1
            if ready_s[op] < when_s:  # noqa: PLR1730 (where most time goes: max() takes twice as long)
                ready_s[op] = when_s
            if not left[op]:
                self._at(ready_s[op] + self.pauses_s[op], op)


class Alone(Execution):
    """An execution in which no message waits for another connection's: `run` raises Competing where one would."""

    def _compete(self) -> None:
        raise Competing
