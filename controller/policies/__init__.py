"""How campuses are routed: each policy is a small class with one method, `paths`.

Pure: a policy sees campuses and spans, and says which paths traffic from one campus to another
takes, in which shares. Making loop-free rules of its answer, and keeping them alive when spans
fail, is the business of `longhaul.fabric.routes` and of the controller.
"""

from __future__ import annotations

from longhaul.dsl.types import Routing

from .collective_aware import CollectiveAware
from .ecmp import Ecmp, Wcmp
from .loss_aware import LossAware
from .most_bandwidth import MostBandwidth
from .policy import Policy
from .shortest_delay import ShortestDelay
from .static import Static

__all__ = ["POLICIES", "Policy", "policy"]

POLICIES: dict[str, type[Policy]] = {
    "shortest-delay": ShortestDelay,
    "most-bandwidth": MostBandwidth,
    "ecmp": Ecmp,
    "wcmp": Wcmp,
    "loss-aware": LossAware,
    "collective-aware": CollectiveAware,
    "static": Static,
}
"""By the name that a topology uses. To add one: a class here, its name in `longhaul/dsl/routing.py`."""


def policy(routing: Routing) -> Policy:
    """The policy that a topology's `routing` asks for, with its options. Raises KeyError for `none`,
    which has no program."""
    return POLICIES[routing.policy](routing)
