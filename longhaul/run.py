"""The life of one run: read → plan → carry out → collect → analyse, into a run folder.

Each step is a function of what the one before left; only `carry_out` touches a kernel.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from analysis.report import write_report
from analysis.summary import write_summary
from analysis.tables import write_events
from longhaul import __version__, folder
from longhaul.dsl import load_workload
from longhaul.dsl.types import Training
from longhaul.fabric.plan import Plan, make_plan
from longhaul.factors import load_without
from longhaul.machine import dispatch
from traffic.agent import FIELDS, KINDS
from traffic.model import collective_s, ring_textbook_s
from traffic.programs import compute_s, make_programs, make_schedule, size_bytes
from traffic.schedule import Schedule

DEFAULT_WORKLOAD = Path(__file__).parents[1] / "traffic" / "workloads" / "training.yaml"
MODELLED = (
    "GPU compute is a sleep of 6·N·tokens ÷ (peak × achieved share)",
    "traffic inside a host (NVLink) costs nothing, and so does adding numbers up",
    "RDMA is not emulated: the transport is the kernel's TCP, its timers in steps of 10 ms",
    "payloads and rates are divided by the same number; packets are not, nor is loss per packet",
    "loss from aging comes in bursts or not as the model of its file says; burst length is assumed",
)
HANG_ITERATIONS = 50
HANG_LEAST_S = 120.0


@dataclass(frozen=True)
class Request:
    """What the user asked for. `cpu` None lets the machine choose.

    `without` names the factors that are switched off, `workload_overrides` change the workload.
    """

    topology: Path
    workload: Path
    overrides: tuple[str, ...]
    seed: int
    time: str
    machine: str
    out: Path | None
    cpu: int | None
    patience_s: float
    command: tuple[str, ...]
    without: tuple[str, ...] = ()
    workload_overrides: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inputs:
    """What the files say, worked out: all that a run is a function of, but for the seed."""

    plan: Plan
    workload: Training
    schedule: Schedule
    files: tuple[str, ...]


@dataclass
class Watcher:
    """Hears of the run as it goes; all of its wall time is booked to one phase or another."""

    hear: Callable[[dict[str, Any]], None]
    phases_wall_s: dict[str, float] = field(default_factory=dict)
    _since: float = field(default_factory=time.perf_counter)
    _phase: str = "plan"
    wrong: int = 0

    def __call__(self, message: dict[str, Any]) -> None:
        """Take one line of progress, and pass it on."""
        if "phase" in message:
            self.enter(message["phase"])
        self.wrong += message.get("wrong", 0)
        self.hear(message)

    def enter(self, phase: str) -> None:
        """Book the time since the last call, and begin another phase."""
        now = time.perf_counter()
        before = self.phases_wall_s.get(self._phase, 0.0)
        self.phases_wall_s[self._phase] = before + now - self._since
        self._phase, self._since = phase, now


def run(request: Request, hear: Callable[[dict[str, Any]], None]) -> Path:
    """Do it all; returns the run folder. `hear` gets progress as it comes.

    Raises InvalidInput, MachineError, FolderTaken.
    """
    watcher = Watcher(hear)
    inputs = read(request)
    machine = dispatch.choose(request.machine, request.time)
    final = request.out or folder.next_free(inputs.plan.name)
    with folder.new(final) as partial:
        hear({"machine": machine, "plan": inputs.plan, "workload": inputs.workload})
        prepare(partial, inputs)
        job = make_job(request, inputs)
        dispatch.carry_out(machine, partial, job, watcher, request.patience_s)
        watcher.enter("analysis")
        collect(partial)
        manifest = make_manifest(request, inputs, machine, watcher.wrong)
        folder.write_json(partial / "manifest.json", manifest)
        write_summary(partial)
        write_report(partial)
        watcher.enter("end")
        folder.write_json(
            partial / "manifest.json", manifest | {"phases_wall_s": watcher.phases_wall_s}
        )
        tidy(partial)
    return final


def read(request: Request) -> Inputs:
    """Read and plan. Raises InvalidInput."""
    topology = load_without(request.topology, request.overrides, request.without)
    workload = load_workload(request.workload, request.workload_overrides)
    plan = make_plan(topology)
    return Inputs(plan, workload, make_schedule(workload, plan), topology.files + workload.files)


def prepare(partial: Path, inputs: Inputs) -> None:
    """Write the plan and every rank's program."""
    plan, workload, schedule = inputs.plan, inputs.workload, inputs.schedule
    folder.write_json(partial / "plan.json", plan_json(plan, workload, schedule))
    (partial / "programs").mkdir()
    for program in make_programs(workload, plan, schedule):
        path = partial / "programs" / f"{program['rank']}.json"
        path.write_text(json.dumps(program))


