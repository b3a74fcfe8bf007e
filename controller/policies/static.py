"""Traffic takes the paths that the topology gives; the shortest where it gives none."""

from __future__ import annotations

from collections.abc import Sequence

from controller.policies.campuses import Arc, CampusGraph, Path, shortest
from controller.policies.policy import Policy, Share


class Static(Policy):
    """Paths written down by hand. One whose link has failed is left out while it is down."""

    def paths(self, graph: CampusGraph, source: str, sink: str) -> Sequence[Share]:
        """Several paths for a pair share its traffic as their weights say."""
        given = [
            Share(path, written.weight)
            for written in self.routing.paths
            if (written.source, written.sink) == (source, sink)
            and (path := follow(graph, source, written.over)) is not None
        ]
        if given:
            return given
        path = shortest(graph, source, sink)
        return [Share(path)] if path is not None else []


def follow(graph: CampusGraph, source: str, links: Sequence[str]) -> Path | None:
    """The path from `source` over links by name; None where the graph lacks one of them."""
    path: tuple[Arc, ...] = ()
    node = source
    for link in links:
        arc = next((a for a in graph.leaving.get(node, ()) if a.link == link), None)
        if arc is None:
            return None
        path, node = (*path, arc), arc.head
    return path
