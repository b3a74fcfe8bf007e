"""How campuses are routed: each policy is a small class with one method, `paths`.

Pure: a policy sees campuses and links, and says which paths traffic from one campus to another
takes, in which shares. Making loop-free rules of its answer, and keeping them alive when links
fail, is the business of `controller.routes.routes` and of the controller.
"""

from __future__ import annotations

from controller.policies.collective_aware import CollectiveAware
from controller.policies.ecmp import Ecmp, Wcmp
from controller.policies.loss_aware import LossAware
from controller.policies.most_bandwidth import MostBandwidth
from controller.policies.policy import Policy
from controller.policies.shortest_delay import ShortestDelay
from controller.policies.static import Static
from scenario.types.topology import Routing

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
"""By the name that a topology uses. To add one: a class here, its name in `scenario/topology/routing.py`."""


def policy(routing: Routing) -> Policy:
    """The policy that a topology's `routing` asks for, with its options. Raises KeyError for `none`,
    which has no program."""
    return POLICIES[routing.policy](routing)
