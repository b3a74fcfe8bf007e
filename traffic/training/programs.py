"""From a workload and a plan to one program per rank: what its agent replays.

Pure. Compute time comes from the host's accelerators, 6·N·tokens ÷ (peak × achieved share)
[Kaplan et al. 2020]; the collective's bytes are scaled as the plan's rates are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from scenario.plan.types import Plan, PlannedHost
from scenario.types.achieved import FLOP_PER_PARAMETER
from scenario.types.topology import Training
from traffic.carried import carried_bytes
from traffic.model.choosing import choose
from traffic.model.model import Model
from traffic.schedule import Schedule
from traffic.tasks import GroupCollective, options
from traffic.training.work import weights


def size_bytes(workload: Training, plan: Plan) -> int:
    """Carried bytes of all gradients: scaled, in whole elements, at least one per rank; compressed, where
    the strategy does that to all of them."""
    sent = workload.gradient_bytes / getattr(workload.strategy, "compression", 1.0)
    return carried_bytes(sent, plan, len(plan.hosts))


def compute_s(workload: Training, hosts: Sequence[PlannedHost]) -> list[float]:
    """Seconds of compute per step and rank, each with its share of the batch."""
    weighed = weights(workload, hosts)
    flop = FLOP_PER_PARAMETER * workload.parameters * workload.tokens / sum(weighed)
    return [flop * weight / host.flops for weight, host in zip(weighed, hosts, strict=True)]


def resolved(workload: Training, plan: Plan) -> Training:
    """The workload with `auto` replaced by the algorithm that should be fastest on this plan, between its
    hosts' different compute times."""
    collective = workload.collective
    if collective.algorithm != "auto":
        return workload
    seconds = compute_s(workload, plan.hosts)
    carried = size_bytes(workload, plan)
    model = Model(plan, workload.transport)
    choice = choose(
        model.wires,
        collective.op,
        carried,
        options(collective, plan),
        lambda schedule: model.collective_s(schedule, seconds),
    )
    chosen = replace(
        collective,
        algorithm=choice.algorithm,
        inner=choice.options.inner,
        outer=choice.options.outer,
    )
    return replace(workload, collective=chosen)


def group_collective(workload: Training, plan: Plan) -> GroupCollective:
    """The workload's collective, as carried, among all ranks of the plan."""
    collective = workload.collective
    return GroupCollective(
        collective.op,
        collective.algorithm,
        tuple(host.rank for host in plan.hosts),
        size_bytes(workload, plan),
        options(collective, plan),
    )


def make_schedule(workload: Training, plan: Plan) -> Schedule:
    """The collective's schedule over all ranks of the plan. Raises ValueError where the plan has too few
    hosts for what is asked of it."""
    return group_collective(workload, plan).schedule(plan)
