"""Carries a schedule out in memory, to see what it does before any host is asked to."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from traffic.collectives.results import Results
from traffic.schedule import ELEMENT_BYTES, Result, Schedule, buffer_bytes, matches

Numbers = npt.NDArray[np.uint64]
At = tuple[int, int]


def complaints(schedule: Schedule, results: Results) -> Iterator[str]:
    """What a schedule leaves undone, a line for each rank that has not what it must have.

    Raises ValueError where ranks would wait for each other for ever.
    """
    ends = [x.offset + x.size for own in results for x in own]
    starts = [x.source + x.size for own in results for x in own]
    count = max([buffer_bytes(schedule), *ends, *starts]) // ELEMENT_BYTES
    before = np.random.default_rng(1).integers(2**63, size=(len(schedule), count), dtype=np.uint64)
    after = replayed(schedule, before)
    for rank, own in enumerate(results):
        for result in own:
            if not np.array_equal(
                _part(after[rank], result.offset, result.size), _due(before, result)
            ):
                who = (
                    f"of rank {result.of[0]}" if len(result.of) == 1 else f"of all {len(result.of)}"
                )
                yield (
                    f"rank {rank} does not end with the bytes {who} at"
                    f" {result.offset} to {result.offset + result.size}"
                )


def replayed(schedule: Schedule, buffers: Numbers) -> Numbers:
    """The ranks' buffers afterwards: 64-bit numbers, that wrap round."""
    return _Execution(schedule, buffers.copy()).run()


class _Execution:
    """Operations in any order that their dependencies allow: with the right ones all orders are equal."""

    def __init__(self, schedule: Schedule, buffers: Numbers) -> None:
        self.schedule = schedule
        self.buffers = buffers
        self.receivers = matches(schedule)
        self.arrived: dict[At, Numbers] = {}
        self.left: dict[At, int] = {}
        self.unlocks: dict[At, list[At]] = {}
        for rank, ops in enumerate(schedule):
            for index, op in enumerate(ops):
                self.left[rank, index] = len(op.after) + (op.kind != "send")
                for other in op.after:
                    self.unlocks.setdefault((rank, other), []).append((rank, index))
        self.free = deque(at for at, left in self.left.items() if not left)

    def run(self) -> Numbers:
        """The buffers at the end."""
        done = 0
        while self.free:
            self._carry_out(self.free.popleft())
            done += 1
        if done < len(self.left):
            raise ValueError(f"{len(self.left) - done} operations wait for each other")
        return self.buffers

    def _carry_out(self, at: At) -> None:
        op = self.schedule[at[0]][at[1]]
        part = _part(self.buffers[at[0]], op.offset, op.size)
        if op.kind == "send":
            there = self.receivers[at]
            self.arrived[there] = part.copy()
            self._unlock(there)
        elif op.kind == "copy":
            part[:] = self.arrived.pop(at)
        else:
            part += self.arrived.pop(at)
        for other in self.unlocks.get(at, ()):
            self._unlock(other)

    def _unlock(self, at: At) -> None:
        self.left[at] -= 1
        if not self.left[at]:
            self.free.append(at)


def _part(numbers: Numbers, offset: int, size: int) -> Numbers:
    return numbers[offset // ELEMENT_BYTES : (offset + size) // ELEMENT_BYTES]


def _due(before: Numbers, result: Result) -> Numbers:
    ranks = list(result.of)
    first = result.source // ELEMENT_BYTES
    due: Numbers = before[ranks, first : first + result.size // ELEMENT_BYTES].sum(
        axis=0, dtype=np.uint64
    )
    return due
