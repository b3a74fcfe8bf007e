"""Recursive halving and doubling: lg n exchanges with partners at distances 1, 2, 4, …

Where n is no power of two, some ranks stand in for a neighbour as well: they take its part first, and
give it the result at the end. [Thakur 2005; Rabenseifner 2004]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from traffic.collectives.building import Builder, copy, reduce
from traffic.schedule import Piece


@dataclass(frozen=True)
class _Nodes:
    """2^k of the members, of which the first stand in for the `others` too; `firsts[v]` is the index
    among the members of node v, and the last one is how many members there are."""

    mains: tuple[int, ...]
    others: tuple[int, ...]
    firsts: tuple[int, ...]

    @property
    def distances(self) -> list[int]:
        """1, 2, 4, … below their number."""
        return [1 << k for k in range(len(self.mains).bit_length() - 1)]


def _nodes(members: Sequence[int]) -> _Nodes:
    power = 1 << (len(members).bit_length() - 1)
    over = len(members) - power
    firsts = [*range(0, 2 * over, 2), *range(2 * over, len(members))]
    return _Nodes(
        mains=tuple(members[first] for first in firsts),
        others=tuple(members[first + 1] for first in firsts[:over]),
        firsts=(*firsts, len(members)),
    )


def doubling_all_reduce(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """Everybody exchanges everything: lg n·(α + Sβ); 2(α + Sβ) more if n is no power of two.
    [Thakur 2005]"""
    nodes = _nodes(members)
    _take_part(build, nodes, piece)
    for distance in nodes.distances:
        build.step(
            reduce(main, nodes.mains[v ^ distance], piece) for v, main in enumerate(nodes.mains)
        )
    build.step(copy(*pair, piece) for pair in zip(nodes.mains, nodes.others, strict=False))


def all_reduce(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """Halving, then doubling: 2·lg n·α + 2(n−1)/n·Sβ for a power of two, 2(α + Sβ) more for others.

    Half the buffer goes to the nearest partner, the smallest parts go farthest. [Rabenseifner 2004]
    """
    nodes = _nodes(members)
    _take_part(build, nodes, piece)
    parts = piece.cut(len(nodes.mains))
    spans = _halve(build, nodes, parts, nodes.distances)
    _double(build, nodes, parts, spans, nodes.distances[::-1])
    build.step(copy(*pair, piece) for pair in zip(nodes.mains, nodes.others, strict=False))


def reduce_scatter(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """Halving, farthest partner first, so that everybody ends with the own chunk:
    lg n·α + (n−1)/n·Sβ for a power of two, 2α + (1 + 1/n)·Sβ more for others. [Thakur 2005]"""
    nodes, chunks = _nodes(members), piece.cut(len(members))
    _take_part(build, nodes, piece)
    parts = _by_node(nodes, chunks)
    _halve(build, nodes, parts, nodes.distances[::-1])
    build.step(
        copy(main, other, chunks[first + 1])
        for main, other, first in zip(nodes.mains, nodes.others, nodes.firsts, strict=False)
    )


def all_gather(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """Doubling: lg n·α + (n−1)/n·Sβ for a power of two, 2α + Sβ more for others. [Thakur 2005]"""
    nodes, chunks = _nodes(members), piece.cut(len(members))
    owns = [chunks[first + 1] for first in nodes.firsts[: len(nodes.others)]]
    stands_in = list(zip(nodes.mains, nodes.others, owns, strict=False))
    build.step(copy(other, main, own) for main, other, own in stands_in)
    spans = [(v, v + 1) for v in range(len(nodes.mains))]
    _double(build, nodes, _by_node(nodes, chunks), spans, nodes.distances)
    for main, other, own in stands_in:
        before = Piece(piece.offset, own.offset - piece.offset)
        behind = Piece(own.end, piece.end - own.end)
        build.step([copy(main, other, before), copy(main, other, behind)])


def _take_part(build: Builder, nodes: _Nodes, piece: Piece) -> None:
    """The others' numbers go to those who stand in for them."""
    build.step(reduce(*pair, piece) for pair in zip(nodes.others, nodes.mains, strict=False))


def _by_node(nodes: _Nodes, chunks: Sequence[Piece]) -> list[Piece]:
    """The chunks of each node's one or two members, together."""
    return [_whole(chunks[a:b]) for a, b in zip(nodes.firsts, nodes.firsts[1:], strict=False)]


def _whole(parts: Sequence[Piece]) -> Piece:
    return Piece(parts[0].offset, parts[-1].end - parts[0].offset)


def _halve(
    build: Builder, nodes: _Nodes, parts: Sequence[Piece], distances: Sequence[int]
) -> list[tuple[int, int]]:
    """Each keeps the sum of half of what it has, its partner that of the other half, until a part is
    left; returns the span of parts of each node."""
    spans = [(0, len(parts))] * len(nodes.mains)
    for distance in distances:
        halves = [_halves(span, bool(v & distance)) for v, span in enumerate(spans)]
        build.step(
            reduce(main, nodes.mains[v ^ distance], _whole(parts[slice(*given)]))
            for v, (main, (_, given)) in enumerate(zip(nodes.mains, halves, strict=True))
        )
        spans = [kept for kept, _ in halves]
    return spans


def _halves(span: tuple[int, int], upper: bool) -> tuple[tuple[int, int], tuple[int, int]]:
    """The half that is kept, and the one that is given away."""
    middle = sum(span) // 2
    low, high = (span[0], middle), (middle, span[1])
    return (high, low) if upper else (low, high)


def _double(
    build: Builder,
    nodes: _Nodes,
    parts: Sequence[Piece],
    spans: list[tuple[int, int]],
    distances: Sequence[int],
) -> None:
    """Partners give each other all that they have, until all have all."""
    for distance in distances:
        build.step(
            copy(main, nodes.mains[v ^ distance], _whole(parts[slice(*spans[v])]))
            for v, main in enumerate(nodes.mains)
        )
        partners = [spans[v ^ distance] for v in range(len(spans))]
        spans = [
            (min(own[0], other[0]), max(own[1], other[1]))
            for own, other in zip(spans, partners, strict=True)
        ]
