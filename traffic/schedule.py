"""A collective as data: what each rank sends, receives and adds up, and in which order.

An algorithm is a function that returns a Schedule; the agent replays any of them. Nothing here
opens a socket.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

Kind = Literal["send", "copy", "reduce"]


@dataclass(frozen=True)
class Op:
    """One operation of one rank.

    `send` sends bytes [offset, offset + size) to `peer`; `copy` receives them into that range;
    `reduce` receives them and adds them to it. It may start once the operations numbered `after`
    (of the same rank) are done; operations of one direction with one peer keep their order.
    """

    kind: Kind
    peer: int
    offset: int
    size: int
    after: tuple[int, ...] = ()


Schedule = tuple[tuple[Op, ...], ...]
"""The operations of every rank, indexed by rank."""


def bytes_sent(schedule: Schedule) -> list[int]:
    """Payload bytes that each rank sends."""
    return [sum(op.size for op in ops if op.kind == "send") for ops in schedule]


def matches(schedule: Schedule) -> dict[tuple[int, int], tuple[int, int]]:
    """For every send, as (rank, index), the receive that takes it: the k-th send from one rank to
    another meets the k-th receive there. Raises ValueError where they do not pair up."""
    receives: dict[tuple[int, int], deque[tuple[int, int]]] = {}
    for rank, ops in enumerate(schedule):
        for index, op in enumerate(ops):
            if op.kind != "send":
                receives.setdefault((op.peer, rank), deque()).append((rank, index))
    pairs = {}
    for rank, ops in enumerate(schedule):
        for index, op in enumerate(ops):
            if op.kind == "send":
                waiting = receives.get((rank, op.peer))
                if not waiting:
                    raise ValueError(f"rank {op.peer} does not receive send {index} of rank {rank}")
                pairs[rank, index] = there = waiting.popleft()
                if schedule[there[0]][there[1]].size != op.size:
                    raise ValueError(f"send {index} of rank {rank} and its receive differ in size")
    left = sum(map(len, receives.values()))
    if left:
        raise ValueError(f"{left} receives have no send")
    return pairs
