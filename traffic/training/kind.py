"""Training as a kind of workload: programs for the agents, what the model expects, the agents' events."""

from __future__ import annotations

import math
import random
from dataclasses import asdict, replace
from pathlib import Path
from statistics import NormalDist
from typing import Any

from scenario.plan.proportion import proportion, says
from scenario.plan.types import Plan
from scenario.types.topology import Training
from scenario.types.training import DiLoCo, Plain, Slowdowns
from traffic.events import read_adapters, read_events
from traffic.host.program import ComputeTask, Task
from traffic.kind import Assignment, Placed, Prepared, Tables
from traffic.model import equal_ways
from traffic.model.forecast import Cycle, durations_s, ideal_cycle
from traffic.model.model import Model, ring_textbook_s
from traffic.model.wires import Wires
from traffic.tasks import Replay, agents
from traffic.training.memory import check_memory
from traffic.training.programs import compute_s, make_schedule, resolved, size_bytes
from traffic.training.strategies import graph
from traffic.training.task_graph import Graph
from traffic.training.work import at_speed

MODELLED: tuple[str, ...] = (
    "GPU compute is a sleep of 6·N·tokens ÷ (peak × achieved share); an optimizer's step takes no time",
    "traffic inside a host (NVLink) costs nothing, and so does adding numbers up",
    "compression is a factor on the bytes of gradients: it takes no compute",
)
WORST = 20.0
"""Standard deviations, or means, that no draw exceeds."""


def prepare(workload: Training, plan: Plan, seed: int) -> Prepared:
    """One program per host, and what α–β expects of them. Raises ValueError."""
    workload, plan = _fitted(workload, plan)
    tasks = graph(workload, plan)
    prediction = _prediction(workload, plan, tasks)
    slow = workload.slowdowns
    return Prepared(
        programs=_programs(workload, plan, tasks, seed),
        about=_about(workload, plan, tasks)
        | {
            "prediction": prediction,
            "proportion": _proportion(workload, plan),
            "equal_ways": equal_ways.described(plan, tasks.tasks, workload.transport),
        },
        quiet_s=prediction["iteration_s"] * (1 + WORST * slow.spread if slow else 1),
    )


def cycles(workload: Training, plan: Plan) -> tuple[Cycle, Cycle]:
    """An iteration as it is, and on one uniform campus, for `traffic.model.forecast`. Raises ValueError."""
    workload, plan = _fitted(workload, plan)
    return _cycles(workload, plan, graph(workload, plan))


def _fitted(workload: Training, plan: Plan) -> tuple[Training, Plan]:
    """The workload with its algorithm chosen, on hosts as fast as they are for it. Raises ValueError."""
    if len(plan.hosts) < 2:
        raise ValueError("training on a single host needs no network: give it two hosts or more")
    check_memory(workload, plan)
    plan = at_speed(plan, workload.precision, workload.active or workload.parameters)
    return resolved(workload, plan), plan


def collect(placed: Placed, folder: Path, start_ns: int) -> Tables:
    """The events of every rank, and what their adapters counted."""
    return {"events": read_events(placed, folder, start_ns)} | read_adapters(placed, folder)


def _programs(workload: Training, plan: Plan, tasks: Graph, seed: int) -> dict[str, Assignment]:
    """By host."""
    replay = Replay(
        workload.warmup + workload.iterations,
        workload.collective.verify,
        workload.collective.congestion,
        workload.collective.socket_buffer_bytes,
        workload.transport,
    )
    slowdowns = {
        host.rank: draw(workload, f"{seed}/{workload.name}/{host.name}") for host in plan.hosts
    }
    return agents(plan, tasks.tasks, replay, slowdowns)


def draw(workload: Training, seed: str) -> list[float]:
    """How many times as long a host's compute takes, by iteration; nothing where it never varies."""
    slow = workload.slowdowns
    if slow is None:
        return []
    # Seeded with a text, random() is the same on every machine and version of Python.
    chance = random.Random(seed)
    return [_drawn(slow, chance) for _ in range(workload.warmup + workload.iterations)]


def _drawn(slow: Slowdowns, chance: random.Random) -> float:
    happens, where = chance.random() < slow.chance, chance.random()
    sizes = {
        "half-normal": NormalDist().inv_cdf(0.5 + where / 2),
        "exponential": -math.log(1 - where),
        "fixed": 1.0,
    }
    return 1.0 + slow.spread * sizes[slow.distribution] if happens else 1.0


def steps(workload: Training) -> int:
    """Batches in one iteration."""
    strategy = workload.strategy
    return strategy.inner_steps if isinstance(strategy, DiLoCo) else 1


def _about(workload: Training, plan: Plan, tasks: Graph) -> dict[str, Any]:
    largest = max(
        tasks.communication, key=lambda one: one.size_bytes * len(one.tasks), default=None
    )
    return {
        "strategy": asdict(workload.strategy),
        "parameters": workload.parameters,
        "gradient_bytes": workload.gradient_bytes,
        "tokens": workload.tokens * steps(workload),
        "iterations": workload.iterations,
        "warmup": workload.warmup,
        "op": largest.op if largest else workload.collective.op,
        "algorithm": largest.algorithm if largest else workload.collective.algorithm,
        "size_bytes": largest.size_bytes if largest else size_bytes(workload, plan),
        "collectives": [asdict(one) for one in tasks.communication],
        "verify": workload.collective.verify,
        "transport": workload.transport.kind,
        "compute_s": [_compute_s(own) for own in tasks.tasks],
        "gpu_hour": asdict(workload.gpu_hour) if workload.gpu_hour else None,
    }


def _proportion(workload: Training, plan: Plan) -> dict[str, Any] | None:
    found = proportion(plan, workload)
    return asdict(found) | {"says": says(found)} if found else None


def _compute_s(tasks: list[Task]) -> float:
    return sum(task.ns for task in tasks if isinstance(task, ComputeTask)) / 1e9


def _prediction(workload: Training, plan: Plan, tasks: Graph) -> dict[str, Any]:
    """`collective_s` only where an iteration has one collective: of several that overlap, none has a time
    that says anything by itself. All without random slowdowns."""
    iteration_s, ideal_s = durations_s(_cycles(workload, plan, tasks))
    found = {"iteration_s": iteration_s, "ideal_iteration_s": ideal_s}
    if not isinstance(workload.strategy, Plain):
        return found
    schedule, model = make_schedule(workload, plan), Model(plan, workload.transport)
    return found | {
        "collective_s": model.collective_s(schedule, compute_s(workload, plan.hosts)),
        "textbook_s": ring_textbook_s(plan, size_bytes(workload, plan), workload.transport),
    }


def _cycles(workload: Training, plan: Plan, tasks: Graph) -> tuple[Cycle, Cycle]:
    """As it is, and on one uniform campus."""
    level = replace(workload, shares="proportional")  # nobody waits for a host with more GPUs
    actual = Cycle(Wires(plan, workload.transport), tasks.tasks)
    return actual, ideal_cycle(plan, lambda ideal: graph(level, ideal).tasks, workload.transport)
