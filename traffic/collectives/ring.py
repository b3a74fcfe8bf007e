"""Rings and chains: every rank sends to the next one only. All bandwidth, n−1 latencies.

α is one message's latency, β seconds per byte, n the number of ranks, S the size of the buffer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, zip_longest

from traffic.collectives.building import Builder, copy, reduce
from traffic.schedule import Piece


def all_reduce(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """Reduce-scatter, then all-gather: 2(n−1)α + 2(n−1)/n·Sβ. [Patarasuk & Yuan 2009]"""
    reduce_scatter(build, members, piece)
    all_gather(build, members, piece)


def reduce_scatter(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """Partial sums go once round; each ends with its owner: (n−1)α + (n−1)/n·Sβ. [Thakur 2005]"""
    ring, chunks = _ring(build, members), piece.cut(len(members))
    count = len(ring)
    for step in range(1, count):
        build.step(
            reduce(
                members[at],
                members[ring[(place + 1) % count]],
                chunks[ring[(place - step) % count]],
            )
            for place, at in enumerate(ring)
        )


def all_gather(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """Everybody's chunk goes once round: (n−1)α + (n−1)/n·Sβ. [Thakur 2005]"""
    ring, chunks = _ring(build, members), piece.cut(len(members))
    count = len(ring)
    for step in range(count - 1):
        build.step(
            copy(
                members[at],
                members[ring[(place + 1) % count]],
                chunks[ring[(place - step) % count]],
            )
            for place, at in enumerate(ring)
        )


def broadcast(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """A chain from the root on, in k segments: (n−2+k)(α + S/k·β). [Thakur 2005]"""
    for segment in build.pipeline(piece):
        for source, sink in pairwise(_chain(build, members)):
            build.step([copy(source, sink, segment)])


def reduce_to_root(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """A chain that ends at the root, in k segments: (n−2+k)(α + S/k·β). [Thakur 2005]"""
    chain = _chain(build, members)[::-1]
    for segment in build.pipeline(piece):
        for source, sink in pairwise(chain):
            build.step([reduce(source, sink, segment)])


def _ring(build: Builder, members: Sequence[int]) -> list[int]:
    """Indices into `members`, in the order in which the ring visits them."""
    if build.options.order == "rank":
        return list(range(len(members)))
    by_campus: dict[str, list[int]] = {}
    for index, rank in enumerate(members):
        by_campus.setdefault(build.layout.campuses[rank], []).append(index)
    if build.options.order == "campus":
        return [index for campus in by_campus.values() for index in campus]
    rounds = zip_longest(*by_campus.values())
    return [index for once in rounds for index in once if index is not None]


def _chain(build: Builder, members: Sequence[int]) -> list[int]:
    """The ring's members from the root on."""
    ring = _ring(build, members)
    root = ring.index(build.options.root)
    return [members[index] for index in ring[root:] + ring[:root]]
