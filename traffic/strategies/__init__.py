"""Strategies of parallel training: each turns a workload and a plan into the tasks of one iteration.

A strategy is a function that adds tasks to a Graph. To add one: such a function here, its typed form
in `longhaul.dsl.training_types`, its language in `longhaul.dsl.strategy`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from longhaul.dsl.training_types import DDP, FSDP, DiLoCo, MoE, Pipeline, Plain
from longhaul.dsl.types import Training
from longhaul.fabric.plan import Plan
from traffic.strategies.data_parallel import ddp, plain
from traffic.strategies.diloco import diloco
from traffic.strategies.graph import Graph
from traffic.strategies.moe import moe
from traffic.strategies.pipeline import pipeline
from traffic.strategies.sharded import fsdp

STRATEGIES: dict[type[Any], Callable[[Training, Graph], None]] = {
    Plain: plain,
    DDP: ddp,
    FSDP: fsdp,
    Pipeline: pipeline,
    MoE: moe,
    DiLoCo: diloco,
}
"""What makes the tasks of each strategy. Raises ValueError where the hosts do not suit it."""


def graph(workload: Training, plan: Plan) -> Graph:
    """The tasks of one iteration. Raises ValueError where the plan does not suit the strategy."""
    made = Graph(plan, workload.collective)
    STRATEGIES[type(workload.strategy)](workload, made)
    return made
