"""The numbers that agents carry where results are checked. Standard library alone.

Unsigned 32-bit lanes, small enough that no sum overflows one. Lane i of rank r starts as
a(i mod 4093) + b(r): bytes in a wrong place, a rank missing or counted twice show.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from traffic.schedule import Result

_PATTERN_LANES = 4093  # prime: a chunk that lands in a wrong place does not look right


def fill(data: memoryview, rank: int, iteration: int) -> None:
    """A rank's own numbers, in all of its buffer."""
    data[:] = _pattern(0, len(data), 1, _bias(rank, iteration))


def right(data: memoryview, results: Sequence[Result], iteration: int) -> bool:
    """Whether a rank's buffer holds what it must (what `results` say)."""
    return all(
        data[one.offset : one.offset + one.size]
        == _pattern(
            one.source, one.size, len(one.of), sum(_bias(rank, iteration) for rank in one.of)
        )
        for one in results
    )


def add(data: memoryview, other: memoryview, offset: int, size: int) -> None:
    """data[offset:offset+size] += other[:size], as 32-bit lanes: one long integer each, since no
    lane carries into the next."""
    mine = int.from_bytes(data[offset : offset + size], "little")
    theirs = int.from_bytes(other[:size], "little")
    total = (mine + theirs) & ((1 << 8 * size) - 1)  # a wrong schedule's sums may grow
    data[offset : offset + size] = total.to_bytes(size, "little")


def _bias(rank: int, iteration: int) -> int:
    return ((rank + 1) * 40503 + iteration * 7919) % 65521


def _pattern(start: int, size: int, factor: int, bias: int) -> bytes:
    """The numbers of bytes [start, start + size), times `factor`, plus `bias` in each lane."""
    lanes = array("I", (factor * (i * 2654435761 % 65536) + bias for i in range(_PATTERN_LANES)))
    block = lanes.tobytes()
    skip = start % len(block)
    return (block * ((skip + size) // len(block) + 1))[skip : skip + size]
