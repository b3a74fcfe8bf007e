"""Campuses and the links between them, as a policy sees them; and the searches that policies share.

Rates are the emulated ones, as in the plan: a policy decides for the fabric that runs.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

MOST_PATHS = 16
"""So many candidates are looked at where a policy weighs whole paths against each other."""


@dataclass(frozen=True, order=True)
class Arc:
    """One direction of a link, from campus `tail` to campus `head`. `link` is its name."""

    link: str
    tail: str
    head: str
    rate_bps: float
    delay_s: float
    loss: float = 0.0


Path: TypeAlias = tuple[Arc, ...]


@dataclass(frozen=True)
class CampusGraph:
    """The links that are in use, both directions of each, in the plan's order."""

    arcs: tuple[Arc, ...]

    @cached_property
    def leaving(self) -> dict[str, tuple[Arc, ...]]:
        """The arcs that leave each campus."""
        found: dict[str, tuple[Arc, ...]] = {}
        for arc in self.arcs:
            found[arc.tail] = (*found.get(arc.tail, ()), arc)
        return found

    def without(self, *links: str) -> CampusGraph:
        """The same graph less some links."""
        return CampusGraph(tuple(arc for arc in self.arcs if arc.link not in links))

    def back(self, arc: Arc) -> Arc:
        """The other direction of an arc's link."""
        return next(a for a in self.arcs if a.link == arc.link and a.tail == arc.head)


def delay_s(path: Path) -> float:
    """One way, seconds."""
    return sum(arc.delay_s for arc in path)


def rate_bps(path: Path) -> float:
    """Of the path's bottleneck, bits per second."""
    return min(arc.rate_bps for arc in path)


def loss(path: Path) -> float:
    """The share of packets that do not arrive."""
    return 1 - math.prod(1 - arc.loss for arc in path)


def rank(path: Path) -> tuple[int, int, tuple[str, ...]]:
    """What a path is ordered by: delay in whole picoseconds, so that equal ones compare equal; then
    links, then their names."""
    picoseconds = sum(round(arc.delay_s * 1e12) for arc in path)
    return picoseconds, len(path), tuple(arc.link for arc in path)


def shortest(graph: CampusGraph, source: str, sink: str) -> Path | None:
    """The path of least delay (then fewest links, then by name), by Dijkstra; None if there is none."""
    return next(simple_paths(graph, source, sink), None)


Order = Callable[[Path], tuple[int, ...]]


def _by_delay(path: Path) -> tuple[int, ...]:
    return rank(path)[:2]


def by_links(path: Path) -> tuple[int, ...]:
    """Fewest links first, then least delay."""
    return len(path), rank(path)[0]


def simple_paths(
    graph: CampusGraph, source: str, sink: str, order: Order = _by_delay
) -> Iterator[Path]:
    """Paths that visit no campus twice, best first: by default those of least delay. [Yen 1971]

    `order` must not fall when a path gets longer.
    """
    first = _best(graph, (source, sink), order)
    found: list[Path] = []
    candidates: list[tuple[tuple[int, ...], tuple[str, ...], Path]] = []
    if first is not None:
        candidates.append((order(first), _names(first), first))
    seen = {_names(first)} if first is not None else set()
    while candidates:
        _, _, path = heapq.heappop(candidates)
        yield path
        found.append(path)
        for spur in _spurs(graph, path, found, order):
            if _names(spur) not in seen:
                seen.add(_names(spur))
                heapq.heappush(candidates, (order(spur), _names(spur), spur))


def _names(path: Path) -> tuple[str, ...]:
    return tuple(arc.link for arc in path)


def _spurs(graph: CampusGraph, path: Path, found: list[Path], order: Order) -> Iterator[Path]:
    """For each campus of `path`: the best way on from there that none of those `found` takes."""
    for index, arc in enumerate(path):
        root = path[:index]
        taken = frozenset(other[index] for other in found if other[:index] == root)
        if spur := _best(graph, (arc.tail, path[-1].head), order, root, taken):
            yield spur


def _best(
    graph: CampusGraph,
    ends: tuple[str, str],
    order: Order,
    root: Path = (),
    without: frozenset[Arc] = frozenset(),
) -> Path | None:
    """The best path that begins with `root`, which leads to the first of `ends`, and goes on from
    there to the second with none of the arcs `without`."""
    source, sink = ends
    visited = {arc.tail for arc in root}
    frontier: list[tuple[tuple[int, ...], tuple[str, ...], str, Path]] = []
    heapq.heappush(frontier, (order(root), _names(root), source, root))
    while frontier:
        _, _, node, path = heapq.heappop(frontier)
        if node == sink:
            return path
        if node in visited:
            continue
        visited.add(node)
        for arc in graph.leaving.get(node, ()):
            if arc.head not in visited and not (node == source and arc in without):
                longer = (*path, arc)
                heapq.heappush(frontier, (order(longer), _names(longer), arc.head, longer))
    return None


def disjoint_paths(graph: CampusGraph, source: str, sink: str) -> Iterator[Path]:
    """Paths that share no link, each the shortest that those before it have left over."""
    rest = graph
    while (path := shortest(rest, source, sink)) is not None:
        yield path
        rest = rest.without(*(arc.link for arc in path))
