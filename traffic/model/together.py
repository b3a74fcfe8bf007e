"""The same course on many fabrics at once: what the model says of each, to the last bit as `sharing.ends_s` has it.

One fabric is run event by event. Its order of events is then gone through for all of them, a number per fabric. That
is right where messages come to every shared wire in the same order, and none waits there for another connection's; a
fabric where it is not so is run by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from traffic.model import sharing, windows
from traffic.model.course import Course, Crossing, Tolls
from traffic.model.execution import Alone, Competing, Execution
from traffic.model.pacing import counted

Numbers: TypeAlias = npt.NDArray[np.float64]
"""One for each fabric."""
Stacked: TypeAlias = tuple[int, Numbers, Numbers, Numbers]
"""A crossing of a message on every fabric."""


def ends_together(
    course: Course, pauses_s: Numbers, costs: Sequence[Tolls], starts_s: Numbers
) -> Numbers:
    """When each rank is done on each fabric: rows of ranks, a column per fabric, as `starts_s` has them. `pauses_s` are
    rows of operations. All fabrics have the same ways. Raises ValueError where operations wait for each other."""
    if len(costs) == 1:
        alone_s = sharing.ends_s(course, costs[0], starts_s[:, 0].tolist(), pauses_s[:, 0].tolist())
        return np.array(alone_s).reshape(-1, 1)
    first = Alone(course, costs[0], starts_s[:, 0].tolist(), pauses_s[:, 0].tolist())
    ends_s, same = np.zeros_like(starts_s), np.zeros(len(costs), dtype=bool)
    with suppress(Competing):
        first.run()
        ends_s, same = _Together(course, pauses_s, costs, starts_s).run(first.order)
    for column in np.flatnonzero(~same):
        own_s = starts_s[:, column].tolist(), pauses_s[:, column].tolist()
        ends_s[:, column] = sharing.ends_s(course, costs[int(column)], *own_s)
    return ends_s


def paced_together(
    course: Course, pauses_s: Numbers, costs: Sequence[Tolls], starts_s: Numbers
) -> list[Tolls]:
    """The costs as `windows.paced` has each."""
    found = list(costs)
    places = [place for place, cost in enumerate(costs) if windows.slow(cost)]
    if not places:
        return found
    chosen, pauses_s, starts_s = (
        [costs[place] for place in places],
        pauses_s[:, places],
        starts_s[:, places],
    )
    first = Execution(course, chosen[0], starts_s[:, 0].tolist(), pauses_s[:, 0].tolist())
    first.run()
    run = _Together(course, pauses_s, chosen, starts_s)
    _, same = run.run(first.order)
    for column, place in enumerate(places):
        if same[column]:
            found[place] = run.grown(column, costs[place])
        else:
            own_s = starts_s[:, column].tolist(), pauses_s[:, column].tolist()
            found[place] = windows.paced(course, costs[place], *own_s)
    return found


class _Together:
    """Goes through an order of events with a number per fabric."""

    def __init__(
        self, course: Course, pauses_s: Numbers, costs: Sequence[Tolls], starts_s: Numbers
    ) -> None:
        self.course = course
        self.pauses_s = pauses_s
        self.ready_s = [starts_s[rank] for rank in course.ranks]
        self.ways = _stacked(costs)
        self.starts_s = starts_s
        self.same = np.ones(starts_s.shape[1], dtype=bool)
        self.free_s: dict[int, Numbers] = {}
        self.users: dict[int, int] = {}
        self.frame_at: dict[int, Numbers] = {}
        self.last_s: dict[int, Numbers] = {}
        self.hop = [0] * course.size
        self.packet_bytes = costs[0].wires.framing.payload_bytes
        self.paces = _stacked_paces(costs)
        self.clear_s = {own: np.full(len(costs), -np.inf) for own in self.paces}

    def run(self, order: Sequence[int]) -> tuple[Numbers, npt.NDArray[np.bool_]]:
        """When each rank is done, and the fabrics for which that is right."""
        size, ranks = self.course.size, self.course.ranks
        done_s = np.zeros_like(self.starts_s)
        for event in order:
            if event >= size:
                self._cross(self.frame_at.pop(event - size), event - size)
                continue
            now_s = self.ready_s[event] + self.pauses_s[event]
            np.maximum(done_s[ranks[event]], now_s, out=done_s[ranks[event]])
            if self.course.sent[event]:
                self._set_out(now_s, event)
            for other in self.course.unlocks[event]:
                self.ready_s[other] = np.maximum(self.ready_s[other], now_s)
        return done_s, self.same

    def grown(self, column: int, tolls: Tolls) -> Tolls:
        """Of one fabric with paces, after this run without any."""
        return windows.grown(
            self.course,
            tolls,
            lambda op: float(self.ready_s[op][column] + self.pauses_s[op, column]),
            lambda op: float(self.last_s[op][column]),
        )

    def _set_out(self, now_s: Numbers, op: int) -> None:
        """As `Execution` has it, on the first fabric at once or later."""
        sent = self.course.sent[op]
        assert sent is not None
        begin_s = self.last_s[op] = now_s
        if sent.connection in self.paces:
            own_bytes = counted(sent.size_bytes, self.packet_bytes)
            last_s, whole_s, most_s = (self.paces[sent.connection] * own for own in own_bytes)
            clear_s = self.clear_s[sent.connection]
            begin_s = np.maximum(now_s, clear_s)
            forgiven_s = np.minimum(most_s, begin_s - clear_s)
            self.last_s[op] = begin_s + np.maximum(0.0, last_s - forgiven_s)
            self.clear_s[sent.connection] = begin_s + (whole_s - forgiven_s)
        if begin_s[0] > now_s[0]:
            self.frame_at[op] = begin_s
        else:
            self._cross(begin_s, op)

    def _cross(self, now_s: Numbers, op: int) -> None:
        sent = self.course.sent[op]
        assert sent is not None
        way = self.ways[sent.connection, sent.size_bytes]
        wire, busy_s, frame_s, onward_s = way[self.hop[op]]
        self._check_alone(wire, sent.connection, now_s)
        free_s = self.free_s.get(wire)
        start_s = now_s if free_s is None else np.maximum(now_s, free_s)
        self.free_s[wire] = start_s + busy_s
        last_s = np.maximum(self.free_s[wire], self.last_s[op] + frame_s) + onward_s
        self.last_s[op] = last_s
        self.hop[op] += 1
        if self.hop[op] < len(way):
            self.frame_at[op] = start_s + frame_s + onward_s
        else:
            receiver = sent.receiver
            self.ready_s[receiver] = np.maximum(self.ready_s[receiver], last_s)

    def _check_alone(self, wire: int, connection: int, now_s: Numbers) -> None:
        """Messages of one connection follow each other anyhow; of two, a later one must find the wire free."""
        before = self.users.get(wire)
        if before is not None and before != connection:
            self.same &= now_s >= self.free_s[wire]
        self.users[wire] = connection


def _stacked(costs: Sequence[Tolls]) -> dict[tuple[int, int], list[Stacked]]:
    """By connection and size: of every crossing the wire, and a number per fabric of what it takes."""
    found: dict[tuple[int, int], list[Stacked]] = {}
    for key, first in costs[0].known.items():
        rows = [cost.known[key] for cost in costs]
        found[key] = [_crossing([row[place] for row in rows]) for place in range(len(first))]
    return found


def _stacked_paces(costs: Sequence[Tolls]) -> dict[int, Numbers]:
    """Of connections that are paced on some fabric; on others their seconds per byte are 0."""
    numbers = sorted({number for cost in costs for number in cost.paces})
    return {number: np.array([cost.paces.get(number, 0.0) for cost in costs]) for number in numbers}


def _crossing(rows: Sequence[Crossing]) -> Stacked:
    wires, busy_s, frame_s, onward_s = zip(*rows, strict=True)
    return wires[0], np.array(busy_s), np.array(frame_s), np.array(onward_s)
