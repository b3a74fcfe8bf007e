"""Bruck's algorithms: ⌈lg n⌉ steps for any n, by sending to ranks 1, 2, 4, … further round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from traffic.collectives.blocks import Blocks
from traffic.collectives.building import Builder, Message, copy
from traffic.schedule import ELEMENT_BYTES, Piece


def all_gather(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """At distance d everybody hands on the d chunks that it has: ⌈lg n⌉·α + (n−1)/n·Sβ. [Bruck 1997]"""
    count, chunks = len(members), piece.cut(len(members))
    for distance in _distances(count):
        build.step(
            copy(rank, members[(place - distance) % count], span)
            for place, rank in enumerate(members)
            for span in _round(chunks, place, min(distance, count - distance))
        )


def _round(chunks: Sequence[Piece], first: int, count: int) -> Iterator[Piece]:
    """`count` chunks from `first` on, round the end of the buffer if need be."""
    behind = first + count - len(chunks)
    last = chunks[min(first + count, len(chunks)) - 1]
    yield Piece(chunks[first].offset, last.end - chunks[first].offset)
    if behind > 0:
        yield Piece(chunks[0].offset, chunks[behind - 1].end - chunks[0].offset)


def all_to_all(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """A block that has i ranks to go travels along the binary digits of i: ⌈lg n⌉·α + lg n·S/2·β.
    [Bruck 1997]

    On its way it waits behind input and output, in two places by turns: a rank sends from one and
    receives into the other.
    """
    blocks = Blocks.of(build, members, piece)
    for distance in _distances(len(members)):
        build.step(
            _onward(blocks, members, place, far, distance)
            for place in range(len(members))
            for far in range(len(members))
            if far & distance
        )


def _onward(blocks: Blocks, members: Sequence[int], place: int, far: int, distance: int) -> Message:
    """What `place` sends on at this distance of the block with `far` ranks to go in all."""
    count = len(members)
    gone = far & (distance - 1)
    source = (place - gone) % count
    sink = (source + far) % count
    size = blocks.input(source, sink).size
    last = far < 2 * distance
    start = blocks.waiting(far, gone.bit_count()) if gone else blocks.input(source, sink).offset
    to = blocks.output(source, sink).offset if last else blocks.waiting(far, gone.bit_count() + 1)
    return copy(members[place], members[(place + distance) % count], Piece(start, size), to)


def barrier(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """Dissemination: an element to ranks 1, 2, 4, … further, each once all from before are in: ⌈lg n⌉·α.
    [Hensgen, Finkel & Manber 1988]"""
    token = Piece(piece.offset, ELEMENT_BYTES)
    count = len(members)
    for number, distance in enumerate(_distances(count), start=1):
        to = token.offset + number * ELEMENT_BYTES
        build.step(
            copy(rank, members[(place + distance) % count], token, to)
            for place, rank in enumerate(members)
        )
        build.fence(members)


def _distances(count: int) -> list[int]:
    return [1 << k for k in range((count - 1).bit_length())]
