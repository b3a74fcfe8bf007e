"""What a policy is: from a graph and a pair of campuses to paths and their shares."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from math import gcd
from typing import ClassVar

from controller.policies.campuses import CampusGraph, Path
from scenario.types.topology import Routing

MOST_WEIGHT = 64
"""Open vSwitch hashes into at most 64 slots in its data plane; weights add up to no more."""


class Spread(Enum):
    """How packets are dealt to the paths of a class.

    HASH: by addresses and ports of the connection, in an OpenFlow group of type SELECT. Which one a
    connection takes is decided by the run's seed. DESTINATION: the hosts of the receiving campus are
    dealt to the paths in turn, so that it is known from the plan; each has a rule of its own.
    """

    HASH = "hash"
    DESTINATION = "destination"


@dataclass(frozen=True)
class Share:
    """A path, and the weight of its share among the paths of its class.

    `dscp` None: the class of all traffic that no other class of the answer takes.
    """

    path: Path
    weight: int = 1
    dscp: int | None = None


class Policy(ABC):
    """A way to route campuses. Its options are in `self.routing`, as the topology says them."""

    spread: ClassVar[Spread] = Spread.HASH

    def __init__(self, routing: Routing) -> None:
        self.routing = routing

    @abstractmethod
    def paths(self, graph: CampusGraph, source: str, sink: str) -> Sequence[Share]:
        """The paths from campus `source` to campus `sink`, with their shares; none where `graph`
        joins them by no path. A path visits no campus twice."""

    def best(self, graph: CampusGraph, source: str, sink: str) -> Path | None:
        """Of the paths for all traffic the one with the largest share, of equals the first; None where there is none.
        A policy that knows it without all the others says so here."""
        ordinary = [share for share in self.paths(graph, source, sink) if share.dscp is None]
        return max(ordinary, key=lambda share: share.weight).path if ordinary else None


def weights(rates: Sequence[float]) -> list[int]:
    """Whole weights in the proportion of `rates`, each at least 1, as small as their proportion
    allows and no more than MOST_WEIGHT in sum, as near as rounding can get."""
    least = min(rates)
    whole = [round(rate / least) for rate in rates]
    if all(abs(w * least / rate - 1) < 1e-6 for w, rate in zip(whole, rates, strict=True)):
        exact = whole
    else:
        exact = [max(1, round(rate * 16 / max(rates))) for rate in rates]
    while sum(exact) > MOST_WEIGHT and max(exact) > 1:
        exact = [max(1, weight // 2) for weight in exact]
    divisor = gcd(*exact)
    return [weight // divisor for weight in exact]
