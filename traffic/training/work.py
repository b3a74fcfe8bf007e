"""How long hosts compute: FLOP of their share of a batch, over what their accelerators achieve.

A forward pass takes 2 FLOP per parameter and token, a backward pass 4. [Kaplan et al. 2020]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from scenario.plan.types import Plan, PlannedHost
from scenario.types.achieved import achieved_flops
from scenario.types.topology import Training

FORWARD = 2.0
BACKWARD = 4.0


def at_speed(plan: Plan, precision: str, parameters: float) -> Plan:
    """The plan with every host's `flops` as for a model of so many parameters, computed in a precision."""

    def fitted(host: PlannedHost) -> PlannedHost:
        flops = achieved_flops(host.achieved, precision, parameters)
        return replace(host, flops=flops)

    return replace(
        plan, hosts=tuple(fitted(host) if host.achieved else host for host in plan.hosts)
    )


def weights(workload: Training, hosts: Sequence[PlannedHost]) -> list[float]:
    """What the hosts' shares of some work are in proportion to."""
    match workload.shares:
        case "per-gpu":
            return [float(host.gpus) for host in hosts]
        case "per-host":
            return [1.0] * len(hosts)
    return [host.flops for host in hosts]


def shares(workload: Training, plan: Plan, ranks: Sequence[int]) -> dict[int, float]:
    """The share of some work that each of the ranks takes; they sum to 1."""
    weighed = weights(workload, [plan.hosts[rank] for rank in ranks])
    whole = sum(weighed)
    return {rank: weight / whole for rank, weight in zip(ranks, weighed, strict=True)}


def tokens(workload: Training, plan: Plan) -> dict[int, float]:
    """The tokens of a step that each rank computes."""
    every = range(len(plan.hosts))
    return {rank: share * workload.tokens for rank, share in shares(workload, plan, every).items()}


def seconds(plan: Plan, flop_per_token: float, tokens_of: Mapping[int, float]) -> dict[int, float]:
    """Seconds of compute of each rank over its tokens."""
    return {
        rank: flop_per_token * count / plan.hosts[rank].flops for rank, count in tokens_of.items()
    }


def scaled(times_s: Mapping[int, float], factor: float) -> dict[int, float]:
    """A part of some compute, or a multiple."""
    return {rank: time_s * factor for rank, time_s in times_s.items()}
