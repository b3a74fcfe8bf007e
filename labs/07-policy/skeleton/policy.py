"""Lab 7 of [[ student ]]: which path traffic takes between two campuses. Tried on other networks than yours, too."""

from collections.abc import Sequence

from controller.policies.campuses import CampusGraph, simple_paths
from controller.policies.policy import Policy, Share


class MyPolicy(Policy):
    """So far: any path, if it ends where it should. It does not."""

    def paths(self, graph: CampusGraph, source: str, sink: str) -> Sequence[Share]:
        """One path from campus `source` to campus `sink`; `self.routing.message_bytes` is the message to be sent."""
        path = next(simple_paths(graph, source, sink))
        return [Share(path[:1])]
