"""What would be built of a topology: the plan. Apart from the other questions, as it needs so little."""

from __future__ import annotations

from longhaul.api.inputs import Topology
from longhaul.planning import make_plan
from scenario.plan.types import Plan


def plan(topology: Topology, *, seed: int = 1) -> Plan:
    """What would be built: every name, address, shape and route, rates and payloads scaled. Switches hash by the
    seed. Raises InvalidInput."""
    return make_plan(topology.elaborated, seed)
