"""Trees: the binomial tree for small messages, and two complementary binary trees for large ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from traffic.collectives.building import Builder, copy, reduce
from traffic.schedule import Piece


def broadcast(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """Binomial: whoever has it passes it on, farthest first: ⌈lg n⌉·(α + Sβ). [Thakur 2005]"""
    tree = _from_root(build, members)
    for distance in reversed(_distances(len(tree))):
        build.step(copy(tree[a], tree[b], piece) for a, b in _edges(len(tree), distance))


def reduce_to_root(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """Binomial, the broadcast backwards: ⌈lg n⌉·(α + Sβ). [Thakur 2005]"""
    tree = _from_root(build, members)
    for distance in _distances(len(tree)):
        build.step(reduce(tree[b], tree[a], piece) for a, b in _edges(len(tree), distance))


def all_reduce(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """Binomial: reduce to one, broadcast from there: 2⌈lg n⌉·(α + Sβ). [Thakur 2005]"""
    reduce_to_root(build, members, piece)
    broadcast(build, members, piece)


def _from_root(build: Builder, members: Sequence[int]) -> list[int]:
    root = build.options.root
    return [*members[root:], *members[:root]]


def _distances(count: int) -> list[int]:
    return [1 << k for k in range((count - 1).bit_length())]


def _edges(count: int, distance: int) -> Iterator[tuple[int, int]]:
    """(parent, child) places of one level of the binomial tree."""
    for parent in range(0, count - distance, 2 * distance):
        yield parent, parent + distance


def double_tree_all_reduce(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """Half the buffer goes up and down one binary tree, half another in which the first one's inner
    ranks are leaves; in k segments: ≈ 2·lg n·α + 2Sβ for many. Each tree has connections of its own.

    As NCCL has it since 2.4. [Sanders, Speck & Träff 2009; NCCL src/graph/trees.cc]
    """
    for lane, half in enumerate(piece.cut(2)):
        parents = [double_tree_parent(lane, rank, len(members)) for rank in range(len(members))]
        upwards = sorted(_with_parents(parents), key=lambda edge: -_depth(parents, edge[0]))
        for segment in build.pipeline(half):
            for child, parent in upwards:
                build.step([reduce(members[child], members[parent], segment, lane)])
            for child, parent in reversed(upwards):
                build.step([copy(members[parent], members[child], segment, lane=lane)])


def double_tree_parent(tree: int, rank: int, count: int) -> int | None:
    """The parent of a rank in tree 0 or 1; None for the root.

    Tree 1 is tree 0 with ranks mirrored (n even) or moved on by one (n odd): no rank has children in
    both, but for rank 0 where n is odd. A root has a single child.
    """
    if tree == 0:
        return _binary_parent(rank, count)
    if count % 2:
        above = _binary_parent((rank - 1) % count, count)
        return None if above is None else (above + 1) % count
    above = _binary_parent(count - 1 - rank, count)
    return None if above is None else count - 1 - above


def _binary_parent(rank: int, count: int) -> int | None:
    """In the tree whose in-order walk is 1, 2, …, with 0 above its top: odd ranks are leaves, and a
    rank's level is the number of zeros that it ends with in binary."""
    if not rank:
        return None
    bit = rank & -rank
    without = rank ^ bit
    above = without | bit << 1
    return above if above < count else without


def _with_parents(parents: Sequence[int | None]) -> Iterator[tuple[int, int]]:
    return ((rank, above) for rank, above in enumerate(parents) if above is not None)


def _depth(parents: Sequence[int | None], rank: int) -> int:
    above = parents[rank]
    return 0 if above is None else 1 + _depth(parents, above)
