"""Campuses and the links between them, as a policy sees them; and the searches that policies share.

Rates are the emulated ones, as in the plan: a policy decides for the fabric that runs.
"""

from __future__ import annotations

import heapq
import itertools
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
    less: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    """The links of the whole that this lacks."""

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

    def onward(self, sink: str, order: Order) -> dict[str, Arc]:
        """From each campus that has a path to `sink`: the first arc of the whole graph's best one. Made once."""
        if self.whole is not None:
            return self.whole.onward(sink, order)
        if (sink, order) not in self._onward:
            left = self.left(sink, order)
            self._onward[sink, order] = {
                tail: min(
                    ((first + left[head][0], second + left[head][1]), link, arc)
                    for first, second, link, head, arc in arcs
                    if head in left
                )[-1]
                for tail, arcs in self.weighed(order).items()
                if tail in left and tail != sink
            }
        return self._onward[sink, order]

    def without(self, link: str) -> CampusGraph:
        """The same graph less a link. Made once."""
        if link not in self._less:
            rest = tuple(arc for arc in self.arcs if arc.link != link)
            self._less[link] = CampusGraph(rest, self.whole or self, self.less | {link})
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
    def disjoint(self) -> dict[tuple[str, str], list[Path]]:
        """The paths of `disjoint_paths` between two campuses, as many as it was asked for."""
        return {}

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
    def _onward(self) -> dict[tuple[str, Order], dict[str, Arc]]:
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
    best = _best(graph, sink, by_delay, Begun(source))
    return best[1] if best else None


def by_delay(arc: Arc) -> Cost:
    """Least delay first, then fewest links."""
    return arc.picoseconds, 1


def by_links(arc: Arc) -> Cost:
    """Fewest links first, then least delay."""
    return 1, arc.picoseconds


def simple_paths(
    graph: CampusGraph, source: str, sink: str, order: Order = by_delay
) -> Iterator[Path]:
    """Paths that visit no campus twice, best first: by default those of least delay. [Yen 1971] A way on from a
    path's beginning is searched for when no path that is known is better than it can be. [Lawler 1972]"""
    candidates: list[tuple[_Rank, Path, Begun]] = [(NOTHING, (), Begun(source))]
    found: list[Path] = []
    while candidates:
        _, path, begun = heapq.heappop(candidates)
        if not path:
            if best := _best(graph, sink, order, begun):
                heapq.heappush(candidates, (*best, begun))
            continue
        yield path
        found.append(path)
        for other in _deviations(path, found, order, len(begun.path)):
            if least := _least(graph, sink, order, other):
                heapq.heappush(candidates, (least, (), other))


_Rank: TypeAlias = tuple[int, int, tuple[str, ...]]
NOTHING: _Rank = (0, 0, ())


@dataclass(frozen=True, order=True)
class Begun:
    """A path so far, the campus that it has come to, what it has cost, the campuses behind it, and links that it does
    not take next."""

    at: str
    path: Path = ()
    cost: _Rank = NOTHING
    visited: frozenset[str] = field(default=frozenset(), compare=False)
    not_next: frozenset[str] = field(default=frozenset(), compare=False)


def _names(path: Path) -> tuple[str, ...]:
    return tuple(arc.link for arc in path)


def _deviations(path: Path, found: list[Path], order: Order, since: int) -> Iterator[Begun]:
    """From each campus of `path`: its beginning, to be left by none of the links that those `found` take. Those that
    leave it before the arc `since`, where it left another itself, are candidates already."""
    cost, alike = NOTHING, found
    for index, arc in enumerate(path):
        if index >= since:
            visited = frozenset(before.tail for before in path[:index])
            taken = frozenset(other[index].link for other in alike)
            yield Begun(arc.tail, path[:index], cost, visited, taken)
        more, then = order(arc)
        cost = (cost[0] + more, cost[1] + then, (*cost[2], arc.link))
        alike = [other for other in alike if other[index].link == arc.link]


def _least(graph: CampusGraph, sink: str, order: Order, begun: Begun) -> _Rank | None:
    """What no path that begins so is better than; None where there is none."""
    left, visited = graph.left(sink, order), begun.visited
    first, second, names = begun.cost
    return min(
        (
            (first + more + left[head][0], second + then + left[head][1], (*names, link))
            for more, then, link, head, _ in graph.weighed(order).get(begun.at, ())
            if head in left and head not in visited and link not in begun.not_next
        ),
        default=None,
    )


def _best(
    graph: CampusGraph,
    sink: str,
    order: Order,
    begun: Begun,
    barred: frozenset[str] = frozenset(),
) -> tuple[_Rank, Path] | None:
    """The best path to `sink` that begins so and then takes none of the links `barred`; and what it costs. What is left
    of a way is as on the whole graph, where that is allowed. [A*: Hart, Nilsson & Raphael 1968]"""
    leaving, left, onward = graph.weighed(order), graph.left(sink, order), graph.onward(sink, order)
    if begun.at not in left:
        return None
    visited, never, not_next = set(begun.visited), barred | graph.less, begun.not_next
    reached: dict[str, tuple[_Rank, Arc]] = {}
    frontier = [(_ahead(begun.cost, left[begun.at]), begun.cost, begun.at)]
    while frontier:
        (least, last, _), (first, second, names), node = heapq.heappop(frontier)
        if node in visited:
            continue
        visited.add(node)
        if not not_next and (rest := _rest(onward, node, sink, visited, never)) is not None:
            path = begun.path + _come(reached, begun.at, node) + rest
            return (least, last, names + _names(rest)), path
        for more, then, link, head, arc in leaving.get(node, ()):
            if head in visited or link in barred or link in not_next or head not in left:
                continue
            known = reached.get(head)
            if known is not None and first + more > known[0][0]:
                continue
            farther = (first + more, second + then, (*names, link))
            if known is None or farther < known[0]:
                reached[head] = farther, arc
                heapq.heappush(frontier, (_ahead(farther, left[head]), farther, head))
        not_next = frozenset()
    return None


def _come(reached: dict[str, tuple[_Rank, Arc]], source: str, node: str) -> Path:
    """The arcs by which a search came from `source` to `node`."""
    path: list[Arc] = []
    while node != source:
        path.append(reached[node][1])
        node = path[-1].tail
    return tuple(reversed(path))


def _rest(
    onward: dict[str, Arc], node: str, sink: str, visited: set[str], never: frozenset[str]
) -> Path | None:
    """The way from `node` that `onward` tells, unless it leads through a campus or over a link that is not allowed."""
    path = []
    while node != sink:
        arc = onward[node]
        if arc.link in never or arc.head in visited:
            return None
        path.append(arc)
        node = arc.head
    return tuple(path)


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
    """Paths that share no link, each the shortest that those before it have left over. Of a graph that lacks a link
    they begin as the whole one's, up to the one that has it."""
    known = (graph.whole or graph).disjoint.get((source, sink), [])
    found = list(itertools.takewhile(lambda path: graph.less.isdisjoint(_names(path)), known))
    if graph.whole is None:
        graph.disjoint[source, sink] = found
    yield from found.copy()
    taken = frozenset(link for path in found for link in _names(path))
    last = frozenset(arc.link for arc in graph.arcs if arc.head == sink)
    while not last <= taken and (best := _best(graph, sink, by_delay, Begun(source), taken)):
        found.append(best[1])
        yield best[1]
        taken |= frozenset(_names(best[1]))
