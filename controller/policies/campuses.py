"""Campuses and the links between them, as a policy sees them; and the searches that policies share.

Rates are the emulated ones, as in the plan: a policy decides for the fabric that runs.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
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

    @cached_property
    def picoseconds(self) -> int:
        """The delay in whole picoseconds, so that sums of equal ones compare equal."""
        return round(self.delay_s * 1e12)


Path: TypeAlias = tuple[Arc, ...]
Cost: TypeAlias = tuple[int, int]
Order: TypeAlias = Callable[[Arc], Cost]
"""What an arc adds to a path's cost; paths are ordered by the sums, then by the names of their links."""
Weighed: TypeAlias = dict[str, tuple[tuple[int, int, str, str, Arc], ...]]
"""Per campus and arc that leaves it: both parts of its cost, its link, its head, itself."""


@dataclass(frozen=True)
class CampusGraph:
    """The links that are in use, both directions of each, in the plan's order."""

    arcs: tuple[Arc, ...]
    whole: CampusGraph | None = field(default=None, compare=False, repr=False)
    """What this is a part of, if it is: what is left of a way is nowhere shorter than there."""

    @cached_property
    def leaving(self) -> dict[str, tuple[Arc, ...]]:
        """The arcs that leave each campus."""
        found: dict[str, tuple[Arc, ...]] = {}
        for arc in self.arcs:
            found[arc.tail] = (*found.get(arc.tail, ()), arc)
        return found

    def weighed(self, order: Order) -> Weighed:
        """The arcs that leave each campus, with what each costs. Made once."""
        if order not in self._weighed:
            self._weighed[order] = {
                tail: tuple((*order(arc), arc.link, arc.head, arc) for arc in arcs)
                for tail, arcs in self.leaving.items()
            }
        return self._weighed[order]

    def left(self, sink: str, order: Order) -> dict[str, Cost]:
        """From each campus that has a path to `sink`: what such a path costs at least. Made once."""
        if self.whole is not None:
            return self.whole.left(sink, order)
        if (sink, order) not in self._left:
            self._left[sink, order] = _distances(self.arcs, sink, order)
        return self._left[sink, order]

    def without(self, link: str) -> CampusGraph:
        """The same graph less a link. Made once."""
        if link not in self._less:
            rest = tuple(arc for arc in self.arcs if arc.link != link)
            self._less[link] = CampusGraph(rest, self.whole or self)
        return self._less[link]

    def of_rate(self, least_bps: float) -> CampusGraph:
        """The same graph less what is slower. Made once."""
        if least_bps not in self._fast:
            self._fast[least_bps] = CampusGraph(
                tuple(arc for arc in self.arcs if arc.rate_bps >= least_bps)
            )
        return self._fast[least_bps]

    @cached_property
    def rates_bps(self) -> tuple[float, ...]:
        """The rates that arcs have, the least first."""
        return tuple(sorted({arc.rate_bps for arc in self.arcs}))

    @cached_property
    def _fast(self) -> dict[float, CampusGraph]:
        return {}

    @cached_property
    def _weighed(self) -> dict[Order, Weighed]:
        return {}

    @cached_property
    def _left(self) -> dict[tuple[str, Order], dict[str, Cost]]:
        return {}

    @cached_property
    def _less(self) -> dict[str, CampusGraph]:
        return {}

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
    """What a path is ordered by: delay, then links, then their names."""
    return sum(arc.picoseconds for arc in path), len(path), _names(path)


def shortest(graph: CampusGraph, source: str, sink: str) -> Path | None:
    """The path of least delay (then fewest links, then by name), None if there is none."""
    return _best(graph, (source, sink), by_delay)


def by_delay(arc: Arc) -> Cost:
    """Least delay first, then fewest links."""
    return arc.picoseconds, 1


def by_links(arc: Arc) -> Cost:
    """Fewest links first, then least delay."""
    return 1, arc.picoseconds


