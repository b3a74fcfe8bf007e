"""The critical path: the chain of compute, sending, wire and waiting that an iteration's time is made of.

In: a run. Out: its links, each from one nanosecond to another, without a gap and without overlap: those of an
iteration sum to its duration exactly. It is walked backwards, from the last event of the run.

At each step the walk asks what the event could not have ended without. A message: its sender, if the sender was
the later of the two; else the receiver, who came to it last. A task or an operation: what ended when it became ready.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from analysis.findings.stalls import iterations
from analysis.form.training import CriticalPath, LinkKind, Passage
from analysis.run import Run
from analysis.tables import KINDS, NS

LINKS: tuple[LinkKind, ...] = ("compute", "send", "wire", "wait")
"""Kinds of link. `send`: queued at the sender behind its own earlier message. `wire`: from the first byte
handed to TCP to the last byte received. `wait`: ready, and nothing recorded that it waited for."""

COLLECTIVE, COMPUTE, RECV, SEND = range(len(KINDS))
_SCHEMA = pl.Schema(
    {
        "iteration": pl.Int32(),
        "kind": pl.Enum(LINKS),
        "rank": pl.Int32(),
        "peer": pl.Int32(),
        "begin_ns": pl.Int64(),
        "end_ns": pl.Int64(),
    }
)
MOST_ITERATIONS = 1000
"""A walk over more would take longer than the rest of the analysis."""

_TASKS = 2**15
"""More than there are tasks in an iteration: they are numbered in 16 bits."""
Column = npt.NDArray[Any]


@dataclass(frozen=True)
class PathStep:
    """A stretch of the path on `rank`; for `wire` and `send`, `peer` is the other side, else −1."""

    kind: str
    rank: int
    peer: int
    begin_ns: int
    end_ns: int


Step = tuple[tuple[PathStep, ...], int | None]


def critical_path(run: Run, most: int = MOST_ITERATIONS) -> pl.DataFrame:
    """The path of each measured iteration: rows of iteration, kind, rank, peer, begin_ns, end_ns.

    For `wire`, `rank` is the receiver and `peer` the sender. A link that spans the end of an iteration
    is cut there. Of a run with more than `most` iterations, the path of the last so many.
    """
    shown = iterations(run).tail(most)
    windows = [(int(b), int(e), int(n)) for n, b, e, _ in shown.iter_rows()]
    events = run.measured.filter(pl.col("iteration") >= windows[0][2])
    rows = list(_cut(_Walk(events).links(), windows))
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row").sort("begin_ns")


def described(run: Run) -> CriticalPath:
    """The path in figures, means per iteration: by kind of link, and where it ran."""
    path = critical_path(run)
    seconds = by_kind(path)
    return CriticalPath(
        iterations=path["iteration"].n_unique(),
        compute_s=seconds["compute"],
        send_s=seconds["send"],
        wire_s=seconds["wire"],
        wait_s=seconds["wait"],
        through=through(run, path),
    )


def by_kind(path: pl.DataFrame) -> dict[LinkKind, float]:
    """Mean seconds per iteration of each kind of link."""
    count = path["iteration"].n_unique()
    length = (pl.col("end_ns") - pl.col("begin_ns")).sum()
    sums = dict(path.group_by("kind").agg(length).iter_rows())
    return {kind: sums.get(kind, 0) * NS / count for kind in LINKS}


def through(run: Run, path: pl.DataFrame, top: int = 8) -> list[Passage]:
    """Where the path ran: compute by host, the rest by campuses; mean seconds per iteration, most first."""
    count = path["iteration"].n_unique()
    name = dict(run.ranks.select("rank", "name").iter_rows())
    campus = dict(run.ranks.select("rank", "campus").iter_rows())
    sums: dict[tuple[LinkKind, str], int] = {}
    for kind, rank, peer, begin_ns, end_ns in path.select(_SCHEMA.names()[1:]).iter_rows():
        crossing = f"{campus.get(peer)} → {campus[rank]}"
        key = (kind, name[rank] if kind in {"compute", "wait"} else crossing)
        sums[key] = sums.get(key, 0) + end_ns - begin_ns
    ordered = sorted(sums.items(), key=lambda one: (-one[1], one[0]))
    return [Passage(kind, place, ns * NS / count) for (kind, place), ns in ordered[:top]]


def _cut(
    links: Iterator[PathStep], windows: list[tuple[int, int, int]]
) -> Iterator[tuple[int, str, int, int, int, int]]:
    """The links, last first, cut at the edges of iterations; what is before the first is dropped."""
    index = len(windows) - 1
    for link in links:
        end = link.end_ns
        while index >= 0 and end > link.begin_ns:
            window_begin, _, number = windows[index]
            begin = max(link.begin_ns, window_begin)
            if end > begin:
                yield number, link.kind, link.rank, link.peer, begin, end
            if link.begin_ns >= window_begin:
                break
            end, index = window_begin, index - 1
        if index < 0:
            return


class _Walk:
    """Walks the events backwards. Rows are numbered as in the table, in canonical order."""

    def __init__(self, events: pl.DataFrame) -> None:
        self.kind: Column = events["kind"].to_physical().to_numpy()
        columns = ("rank", "iteration", "task", "peer", "ready_ns", "start_ns", "end_ns")
        self.rank, self.iteration, self.task, self.peer, self.ready, self.start, self.end = (
            events[name].to_numpy() for name in columns
        )
        self.sent_by, self.before = _matched(self)
        inside = np.flatnonzero(self.kind > COMPUTE)
        order = np.lexsort((self.kind[inside] == RECV, self.end[inside]))
        part = self.part()
        self.operations = _Groups(inside[order], part)
        entries = np.flatnonzero(self.kind == COLLECTIVE)
        self.entries = _Groups(entries, self.iteration.astype(np.int64) * _TASKS + self.task)
        self.own_entry = _Groups(entries, part)
        self.done = self._done(entries, inside, part)
        tasks = np.flatnonzero(self.kind <= COMPUTE)
        self.tasks = _Groups(tasks[np.argsort(self.done[tasks], kind="stable")], self.rank)
        self.seen: set[int] = set()

    def _done(self, entries: Column, inside: Column, part: Column) -> Column:
        """When each event's rank was done with it: a sender is, once it has handed over its last byte, whenever
        the message arrives."""
        _, number = np.unique(part, return_inverse=True)
        last = np.zeros(int(number.max(initial=0)) + 1, dtype=np.int64)
        np.maximum.at(last, number[inside], self.end[inside])
        done: Column = self.end.copy()
        own = last[number[entries]]
        done[entries] = np.where(own > 0, np.minimum(own, self.end[entries]), self.end[entries])
        return done

    def part(self) -> Column:
        """A number for each rank's part in each collective."""
        rounds = int(self.iteration.max(initial=0)) + 1
        key: Column = (self.rank.astype(np.int64) * rounds + self.iteration) * _TASKS + self.task
        return key

    def links(self) -> Iterator[PathStep]:
        """The path from the last event's end to the first's begin, last link first."""
        rows = self.tasks.rows
        row: int | None = int(rows[np.lexsort((self.done[rows], self.end[rows]))[-1]])
        at = int(self.end[row])
        while row is not None:
            if at > self.end[row]:
                yield self._wait(row, int(self.end[row]), at)
                at = int(self.end[row])
            made, row = self._step(row)
            for link in made:
                if link.begin_ns < at:
                    yield replace(link, end_ns=at)
                    at = link.begin_ns

    def _step(self, row: int) -> Step:
        """The links that end with an event, last first, and the event that they lead to."""
        kind = int(self.kind[row])
        self.seen.add(row)
        if kind == COMPUTE:
            return self._compute(row)
        if kind == COLLECTIVE:
            return self._collective(row)
        return self._received(row) if kind == RECV else self._sent(row)

    def _compute(self, row: int) -> Step:
        rank, start, ready = int(self.rank[row]), int(self.start[row]), int(self.ready[row])
        computing = PathStep("compute", rank, -1, start, int(self.end[row]))
        return (computing, self._wait(row, ready, start)), self._task_before(row, ready)

    def _collective(self, row: int) -> Step:
        """From its end into what ended last in it; without messages, to the last rank to enter."""
        inside = self._last_operation(row, int(self.end[row]))
        if inside is not None:
            return (), inside
        rows = self.entries.of(row)
        rows = rows[self.start[rows] <= self.end[row]]
        last = int(rows[np.argmax(self.start[rows])])
        begin_ns, end_ns = int(self.start[last]), int(self.end[row])
        links, before = self._entry(last)
        wire = PathStep("wire", int(self.rank[row]), int(self.rank[last]), begin_ns, end_ns)
        return (wire, *links), before

    def _entry(self, row: int) -> Step:
        """From a rank's entry into a collective to the task before it."""
        ready = int(self.ready[row])
        return (self._wait(row, ready, int(self.start[row])),), self._task_before(row, ready)

    def _received(self, row: int) -> Step:
        """On the wire since both sides were ready: to the sender, or to what kept the receiver."""
        send, before = int(self.sent_by[row]), int(self.before[row])
        ready = int(self.ready[row])
        free = int(self.end[before]) if before >= 0 else ready
        sent = int(self.start[send]) if send >= 0 else ready
        if send >= 0 and sent >= max(ready, free):
            return (self._wire(row, sent),), send
        if free > ready and before not in self.seen:
            return (self._wire(row, free),), before
        links, following = self._operation_ready(row)
        return (self._wire(row, ready), *links), following

    def _sent(self, row: int) -> Step:
        """Queued from when it was ready to its first byte."""
        rank, peer = int(self.rank[row]), int(self.peer[row])
        queued = PathStep("send", rank, peer, int(self.ready[row]), int(self.start[row]))
        links, following = self._operation_ready(row)
        return (queued, *links), following

    def _wire(self, row: int, begin_ns: int) -> PathStep:
        end_ns = int(self.end[row])
        return PathStep(
            "wire", int(self.rank[row]), int(self.peer[row]), min(begin_ns, end_ns), end_ns
        )

    def _wait(self, row: int, begin_ns: int, end_ns: int) -> PathStep:
        return PathStep("wait", int(self.rank[row]), -1, begin_ns, end_ns)

    def _operation_ready(self, row: int) -> Step:
        """What made an operation ready: another of the same collective, else the entry into it."""
        ready = int(self.ready[row])
        entry = self._entered(row)
        before = self._last_operation(row, ready)
        if before is not None and (entry is None or self.end[before] > self.start[entry]):
            return (), before
        if entry is None:
            return (), self._task_before(row, ready)
        links, following = self._entry(entry)
        return (self._wait(row, int(self.start[entry]), ready), *links), following

    def _last_operation(self, row: int, limit: int) -> int | None:
        """What ended last in this rank's collective, by `limit`; of equals, a receive."""
        return self._last(self.operations.of(row), self.end, limit)

    def _last(self, rows: Column, ends: Column, limit: int) -> int | None:
        """Of rows in the order of `ends`, the last by `limit` that the path has not been through."""
        place = int(np.searchsorted(ends[rows], limit, side="right"))
        while place > 0 and int(rows[place - 1]) in self.seen:
            place -= 1
        return int(rows[place - 1]) if place else None

    def _entered(self, row: int) -> int | None:
        """This rank's entry into the collective of an operation."""
        found = self.own_entry.of(row)
        return int(found[0]) if len(found) else None

    def _task_before(self, row: int, limit: int) -> int | None:
        """The task of this rank that it was done with last, by `limit`, other than the event's own and than
        those that the path has been through."""
        own = self._entered(row) if self.kind[row] > COMPUTE else row
        rows = self.tasks.of(row)
        return self._last(rows[rows != own] if own is not None else rows, self.done, limit)


