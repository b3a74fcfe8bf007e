"""Does the model fit? What training keeps in the memory of each host, and a refusal, with the arithmetic, where it is
too much.

Mixed-precision Adam keeps 16 bytes per parameter: weights and gradients in 2 bytes each, and weights, momentum and
variance in 4 each [Rajbhandari et al. 2020, ZeRO, section 3.1]. A host's GPUs share its part between them, as tensor
parallelism or ZeRO inside NVLink does. A tenth of the memory is left to activations and buffers (assumed: activations
are computed again; 5 to 30 %).
"""

from __future__ import annotations

from scenario.plan.types import Plan, PlannedHost
from scenario.types.topology import Training
from scenario.types.training import FSDP, MoE, Pipeline, Tensor
from traffic.training.groups import groups_within
from traffic.training.pipeline import split_layers, stages
from traffic.training.work import weights

STATE_BYTES = 16.0
WEIGHT_BYTES = 2.0
FOR_STATE = 0.9
"""The share of the memory that weights, gradients and the optimizer may take."""


def check_memory(workload: Training, plan: Plan) -> None:
    """Raises ValueError where a host cannot hold its part of the model. Unknown memory holds everything."""
    needed = state_bytes(workload, plan)
    for host in plan.hosts:
        if host.memory_bytes and needed[host.rank] > FOR_STATE * host.memory_bytes:
            raise ValueError(_refusal(workload, host, needed[host.rank], host.memory_bytes))


def state_bytes(workload: Training, plan: Plan) -> list[float]:
    """What weights, gradients and the optimizer take on each host."""
    whole, count = workload.parameters, len(plan.hosts)
    match workload.strategy:
        case FSDP() as strategy:
            return [_sharded(workload, strategy, count)] * count
        case MoE() as strategy:
            return [STATE_BYTES * _mixture(workload, strategy, host, plan) for host in plan.hosts]
        case Tensor() as strategy:
            group = groups_within(strategy.within, plan)[0]
            return [STATE_BYTES * whole / len(group)] * count
        case Pipeline():
            return _stages(workload, plan)
    return [STATE_BYTES * whole] * count


def _sharded(workload: Training, strategy: FSDP, count: int) -> float:
    """ZeRO-3 keeps a share of everything and the layers that are gathered; ZeRO-2 all weights."""
    whole = workload.parameters
    if not strategy.reshard:
        return WEIGHT_BYTES * whole + (STATE_BYTES - WEIGHT_BYTES) * whole / count
    gathered = sum(sorted(workload.layers)[-(strategy.prefetch + 1) :])
    return STATE_BYTES * whole / count + WEIGHT_BYTES * gathered


def _mixture(workload: Training, strategy: MoE, host: PlannedHost, plan: Plan) -> float:
    """Parameters of a host: what every token meets, and its part of the experts."""
    experts = (workload.parameters - workload.active) / (1 - strategy.top_k / strategy.experts)
    alike = [one for one in plan.hosts if strategy.within == "all" or one.campus == host.campus]
    return workload.parameters - experts + experts / len(alike)


def _stages(workload: Training, plan: Plan) -> list[float]:
    """Every host of a stage keeps the stage's layers."""
    groups = stages(workload, plan)
    sizes = [sum(weights(workload, [plan.hosts[rank] for rank in group])) for group in groups]
    found = [0.0] * len(plan.hosts)
    for group, parameters in zip(groups, split_layers(workload.layers, sizes), strict=True):
        for rank in group:
            found[rank] = STATE_BYTES * parameters
    return found


def _refusal(workload: Training, host: PlannedHost, needed: float, there: float) -> str:
    held = needed / STATE_BYTES
    return (
        f"the model does not fit: {host.name} would keep {needed / 1e9:.4g} GB ({held:.3g} of its"
        f" {workload.parameters:.3g} parameters x {STATE_BYTES:.0f} B of weights, gradients and Adam's state), but its"
        f" {host.gpus} {host.accelerator} have {there / 1e9:.4g} GB, of which {1 - FOR_STATE:.0%} is left to"
        " activations; more GPUs to a host, fsdp or a pipeline divide it"
    )