def simple_paths(
    graph: CampusGraph, source: str, sink: str, order: Order = by_delay
) -> Iterator[Path]:
    """Paths that visit no campus twice, best first: by default those of least delay. [Yen 1971]"""
    first = _best(graph, (source, sink), order)
    candidates = [(_rank(first, order), first, 0)] if first is not None else []
    found: list[Path] = []
    while candidates:
        _, path, since = heapq.heappop(candidates)
        if path in found:
            continue
        yield path
        found.append(path)
        for at, spur in _spurs(graph, path, found, order, since):
            heapq.heappush(candidates, (_rank(spur, order), spur, at))


_Rank: TypeAlias = tuple[int, int, tuple[str, ...]]


def _rank(path: Path, order: Order) -> _Rank:
    costs = [order(arc) for arc in path]
    return sum(cost[0] for cost in costs), sum(cost[1] for cost in costs), _names(path)


def _names(path: Path) -> tuple[str, ...]:
    return tuple(arc.link for arc in path)


def _spurs(
    graph: CampusGraph, path: Path, found: list[Path], order: Order, since: int
) -> Iterator[tuple[int, Path]]:
    """For each campus of `path`: the best way on from there that none of those `found` takes. Those that leave it
    before the arc `since`, where it left another itself, are candidates already. [Lawler 1972]"""
    for index, arc in enumerate(path[since:], since):
        root = path[:index]
        taken = frozenset(other[index].link for other in found if other[:index] == root)
        if spur := _best(graph, (arc.tail, path[-1].head), order, Begun(root, taken)):
            yield index, spur


@dataclass(frozen=True)
class Begun:
    """A path that a search goes on from; and links that it does not take next."""

    path: Path = ()
    not_next: frozenset[str] = frozenset()


def _best(
    graph: CampusGraph,
    ends: tuple[str, str],
    order: Order,
    begun: Begun = Begun(),
    barred: frozenset[str] = frozenset(),
) -> Path | None:
    """The best path from the first of `ends` to the second over none of the links `barred`; `begun` may lead to
    the first. [A*: Hart, Nilsson & Raphael 1968]"""
    source, sink = ends
    leaving, left = graph.weighed(order), graph.left(sink, order)
    if source not in left:
        return None
    visited = {arc.tail for arc in begun.path}
    reached: dict[str, _Rank] = {}
    so_far = _rank(begun.path, order)
    frontier = [(_ahead(so_far, left[source]), so_far, source, begun.path)]
    while frontier:
        _, (first, second, names), node, path = heapq.heappop(frontier)
        if node == sink:
            return path
        if node in visited:
            continue
        visited.add(node)
        never = barred | begun.not_next if node == source else barred
        for more, then, link, head, arc in leaving.get(node, ()):
            if head in visited or link in never or head not in left:
                continue
            known = reached.get(head)
            if known is not None and first + more > known[0]:
                continue
            farther = (first + more, second + then, (*names, link))
            if known is None or farther < known:
                reached[head] = farther
                ahead = _ahead(farther, left[head])
                heapq.heappush(frontier, (ahead, farther, head, (*path, arc)))
    return None


def _ahead(so_far: _Rank, left: Cost) -> _Rank:
    """What a path to the sink will cost at least, of equals the first by name."""
    return so_far[0] + left[0], so_far[1] + left[1], so_far[2]


def _distances(arcs: Iterable[Arc], sink: str, order: Order) -> dict[str, Cost]:
    """The cost of the best path to `sink` from each campus that has one, by Dijkstra."""
    arriving: dict[str, list[tuple[Cost, str]]] = {}
    for arc in arcs:
        arriving.setdefault(arc.head, []).append((order(arc), arc.tail))
    found: dict[str, Cost] = {}
    frontier: list[tuple[Cost, str]] = [((0, 0), sink)]
    while frontier:
        cost, node = heapq.heappop(frontier)
        if node in found:
            continue
        found[node] = cost
        for more, tail in arriving.get(node, ()):
            if tail not in found:
                heapq.heappush(frontier, ((cost[0] + more[0], cost[1] + more[1]), tail))
    return found


def disjoint_paths(graph: CampusGraph, source: str, sink: str) -> Iterator[Path]:
    """Paths that share no link, each the shortest that those before it have left over."""
    taken: frozenset[str] = frozenset()
    while path := _best(graph, (source, sink), by_delay, barred=taken):
        yield path
        taken |= frozenset(_names(path))