class _Groups:
    """Rows by a key, found at once: the rows of a rank, of a rank's part in a collective."""

    def __init__(self, rows: Column, key: Column) -> None:
        self.key = key
        order = np.argsort(key[rows], kind="stable")
        self.rows = rows[order]
        self.keys = key[self.rows]

    def of(self, row: int) -> Column:
        """The rows with the key of this one."""
        first, last = np.searchsorted(self.keys, [self.key[row], self.key[row] + 1])
        return self.rows[first:last]


def _matched(walk: _Walk) -> tuple[Column, Column]:
    """For each receive: the send that it takes, and the receive before it on its stream; else −1.

    The n-th send from one rank to another meets the n-th receive there, within a collective.
    """
    sent_by = np.full(len(walk.kind), -1, dtype=np.int64)
    before = sent_by.copy()
    sends, send_keys = _streams(walk, SEND)
    receives, receive_keys = _streams(walk, RECV)
    if np.array_equal(send_keys, receive_keys):
        sent_by[receives] = sends
    follows = receive_keys[1:] == receive_keys[:-1]
    before[receives[1:][follows]] = receives[:-1][follows]
    return sent_by, before


def _streams(walk: _Walk, kind: int) -> tuple[Column, Column]:
    """Rows of sends or receives, ordered by stream and then as in the table, and their streams."""
    rows = np.flatnonzero(walk.kind == kind)
    ranks = int(max(walk.rank.max(initial=0), walk.peer.max(initial=0))) + 1
    here, there = walk.rank[rows].astype(np.int64), walk.peer[rows].astype(np.int64)
    src, dst = (here, there) if kind == SEND else (there, here)
    collective = walk.iteration[rows].astype(np.int64) * _TASKS + walk.task[rows]
    keys = (collective * ranks + src) * ranks + dst
    order = np.argsort(keys, kind="stable")
    return rows[order], keys[order]
