"""From a workload and a plan to one program per rank: what its agent replays.

Pure. Compute time comes from the host's accelerators, 6·N·tokens ÷ (peak × achieved share)
[Kaplan et al. 2020]; the collective's bytes are scaled as the plan's rates are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from longhaul.dsl.types import Training
from longhaul.fabric.plan import Plan, PlannedHost
from traffic.collectives import ALGORITHMS, ELEMENT_BYTES
from traffic.model import pacing_Bps
from traffic.schedule import Schedule


def size_bytes(workload: Training, plan: Plan) -> int:
    """Carried bytes per collective: scaled gradients, in whole elements, at least one per rank."""
    elements = round(workload.gradient_bytes / plan.scale_bytes / ELEMENT_BYTES)
    return ELEMENT_BYTES * max(elements, len(plan.hosts))


def compute_s(workload: Training, hosts: Sequence[PlannedHost]) -> list[float]:
    """Seconds of compute per iteration and rank: equal shares of the batch, unequal hosts."""
    flop = 6 * workload.parameters * workload.tokens / len(hosts)
    return [flop / host.flops for host in hosts]


def make_schedule(workload: Training, plan: Plan) -> Schedule:
    """The collective's schedule over all ranks of the plan."""
    collective = workload.collective
    algorithm = ALGORITHMS[collective.op, collective.algorithm]
    return algorithm(len(plan.hosts), size_bytes(workload, plan))


def make_programs(workload: Training, plan: Plan, schedule: Schedule) -> list[dict[str, Any]]:
    """One program per rank, ready to be written as JSON; see `traffic.agent.run`."""
    size = size_bytes(workload, plan)
    seconds = compute_s(workload, plan.hosts)
    return [
        {
            "rank": rank,
            "addresses": [host.ip for host in plan.hosts],
            "iterations": workload.warmup + workload.iterations,
            "verify": workload.collective.verify,
            "congestion": "cubic",
            "pacing_Bps": pacing_Bps(plan, plan.hosts[rank]),
            "size_bytes": size,
            "tasks": [
                {"kind": "compute", "after": [], "ns": round(seconds[rank] * 1e9)},
                {
                    "kind": "collective",
                    "after": [0],
                    "size_bytes": size,
                    "ops": [[op.kind, op.peer, op.offset, op.size, op.after] for op in ops],
                },
            ],
        }
        for rank, ops in enumerate(schedule)
    ]
