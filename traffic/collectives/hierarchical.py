"""All-reduce over campuses: sums inside each campus first, so that the long haul carries each byte once.

Reduce-scatter inside, all-reduce across among the owners of a shard, all-gather inside. A campus sends and
receives 2(C−1)/C·S bytes over the long haul when the outer algorithm is a ring over C campuses, and that in
2(C−1) latencies instead of a flat ring's 2(n−1). [Jia et al. 2018; NCCL: SHARP and tree across nodes]
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from traffic.collectives.building import Builder
from traffic.collectives.flat import FLAT
from traffic.schedule import Piece


def all_reduce(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """The inner algorithm in each campus, the outer one across, for campuses of any sizes.

    Where campuses differ in size their shards do: across, the buffer is cut where any campus cuts it.
    """
    inner, across = build.options.inner, FLAT["all_reduce", build.options.outer]
    campuses = _campuses(build, members)
    for ranks in campuses:
        FLAT["reduce_scatter", inner](build, ranks, piece)
    for shard, owners in _shards(campuses, piece):
        across(build, owners, shard)
    for ranks in campuses:
        FLAT["all_gather", inner](build, ranks, piece)


def _campuses(build: Builder, members: Sequence[int]) -> list[tuple[int, ...]]:
    present = set(members)
    groups = [tuple(rank for rank in group if rank in present) for group in build.layout.groups()]
    return [group for group in groups if group]


def _shards(
    campuses: Sequence[tuple[int, ...]], piece: Piece
) -> list[tuple[Piece, tuple[int, ...]]]:
    """Pieces that lie within one chunk of every campus, with the chunk's owner in each."""
    chunks = [piece.cut(len(ranks)) for ranks in campuses]
    edges = sorted({edge for own in chunks for chunk in own for edge in (chunk.offset, chunk.end)})
    shards = [Piece(a, b - a) for a, b in pairwise(edges)]
    return [
        (
            shard,
            tuple(
                ranks[next(i for i, chunk in enumerate(own) if chunk.overlaps(shard))]
                for ranks, own in zip(campuses, chunks, strict=True)
            ),
        )
        for shard in shards
    ]
