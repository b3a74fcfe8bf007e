"""Traffic is spread over all paths of few links: equally, or as their rates are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, takewhile

from controller.policies.campuses import (
    MOST_PATHS,
    CampusGraph,
    Path,
    by_links,
    rate_bps,
    simple_paths,
)
from controller.policies.policy import Policy, Share, weights


def few_spans(graph: CampusGraph, source: str, sink: str, detour: int) -> list[Path]:
    """The paths with at most `detour` links more than the fewest; MOST_PATHS of them."""
    paths = simple_paths(graph, source, sink, by_links)
    first = next(paths, None)
    if first is None:
        return []
    near = takewhile(lambda path: len(path) <= len(first) + detour, paths)
    return [first, *islice(near, MOST_PATHS - 1)]


class Ecmp(Policy):
    """Equal-cost multipath: a link costs one, and each path has the same share. [RFC 2992]"""

    def paths(self, graph: CampusGraph, source: str, sink: str) -> Sequence[Share]:
        """As many as there are with fewest links, or `detour` more."""
        return [Share(path) for path in few_spans(graph, source, sink, self.routing.detour)]

    def best(self, graph: CampusGraph, source: str, sink: str) -> Path | None:
        """The first: all have the same share."""
        return next(simple_paths(graph, source, sink, by_links), None)


class Wcmp(Policy):
    """Weighted-cost multipath: shares are as the paths' bottlenecks. [Zhou et al., EuroSys 2014]"""

    def paths(self, graph: CampusGraph, source: str, sink: str) -> Sequence[Share]:
        """The paths of `Ecmp`, with weights."""
        paths = few_spans(graph, source, sink, self.routing.detour)
        rates = [rate_bps(path) for path in paths]
        return [Share(p, w) for p, w in zip(paths, weights(rates) if rates else [], strict=True)]
