"""A collective as data: what each rank sends, receives and adds up, and in which order.

An algorithm makes a Schedule (`traffic.collectives`); the agent replays any of them. Each rank has one
flat buffer, and operations name bytes of it. Nothing here opens a socket.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

Kind = Literal["send", "copy", "reduce"]

ELEMENT_BYTES = 4


class Piece(NamedTuple):
    """Bytes [offset, offset + size) of a buffer."""

    offset: int
    size: int

    @property
    def end(self) -> int:
        """The first byte after it."""
        return self.offset + self.size

    def cut(self, count: int) -> list[Piece]:
        """`count` pieces of whole elements, in order, as even as they can be."""
        elements = self.size // ELEMENT_BYTES
        edges = [self.offset + ELEMENT_BYTES * (elements * i // count) for i in range(count + 1)]
        return [Piece(a, b - a) for a, b in pairwise(edges)]

    def overlaps(self, other: Piece) -> bool:
        """Whether they have a byte in common."""
        return self.offset < other.end and other.offset < self.end


class Op(NamedTuple):
    """One operation of one rank.

    `send` sends bytes [offset, offset + size) to `peer`; `copy` receives them into that range; `reduce`
    receives them aside, and adds them to that range once all are there. The operations numbered `after`
    (of the same rank) must be done before a send begins, before a copy writes, before a reduction adds.
    Operations of one direction with one peer on one channel, a connection each, keep their order.
    """

    kind: Kind
    peer: int
    offset: int
    size: int
    after: tuple[int, ...] = ()
    channel: int = 0


@dataclass(frozen=True)
class Pause:
    """What takes time and no network: done `seconds` after the operations numbered `after` are."""

    seconds: float
    after: tuple[int, ...]


Schedule = tuple[tuple[Op, ...], ...]
"""The operations of every rank, indexed by rank. The k-th send from one rank to another on a channel
meets the k-th receive there."""


class Result(NamedTuple):
    """What a rank must hold at the end: bytes [offset, offset + size) are the sum, over the ranks `of`,
    of what those held in [source, source + size) at the start."""

    offset: int
    size: int
    source: int
    of: tuple[int, ...]


def buffer_bytes(schedule: Schedule) -> int:
    """The size of the buffer that every rank needs."""
    return max((op.offset + op.size for ops in schedule for op in ops), default=0)


def placed(schedule: Schedule, ranks: Sequence[int]) -> dict[int, tuple[Op, ...]]:
    """The operations of a schedule's local ranks 0, 1, … as those of `ranks`, by global rank."""
    return {
        ranks[local]: tuple(op._replace(peer=ranks[op.peer]) for op in ops)
        for local, ops in enumerate(schedule)
    }


def on_channels(ops: Sequence[Op], shift: int) -> tuple[Op, ...]:
    """Operations on channels of other numbers."""
    return tuple(op._replace(channel=op.channel + shift) for op in ops) if shift else tuple(ops)


def matches(schedule: Sequence[Sequence[Op | Pause]]) -> dict[tuple[int, int], tuple[int, int]]:
    """For every send, as (rank, index), the receive that takes it. Raises ValueError where they do not
    pair up."""
    receives: dict[tuple[int, int, int], deque[tuple[int, int]]] = {}
    for rank, ops in enumerate(schedule):
        for index, op in enumerate(ops):
            if isinstance(op, Op) and op.kind != "send":
                receives.setdefault((op.peer, rank, op.channel), deque()).append((rank, index))
    pairs = {}
    for rank, ops in enumerate(schedule):
        for index, op in enumerate(ops):
            if isinstance(op, Op) and op.kind == "send":
                waiting = receives.get((rank, op.peer, op.channel))
                if not waiting:
                    raise ValueError(f"rank {op.peer} does not receive send {index} of rank {rank}")
                pairs[rank, index] = there = waiting.popleft()
                receive = schedule[there[0]][there[1]]
                if isinstance(receive, Op) and receive.size != op.size:
                    raise ValueError(f"send {index} of rank {rank} and its receive differ in size")
    left = sum(map(len, receives.values()))
    if left:
        raise ValueError(f"{left} receives have no send")
    return pairs
