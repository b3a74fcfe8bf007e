"""Training as a kind of workload: programs for the agents, what the model expects, the agents' events."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from longhaul.dsl.types import Training
from longhaul.fabric.plan import Plan
from traffic.events import read_events
from traffic.kind import Placed, Prepared, Tables
from traffic.model import collective_s, ring_textbook_s
from traffic.programs import compute_s, make_programs, make_schedule, resolved, size_bytes
from traffic.schedule import Schedule

MODELLED: tuple[str, ...] = (
    "GPU compute is a sleep of 6·N·tokens ÷ (peak × achieved share)",
    "traffic inside a host (NVLink) costs nothing, and so does adding numbers up",
)


def prepare(workload: Training, plan: Plan, seed: int) -> Prepared:  # noqa: ARG001 (nothing is drawn)
    """One program per host, and what α–β expects of them."""
    workload = resolved(workload, plan)
    schedule = make_schedule(workload, plan)
    programs = make_programs(workload, plan, schedule)
    seconds = compute_s(workload, plan.hosts)
    return Prepared(
        programs={
            host.name: {"module": "traffic.agent"} | program
            for host, program in zip(plan.hosts, programs, strict=True)
        },
        about=_about(workload, plan, seconds)
        | {"prediction": _prediction(workload, plan, schedule)},
        quiet_s=max(seconds) + ring_textbook_s(plan, size_bytes(workload, plan)),
    )


def collect(placed: Placed, folder: Path, start_ns: int) -> Tables:
    """The events of every rank."""
    return {"events": read_events(placed, folder, start_ns)}


def _about(workload: Training, plan: Plan, seconds: list[float]) -> dict[str, Any]:
    return {
        "parameters": workload.parameters,
        "gradient_bytes": workload.gradient_bytes,
        "tokens": workload.tokens,
        "size_bytes": size_bytes(workload, plan),
        "iterations": workload.iterations,
        "warmup": workload.warmup,
        "op": workload.collective.op,
        "algorithm": workload.collective.algorithm,
        "verify": workload.collective.verify,
        "compute_s": seconds,
        "gpu_hour": asdict(workload.gpu_hour) if workload.gpu_hour else None,
    }


def _prediction(workload: Training, plan: Plan, schedule: Schedule) -> dict[str, Any]:
    return {
        "collective_s": collective_s(plan, schedule, compute_s(workload, plan.hosts)),
        "textbook_s": ring_textbook_s(plan, size_bytes(workload, plan)),
        "ideal_iteration_s": ideal_iteration_s(plan, workload),
    }


def ideal_iteration_s(plan: Plan, workload: Training) -> float:
    """An iteration if all hosts stood in one campus, equally fast, behind loss-free switches: equal
    compute at the mean speed, and the ring's bytes at the slowest NIC's rate."""
    hosts = plan.hosts
    flop = 6 * workload.parameters * workload.tokens
    beta = 8 / (min(host.nic_bps for host in hosts) * plan.payload_share)
    wire_s = 2 * (len(hosts) - 1) / len(hosts) * size_bytes(workload, plan) * beta
    return flop / sum(host.flops for host in hosts) + wire_s