def plan_json(plan: Plan, workload: Training, schedule: Schedule) -> dict[str, Any]:
    """The plan with its workload and what the α–β model expects of it."""
    size = size_bytes(workload, plan)
    seconds = compute_s(workload, plan.hosts)
    return plan.to_json() | {
        "workload": {
            "name": workload.name,
            "parameters": workload.parameters,
            "gradient_bytes": workload.gradient_bytes,
            "tokens": workload.tokens,
            "size_bytes": size,
            "iterations": workload.iterations,
            "warmup": workload.warmup,
            "op": workload.collective.op,
            "algorithm": workload.collective.algorithm,
            "verify": workload.collective.verify,
            "compute_s": seconds,
        },
        "prediction": {
            "collective_s": collective_s(plan, schedule, seconds),
            "textbook_s": ring_textbook_s(plan, size),
            "ideal_iteration_s": ideal_iteration_s(plan, workload),
        },
        "modelled": MODELLED,
    }


def ideal_iteration_s(plan: Plan, workload: Training) -> float:
    """An iteration if all hosts stood in one campus, equally fast, behind loss-free switches: equal
    compute at the mean speed, and the ring's bytes at the slowest NIC's rate."""
    hosts = plan.hosts
    flop = 6 * workload.parameters * workload.tokens
    beta = 8 / (min(host.nic_bps for host in hosts) * plan.payload_share)
    wire_s = 2 * (len(hosts) - 1) / len(hosts) * size_bytes(workload, plan) * beta
    return flop / sum(host.flops for host in hosts) + wire_s


def make_job(request: Request, inputs: Inputs) -> dict[str, Any]:
    """What the machine is told. `patience_s`, in the run's own time, is long for any iteration."""
    plan, workload = inputs.plan, inputs.workload
    expected_s = max(compute_s(workload, plan.hosts))
    expected_s += ring_textbook_s(plan, size_bytes(workload, plan))
    return {
        "verb": "run",
        "seed": request.seed,
        "time": request.time,
        "hosts": len(plan.hosts) + len(plan.probes),
        "cpu": request.cpu,
        "patience_s": max(HANG_LEAST_S, HANG_ITERATIONS * expected_s),
    }


def collect(partial: Path) -> None:
    """Gather the ranks' events into one table, zero at their common start."""
    start_ns = int((partial / "events" / "start_ns").read_text())
    files = sorted((partial / "events").glob("*.bin"), key=lambda path: int(path.stem))
    tables = [np.fromfile(path, dtype="<i8").reshape(-1, len(FIELDS)) for path in files]
    ranks = np.repeat([int(path.stem) for path in files], [len(table) for table in tables])
    columns = dict(zip(FIELDS, np.concatenate(tables).T, strict=True))
    for name in ("ready_ns", "start_ns", "end_ns"):
        columns[name] = columns[name] - start_ns
    kinds = np.array(KINDS)[columns.pop("kind")]
    write_events({"rank": ranks, "kind": kinds} | columns, partial / "events.parquet")


def make_manifest(
    request: Request, inputs: Inputs, machine: dispatch.Machine, wrong: int
) -> dict[str, Any]:
    """Everything that the run is a function of, and where it ran. `wrong` counts the results, over
    ranks and iterations, that were not the sum; null where none was verified."""
    digests = {
        os.path.relpath(path): hashlib.sha256(Path(path).read_bytes()).hexdigest()
        for path in inputs.files
    }
    return {
        "longhaul": __version__,
        "name": inputs.plan.name,
        "command": shlex.join(request.command),
        "seed": request.seed,
        "time": request.time,
        "machine": machine.name,
        "why_this_machine": machine.why,
        "kernel": machine.kernel,
        "inputs": digests,
        "overrides": list(request.overrides),
        "workload_overrides": list(request.workload_overrides),
        "without": list(request.without),
        "warmup": inputs.workload.warmup,
        "wrong": wrong if inputs.workload.collective.verify else None,
    }


def tidy(partial: Path) -> None:
    """Remove what only carried the job to the machine and back."""
    for name in ("programs", "events"):
        shutil.rmtree(partial / name)
    for name in ("job.json", "progress"):
        (partial / name).unlink()
    shutil.rmtree(partial / "guest", ignore_errors=True)
