"""A second, slow reader of schedules: it moves numbers between lists, in an order drawn by lot."""

import random
from collections import deque

from traffic.schedule import ELEMENT_BYTES, Op, Schedule, buffer_bytes

Buffers = list[list[int]]


class Deadlock(Exception):
    """Operations are left, and none of them can move."""


class InMemory:
    """Replays a schedule on one list of numbers per rank.

    Anything that may happen can be drawn next: a send puts a few elements into its connection, which
    holds at most `room` of them; a receive takes a few out. As in a host, an operation may begin when
    those that it is `after` are done and it is the next of its kind on its channel between these two
    ranks; what is received to be added may come before that, and is added when all of it is there.
    """

    def __init__(self, schedule: Schedule, buffers: Buffers, seed: int, room: int) -> None:
        self.schedule = schedule
        self.buffers = [_of_length(own, buffer_bytes(schedule)) for own in buffers]
        self.chance = random.Random(seed)
        self.room = room
        self.wires: dict[tuple[int, int, int], deque[int]] = {}
        self.queues: dict[tuple[int, int, int, bool], deque[int]] = {}
        for rank, ops in enumerate(schedule):
            for index, op in enumerate(ops):
                queue = (rank, op.peer, op.channel, op.kind == "send")
                self.queues.setdefault(queue, deque()).append(index)
        self.moved = dict.fromkeys(self._all(), 0)
        self.arrived: dict[tuple[int, int], list[int]] = {at: [] for at in self._all()}
        self.done: set[tuple[int, int]] = set()

    def _all(self) -> list[tuple[int, int]]:
        return [
            (rank, index) for rank, ops in enumerate(self.schedule) for index in range(len(ops))
        ]

    def run(self) -> Buffers:
        """Go on until all is done. Raises Deadlock."""
        while len(self.done) < len(self.moved):
            able = [at for at in self._heads() if self._room_to_move(at)]
            if not able:
                raise Deadlock(f"{len(self.moved) - len(self.done)} operations are left")
            self._move(self.chance.choice(able))
        return self.buffers

    def _heads(self) -> list[tuple[int, int]]:
        heads = [(key[0], queue[0]) for key, queue in self.queues.items() if queue]
        return [at for at in heads if self._op(at).kind == "reduce" or self._free(at)]

    def _free(self, at: tuple[int, int]) -> bool:
        return all((at[0], before) in self.done for before in self._op(at).after)

    def _op(self, at: tuple[int, int]) -> Op:
        return self.schedule[at[0]][at[1]]

    def _wire(self, at: tuple[int, int]) -> deque[int]:
        op = self._op(at)
        pair = (at[0], op.peer) if op.kind == "send" else (op.peer, at[0])
        return self.wires.setdefault((*pair, op.channel), deque())

    def _room_to_move(self, at: tuple[int, int]) -> int:
        op = self._op(at)
        left = op.size // ELEMENT_BYTES - self.moved[at]
        there = len(self._wire(at))
        if not left:
            return int(self._free(at))
        return min(left, self.room - there if op.kind == "send" else there)

    def _move(self, at: tuple[int, int]) -> None:
        op = self._op(at)
        left = op.size // ELEMENT_BYTES - self.moved[at]
        for _ in range(self.chance.randint(1, self._room_to_move(at)) if left else 0):
            place = op.offset // ELEMENT_BYTES + self.moved[at]
            self.moved[at] += 1
            if op.kind == "send":
                self._wire(at).append(self.buffers[at[0]][place])
            elif op.kind == "copy":
                self.buffers[at[0]][place] = self._wire(at).popleft()
            else:
                self.arrived[at].append(self._wire(at).popleft())
        if self.moved[at] == op.size // ELEMENT_BYTES and self._free(at):
            self._finish(at, op)

    def _finish(self, at: tuple[int, int], op: Op) -> None:
        for place, number in enumerate(self.arrived[at], start=op.offset // ELEMENT_BYTES):
            self.buffers[at[0]][place] += number
        self.done.add(at)
        self.queues[at[0], op.peer, op.channel, op.kind == "send"].popleft()


def _of_length(numbers: list[int], size_bytes: int) -> list[int]:
    """With zeros behind it, for what an algorithm needs beside its input."""
    return numbers + [0] * (size_bytes // ELEMENT_BYTES - len(numbers))


def bytes_sent(schedule: Schedule) -> list[int]:
    """Payload bytes that each rank sends."""
    return [sum(op.size for op in ops if op.kind == "send") for ops in schedule]
