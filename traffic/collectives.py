"""The algorithms: each a function (ranks, bytes) -> Schedule.

To add one, write such a function and name it in ALGORITHMS.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from traffic.schedule import Kind, Op, Schedule

ELEMENT_BYTES = 4


def chunks(size_bytes: int, count: int) -> list[tuple[int, int]]:
    """Cut a buffer into `count` (offset, size) pieces of whole elements, as even as they can be."""
    elements = size_bytes // ELEMENT_BYTES
    edges = [ELEMENT_BYTES * (elements * i // count) for i in range(count + 1)]
    return [(a, b - a) for a, b in pairwise(edges)]


def ring_all_reduce(ranks: int, size_bytes: int) -> Schedule:
    """Reduce-scatter around the ring, then all-gather around it: 2(n−1) steps of S/n bytes.

    At step s of the first half rank r sends chunk r−s and adds chunk r−s−1 to its own; it then owns
    the sum of chunk r+1, and the second half hands the sums round. [Patarasuk & Yuan 2009]
    """
    pieces = chunks(size_bytes, ranks)
    return tuple(_ring_rank(rank, ranks, pieces) for rank in range(ranks))


def _ring_rank(rank: int, ranks: int, pieces: list[tuple[int, int]]) -> tuple[Op, ...]:
    """Operations 2s (send) and 2s+1 (receive) are step s; a step sends what the last one received."""
    ops: list[Op] = []
    for step in range(2 * (ranks - 1)):
        received_before = (2 * step - 1,) if step else ()
        ops.append(Op("send", (rank + 1) % ranks, *pieces[(rank - step) % ranks], received_before))
        kind: Kind = "reduce" if step < ranks - 1 else "copy"
        ops.append(Op(kind, (rank - 1) % ranks, *pieces[(rank - step - 1) % ranks]))
    return tuple(ops)


ALGORITHMS: dict[tuple[str, str], Callable[[int, int], Schedule]] = {
    ("all_reduce", "ring"): ring_all_reduce,
}
"""(collective, algorithm) -> the function that makes its schedule."""
