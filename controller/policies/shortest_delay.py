"""All traffic takes the path of least delay."""

from __future__ import annotations

from collections.abc import Sequence

from controller.policies.campuses import CampusGraph, shortest
from controller.policies.policy import Policy, Share


class ShortestDelay(Policy):
    """What distance-vector and link-state routing do with delay as the metric."""

    def paths(self, graph: CampusGraph, source: str, sink: str) -> Sequence[Share]:
        """One path; of equals, the one with fewest links."""
        path = shortest(graph, source, sink)
        return [Share(path)] if path is not None else []
