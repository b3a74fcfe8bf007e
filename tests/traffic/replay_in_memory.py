"""A second, slow reader of schedules: it moves numbers between lists, in an order drawn by lot."""

import random
from collections import deque

from traffic.schedule import ELEMENT_BYTES, Op, Schedule, buffer_bytes

Buffers = list[list[int]]
At = tuple[int, int]
"""An operation: its rank, and its index there."""
Queue = tuple[int, int, int, bool]
"""A rank's operations with a peer on a channel, sends or receives."""


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
        self.queues: dict[Queue, deque[int]] = {}
        self.left: dict[At, int] = {}
        self.frees: dict[At, list[At]] = {}
        for rank, ops in enumerate(schedule):
            for index, op in enumerate(ops):
                self.queues.setdefault(queue_of(rank, op), deque()).append(index)
                self.left[rank, index] = len(set(op.after))
                for before in set(op.after):
                    self.frees.setdefault((rank, before), []).append((rank, index))
        self.moved = dict.fromkeys(self.left, 0)
        self.arrived: dict[At, list[int]] = {at: [] for at in self.left}
        self.done: set[At] = set()
        self.able: list[Queue] = []
        self.places: dict[Queue, int] = {}
        for queue in self.queues:
            self._look(queue)

    def run(self) -> Buffers:
        """Go on until all is done. Raises Deadlock."""
        while self.able:
            rank, *_ = queue = self.chance.choice(self.able)
            self._move((rank, self.queues[queue][0]))
        if len(self.done) < len(self.moved):
            raise Deadlock(f"{len(self.moved) - len(self.done)} operations are left")
        return self.buffers

    def _look(self, queue: Queue) -> None:
        """Is the head of a queue one that can move, now that something has changed for it?"""
        if self._can_move(queue) == (queue in self.places):
            return
        if queue not in self.places:
            self.places[queue] = len(self.able)
            self.able.append(queue)
            return
        place, last = self.places.pop(queue), self.able.pop()
        if last != queue:
            self.able[place], self.places[last] = last, place

    def _can_move(self, queue: Queue) -> bool:
        if not self.queues.get(queue):
            return False
        at = queue[0], self.queues[queue][0]
        return (self._op(at).kind == "reduce" or self._free(at)) and self._room_to_move(at) > 0

    def _free(self, at: At) -> bool:
        return not self.left[at]

    def _op(self, at: At) -> Op:
        return self.schedule[at[0]][at[1]]

    def _wire(self, at: At) -> deque[int]:
        op = self._op(at)
        pair = (at[0], op.peer) if op.kind == "send" else (op.peer, at[0])
        return self.wires.setdefault((*pair, op.channel), deque())

    def _room_to_move(self, at: At) -> int:
        op = self._op(at)
        left = op.size // ELEMENT_BYTES - self.moved[at]
        there = len(self._wire(at))
        if not left:
            return int(self._free(at))
        return min(left, self.room - there if op.kind == "send" else there)

    def _move(self, at: At) -> None:
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
        own = queue_of(at[0], op)
        self._look(own)
        self._look((op.peer, at[0], op.channel, not own[3]))

    def _finish(self, at: At, op: Op) -> None:
        for place, number in enumerate(self.arrived[at], start=op.offset // ELEMENT_BYTES):
            self.buffers[at[0]][place] += number
        self.done.add(at)
        self.queues[queue_of(at[0], op)].popleft()
        for freed in self.frees.get(at, ()):
            self.left[freed] -= 1
            self._look(queue_of(freed[0], self._op(freed)))


def queue_of(rank: int, op: Op) -> Queue:
    """Operations of one direction with one peer on one channel keep their order."""
    return rank, op.peer, op.channel, op.kind == "send"


def _of_length(numbers: list[int], size_bytes: int) -> list[int]:
    """With zeros behind it, for what an algorithm needs beside its input."""
    return numbers + [0] * (size_bytes // ELEMENT_BYTES - len(numbers))


def bytes_sent(schedule: Schedule) -> list[int]:
    """Payload bytes that each rank sends."""
    return [sum(op.size for op in ops if op.kind == "send") for ops in schedule]
