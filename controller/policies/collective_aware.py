"""Route collectives: spread the flows of bulk over links that share nothing, hurry what is small.

A collective is many flows of equal size that start together, and ends with the last of them: two on
one link make all wait. So receivers of bulk are dealt to link-disjoint paths in turn, in shares as
the paths' rates are, which no hash could promise. Connections whose messages are all
small carry the DSCP of expedited forwarding; they take the path of least delay.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from controller.policies.campuses import MOST_PATHS, CampusGraph, disjoint_paths, rate_bps
from controller.policies.policy import Policy, Share, Spread, weights
from scenario.plan.ways import EXPEDITED


class CollectiveAware(Policy):
    """Two classes: expedited on the shortest path, all else over disjoint ones, widest first."""

    spread = Spread.DESTINATION

    def paths(self, graph: CampusGraph, source: str, sink: str) -> Sequence[Share]:
        """Of the disjoint paths, those that have at least a quarter of the widest one's rate."""
        disjoint = list(islice(disjoint_paths(graph, source, sink), MOST_PATHS))
        if not disjoint:
            return []
        wide = sorted(disjoint, key=rate_bps, reverse=True)
        wide = [path for path in wide if rate_bps(path) >= rate_bps(wide[0]) / 4]
        bulk = zip(wide, weights([rate_bps(path) for path in wide]), strict=True)
        return [Share(disjoint[0], dscp=EXPEDITED), *(Share(path, w) for path, w in bulk)]
