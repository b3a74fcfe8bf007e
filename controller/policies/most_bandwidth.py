"""All traffic takes the path with the widest bottleneck; of equals, the shortest."""

from __future__ import annotations

from collections.abc import Sequence

from controller.policies.campuses import CampusGraph, shortest
from controller.policies.policy import Policy, Share


class MostBandwidth(Policy):
    """Widest-shortest routing. [Guerin, Orda & Williams 1997]"""

    def paths(self, graph: CampusGraph, source: str, sink: str) -> Sequence[Share]:
        """Spans are left out, the thinnest first, for as long as there is a path."""
        best = shortest(graph, source, sink)
        for rate_bps in graph.rates_bps:
            path = shortest(graph.of_rate(rate_bps), source, sink)
            if path is None:
                break
            best = path
        return [Share(best)] if best is not None else []
