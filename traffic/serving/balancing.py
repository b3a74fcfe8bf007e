"""To which replica a gateway sends a request: round robin, least loaded, nearest.

A gateway knows only its own requests, as the load balancers of real fleets do. Standard library alone.
"""

from __future__ import annotations

from collections.abc import Sequence


class RoundRobin:
    """Each replica in turn."""

    def __init__(self, distances_ns: Sequence[int]) -> None:
        self._count = len(distances_ns)
        self._last = -1

    def choose(self, outstanding: Sequence[int]) -> int:  # noqa: ARG002 - all policies are called alike
        """The replica, by its index, where each has so many `outstanding` requests of this gateway."""
        self._last = (self._last + 1) % self._count
        return self._last


class LeastLoaded:
    """The replica with the fewest outstanding requests; of several such, the next in turn."""

    def __init__(self, distances_ns: Sequence[int]) -> None:
        self._last = -1
        self._candidates = self._eligible(distances_ns)

    def _eligible(self, distances_ns: Sequence[int]) -> list[int]:
        return list(range(len(distances_ns)))

    def choose(self, outstanding: Sequence[int]) -> int:
        """The replica, by its index, where each has so many `outstanding` requests of this gateway."""

        def load(candidate: int) -> tuple[int, int]:
            return outstanding[candidate], (candidate - self._last - 1) % len(outstanding)

        self._last = min(self._candidates, key=load)
        return self._last


class Nearest(LeastLoaded):
    """Of the replicas at the least distance the least loaded. It never spills over to others."""

    def _eligible(self, distances_ns: Sequence[int]) -> list[int]:
        least = min(distances_ns)
        return [index for index, distance in enumerate(distances_ns) if distance == least]


Policy = RoundRobin | LeastLoaded
POLICIES: dict[str, type[Policy]] = {
    "round-robin": RoundRobin,
    "least-loaded": LeastLoaded,
    "nearest": Nearest,
}
