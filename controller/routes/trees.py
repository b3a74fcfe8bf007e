"""Paths to one destination, merged into trees: whatever paths a policy asks for, no packet loops.

A tree gives each campus at most one next arc, and from each of its campuses the arcs lead to the
destination. A packet carries its tree's label, so it follows one tree to the end. Paths that agree
wherever they meet share a tree; shortest paths need one per destination, k disjoint ones k.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from controller.policies.campuses import Arc, CampusGraph, Path
from controller.policies.policy import Policy


class Trees:
    """Trees to one destination, numbered from `first` on."""

    def __init__(self, first: int = 0) -> None:
        self._first = first
        self._trees: list[dict[str, Arc]] = []

    def add(self, path: Path) -> int:
        """The number of the first tree that has the path, or can have it.

        Raises ValueError for a path that is broken, or visits a campus twice.
        """
        check(path)
        for number, tree in enumerate(self._trees):
            if all(tree.get(arc.tail, arc) == arc for arc in path):
                tree.update({arc.tail: arc for arc in path})
                return self._first + number
        self._trees.append({arc.tail: arc for arc in path})
        return self._first + len(self._trees) - 1

    def arcs(self) -> Iterator[tuple[int, Arc]]:
        """All arcs, with the numbers of their trees."""
        for number, tree in enumerate(self._trees, start=self._first):
            for arc in tree.values():
                yield number, arc


def check(path: Path) -> None:
    """Raises ValueError unless each arc starts where the one before ends, and no campus comes twice."""
    campuses = [path[0].tail, *(arc.head for arc in path)]
    joined = all(a.head == b.tail for a, b in itertools.pairwise(path))
    if not joined or len(set(campuses)) < len(campuses):
        raise ValueError(f"no path: {' → '.join(arc.link for arc in path)}")


def backup(policy: Policy, graph: CampusGraph, arc: Arc, sink: str) -> Path | None:
    """The path on from where `arc` starts, were its link cut: the one that the policy would then
    give the largest share of ordinary traffic; None where nothing else leads there."""
    return policy.best(graph.without(arc.link), arc.tail, sink)
