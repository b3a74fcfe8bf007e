"""How long hosts compute: FLOP of their share of a batch, over what their accelerators achieve.

A forward pass takes 2 FLOP per parameter and token, a backward pass 4. [Kaplan et al. 2020]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scenario.plan.types import Plan
from scenario.types.topology import Training

FORWARD = 2.0
BACKWARD = 4.0


def shares(workload: Training, plan: Plan, ranks: Sequence[int]) -> dict[int, float]:
    """The share of some work that each of the ranks takes; they sum to 1."""
    if workload.shares == "equal":
        return dict.fromkeys(ranks, 1 / len(ranks))
    whole = sum(plan.hosts[rank].flops for rank in ranks)
    return {rank: plan.hosts[rank].flops / whole for rank in ranks}


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
