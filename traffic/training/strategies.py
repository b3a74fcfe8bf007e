"""Strategies of parallel training: each turns a workload and a plan into the tasks of one iteration.

A strategy is a function that adds tasks to a Graph. To add one: such a function here, its typed form
in `scenario.types.training`, its language in `scenario.workload.strategy`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scenario.plan.types import Plan
from scenario.types.topology import Training
from scenario.types.training import DDP, FSDP, DiLoCo, MoE, Pipeline, Plain, Tensor
from traffic.training.data_parallel import ddp, plain
from traffic.training.diloco import diloco
from traffic.training.moe import moe
from traffic.training.pipeline import pipeline
from traffic.training.sharded import fsdp
from traffic.training.task_graph import Graph
from traffic.training.tensor import tensor

STRATEGIES: dict[type[Any], Callable[[Training, Graph], None]] = {
    Plain: plain,
    DDP: ddp,
    FSDP: fsdp,
    Pipeline: pipeline,
    MoE: moe,
    Tensor: tensor,
    DiLoCo: diloco,
}
"""What makes the tasks of each strategy. Raises ValueError where the hosts do not suit it."""


def graph(workload: Training, plan: Plan) -> Graph:
    """The tasks of one iteration. Raises ValueError where the plan does not suit the strategy."""
    made = Graph(plan, workload.collective)
    STRATEGIES[type(workload.strategy)](workload, made)
    return made
