"""The numbers that agents carry where results are checked. Standard library alone.

Unsigned 32-bit lanes, small enough that no sum overflows one. Lane i of rank r starts as
a(i mod 4093) + b(r): bytes in a wrong place, a rank missing or counted twice show. All is done piece by piece: beside
the buffers themselves it takes no memory.
"""

from __future__ import annotations

import mmap
from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress

from traffic.schedule import Result

_PATTERN_LANES = 4093  # prime: a chunk that lands in a wrong place does not look right
_POPULATE_WRITE = 23  # MADV_POPULATE_WRITE
_PIECE_BYTES = 64 * 4 * _PATTERN_LANES


def room(size: int) -> memoryview:
    """Memory for so many bytes, taken at once: what does not fit ends here, before anything begins. [madvise(2)]"""
    taken = mmap.mmap(-1, max(size, mmap.PAGESIZE), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):  # before Linux 5.14
        taken.madvise(_POPULATE_WRITE)
    return memoryview(taken)


def fill(data: memoryview, rank: int, iteration: int) -> None:
    """A rank's own numbers, in all of its buffer."""
    pattern = _pattern(1, _bias(rank, iteration))
    for start, end in _pieces(0, len(data)):
        data[start:end] = _from(pattern, start, end)


def right(data: memoryview, results: Sequence[Result], iteration: int) -> bool:
    """Whether a rank's buffer holds what it must (what `results` say)."""
    return all(_holds(data, one, iteration) for one in results)


def _holds(data: memoryview, result: Result, iteration: int) -> bool:
    pattern = _pattern(len(result.of), sum(_bias(rank, iteration) for rank in result.of))
    ahead = result.offset - result.source
    return all(
        data[start + ahead : end + ahead] == _from(pattern, start, end)
        for start, end in _pieces(result.source, result.size)
    )


def add(data: memoryview, other: memoryview, offset: int, size: int) -> None:
    """data[offset:offset+size] += other[:size], as 32-bit lanes: a long integer of many, since no
    lane carries into the next."""
    for start, end in _pieces(offset, size):
        mine = int.from_bytes(data[start:end], "little")
        theirs = int.from_bytes(other[start - offset : end - offset], "little")
        total = (mine + theirs) & ((1 << 8 * (end - start)) - 1)  # a wrong schedule's sums may grow
        data[start:end] = total.to_bytes(end - start, "little")


def _bias(rank: int, iteration: int) -> int:
    return ((rank + 1) * 40503 + iteration * 7919) % 65521


def _pattern(factor: int, bias: int) -> bytes:
    """The numbers of a piece, times `factor`, plus `bias` in each lane."""
    lanes = array("I", (factor * (i * 2654435761 % 65536) + bias for i in range(_PATTERN_LANES)))
    return lanes.tobytes() * (_PIECE_BYTES // (4 * _PATTERN_LANES))


def _pieces(start: int, size: int) -> Iterator[tuple[int, int]]:
    """Where pieces of the bytes [start, start + size) begin and end: none goes over a multiple of a piece's bytes."""
    end = start + size
    while start < end:
        until = min(end, start - start % _PIECE_BYTES + _PIECE_BYTES)
        yield start, until
        start = until


def _from(pattern: bytes, start: int, end: int) -> bytes:
    """The numbers of a piece that begins and ends at these bytes."""
    skip = start % _PIECE_BYTES
    return pattern[skip : skip + end - start]
