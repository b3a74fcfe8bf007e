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
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from analysis.report.page import write_report
from analysis.findings.summary import write_summary
from analysis.tables import SCHEMA, write_events
from longhaul import __version__, folder
from longhaul.code import code
from longhaul.runs import flows, retransmissions, telemetry
from scenario.topology.routing import check_controlled
from scenario.text.diagnostics import InvalidInput
from scenario.text.diagnostics import Place, Source, complain
from scenario.workload.placement import hosts_on
from scenario.types.probing import Probing
from scenario.types.topology import Rdma, Topology, Workload
from scenario.plan.captures import Capture, plan_capture
from longhaul.planning import make_plan
from scenario.plan.types import Plan
from scenario import job
from scenario.job import Job, Part
from scenario.factors import load_without
from longhaul.inside.flows import RAW as FLOWS_RAW
from longhaul.inside.samples import AGAIN_RAW, RAW
from longhaul.machine import dispatch, sandbox
from longhaul.machine.init import SHOWN, SHOWN_TO_PROGRAMS
from longhaul.machine.kernel import patches_digest
from longhaul.runs.fitting import check_fits, guest_bytes
from longhaul.runs.workloads import Chosen, check_places, load_workloads, own_overrides
from traffic.host.program import written
from traffic.kind import Placed, Prepared, place
from traffic.kinds import KINDS

TRANSPORTS = {
    "tcp": "the transport is the kernel's TCP, its timers in steps of 1 ms; no RDMA",
    "roce": "an RDMA adapter is Soft-RoCE: its verbs, packets and go-back-N are real, but it takes no time"
    " of its own, and its timers go in steps of 1 ms",
}
MODELLED = (
    "payloads and rates are divided by the same number, packets and loss per packet are not:"
    " loss acts as on traffic spread over that many times as many connections",
    "loss from aging comes in bursts or not as the model of its file says; burst length is assumed",
)
HANG_ITERATIONS = 50
HANG_LEAST_S = 120.0


@dataclass(frozen=True)
class Request:
    """What the user asked for. `cpu` None lets the machine choose.

    `without` names the factors that are switched off, `workload_overrides` change the workloads (as
    `longhaul.runs.workloads.Setting` has them); with no `workloads` the topology's own are run. `controller`
    is an application in place of ours, `rest` has ours answer over HTTP. `probing` is a workload of probes
    beside the others. The links that `capture` names are captured, the first `capture_bytes` of each frame.
    """

    topology: Path
    workloads: tuple[Chosen, ...]
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
    controller: Path | None = None
    rest: bool = False
    probing: Probing | None = None
    capture: tuple[str, ...] = ()
    capture_bytes: int = 96
    memory_bytes: int | None = None
    root: str = "auto"


@dataclass(frozen=True)
class Inputs:
    """What the files say, worked out: all that a run is a function of, but for the seed."""

    plan: Plan
    placed: tuple[Placed, ...]
    prepared: tuple[Prepared, ...]
    files: tuple[str, ...]
    capture: Capture | None = None


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
    return carry_out(request, read(request), Watcher(hear), (write_summary, write_report))


def carry_out(
    request: Request,
    inputs: Inputs,
    watcher: Watcher,
    conclude: Sequence[Callable[[Path], object]],
) -> Path:
    """From what has been read to the run folder; `conclude` are what the analysis adds to it.

    Raises MachineError, FolderTaken, DiskFull.
    """
    final = request.out or folder.next_free(inputs.plan.name)
    folder.check(final)  # before a kernel is built, perhaps
    machine = dispatch.choose(request.machine, request.time)
    _check_adapters(machine, inputs)
    with folder.new(final) as partial:
        watcher.hear({"machine": machine, "plan": inputs.plan, "workloads": about(inputs)})
        prepare(partial, inputs)
        dispatch.carry_out(
            machine, partial, make_job(request, inputs), watcher, request.patience_s
        )
        watcher.enter("analysis")
        collect(partial, inputs)
        manifest = make_manifest(request, inputs, machine, watcher.wrong)
        folder.write_json(partial / "manifest.json", manifest)
        for write in conclude:
            write(partial)
        watcher.enter("end")
        folder.write_json(
            partial / "manifest.json", manifest | {"phases_wall_s": watcher.phases_wall_s}
        )
        tidy(partial)
    return final


def _check_adapters(machine: dispatch.Machine, inputs: Inputs) -> None:
    """Raises MachineError where a workload is to run over RDMA on a kernel that has none for it."""
    over = [one.workload.name for one in inputs.placed if one.workload.transport.kind == "roce"]
    if over and machine.name == "native":
        raise dispatch.MachineError(
            f"{over[0]}: `transport: roce` needs the virtual-time kernel, whose hosts have an RDMA device each:"
            " --machine uml"
        )


def read(request: Request) -> Inputs:
    """Read and plan. Raises InvalidInput."""
    topology, found = loaded(request)
    if request.rest:
        check_controlled(topology)
    plan = make_plan(with_adapters(topology, found), request.seed)
    every = [host for campus in topology.campuses for host in campus.hosts]
    placed = [place(one, plan, set(hosts_on(one.on, every))) for one in found]
    prepared = [_prepared(one, request.seed) for one in placed]
    _check_alone(placed, prepared)
    _check_led(placed, prepared)
    check_fits(topology, plan, prepared, request.memory_bytes)
    files = dict.fromkeys((*topology.files, *(file for one in found for file in one.files)))
    capture = plan_capture(plan, request.capture, request.capture_bytes)
    return Inputs(plan, tuple(placed), tuple(prepared), tuple(files), capture)


def loaded(request: Request) -> tuple[Topology, list[Workload]]:
    """What the files say: the topology, and the workloads that are to run on it. Raises InvalidInput."""
    topology = load_without(request.topology, request.overrides, request.without)
    own = own_overrides(topology, request.workloads, request.workload_overrides)
    if own:
        overrides = (*request.overrides, *own)
        topology = load_without(request.topology, overrides, request.without)
    found = load_workloads(topology, request.workloads, request.workload_overrides)
    found += [request.probing] if request.probing else []
    check_places(found, topology)
    return topology, found


def with_adapters(topology: Topology, found: Sequence[Workload]) -> Topology:
    """The topology with adapters for RDMA, where a workload asks for them."""
    if topology.rdma is None and any(one.transport.kind == "roce" for one in found):
        return replace(topology, rdma=Rdma(congestion="window"))
    return topology


def _prepared(placed: Placed, seed: int) -> Prepared:
    """Raises InvalidInput where the hosts do not suit the workload."""
    workload = placed.workload
    try:
        return KINDS[type(workload)].prepare(workload, placed.plan, seed)
    except ValueError as error:
        raise InvalidInput([complain(Place(Source(workload.source)), str(error))]) from None


def _check_alone(placed: Sequence[Placed], prepared: Sequence[Prepared]) -> None:
    """Raises InvalidInput where two workloads want the same host for themselves: a campus's border, where
    the requests of both come in."""
    owners: dict[str, str] = {}
    for workload, ready in zip((one.workload for one in placed), prepared, strict=True):
        for host in ready.programs if workload.exclusive else ():
            owner = owners.setdefault(host, workload.name)
            if owner != workload.name:
                message = f"{workload.name} and {owner} both need {host} for themselves"
                hint = "give each its own `clients`"
                raise InvalidInput([complain(Place(Source(workload.source)), message, hint=hint)])


def _check_led(placed: Sequence[Placed], prepared: Sequence[Prepared]) -> None:
    """Raises InvalidInput where every workload is one that ends with the others."""
    if all(program.follows for one in prepared for program in one.programs.values()):
        workload = placed[0].workload
        message = f"{workload.name} ends when all others have, and there are no others"
        hint = "name a workload that it is to run beside"
        raise InvalidInput([complain(Place(Source(workload.source)), message, hint=hint)])


def prepare(partial: Path, inputs: Inputs) -> None:
    """Write the plan and every host's programs."""
    folder.write_json(partial / "plan.json", plan_json(inputs))
    for placed, prepared in zip(inputs.placed, inputs.prepared, strict=True):
        programs = partial / "programs" / placed.workload.name
        programs.mkdir(parents=True)
        for host, assigned in prepared.programs.items():
            (programs / f"{host}.json").write_text(written(assigned.program))


def plan_json(inputs: Inputs) -> dict[str, Any]:
    """The plan, its workloads, and what the model expects of each."""
    listed = about(inputs)
    own = (text for one in listed for text in one["modelled"])
    carried = (TRANSPORTS[placed.workload.transport.kind] for placed in inputs.placed)
    modelled = dict.fromkeys((*own, *carried, *MODELLED))
    return inputs.plan.to_json() | {"workloads": listed, "modelled": list(modelled)}


def about(inputs: Inputs) -> list[dict[str, Any]]:
    """What each workload is and what is expected of it, as plain data."""
    return [
        {
            "name": placed.workload.name,
            "kind": placed.workload.kind,
            "ranks": placed.ranks,
            "modelled": KINDS[type(placed.workload)].MODELLED,
        }
        | prepared.about
        for placed, prepared in zip(inputs.placed, inputs.prepared, strict=True)
    ]


def make_job(request: Request, inputs: Inputs) -> Job:
    """What the machine is told. It has patience that, in the run's own time, is long for any iteration."""
    plan = inputs.plan
    quiet_s = max(prepared.quiet_s for prepared in inputs.prepared)
    return Job(
        verb="run",
        seed=request.seed,
        time=request.time,
        hosts=len(plan.hosts) + len(plan.probes),
        patience_s=max(HANG_LEAST_S, HANG_ITERATIONS * quiet_s),
        cpu=request.cpu,
        memory_bytes=request.memory_bytes or guest_bytes(plan),
        root=request.root,
        controller=str(request.controller) if request.controller else None,
        rest=request.rest,
        parts=tuple(
            Part(placed.workload.name, host, assigned.module, assigned.follows)
            for placed, prepared in zip(inputs.placed, inputs.prepared, strict=True)
            for host, assigned in prepared.programs.items()
        ),
        capture=inputs.capture,
    )


def collect(partial: Path, inputs: Inputs) -> None:
    """Gather what the hosts have written into one file per kind of table."""
    start_ns = int((partial / "events" / "start_ns").read_text())
    found: dict[str, list[pl.DataFrame]] = {"events": [pl.DataFrame(schema=SCHEMA)]}
    for placed in inputs.placed:
        raw = partial / "events" / placed.workload.name
        kind = KINDS[type(placed.workload)]
        for name, table in kind.collect(placed, raw, start_ns).items():
            found.setdefault(name, []).append(table)
    write_events(pl.concat(found.pop("events")).to_dict(), partial / "events.parquet")
    samples = telemetry.table(partial / "events" / RAW, inputs.plan)
    samples.write_parquet(partial / telemetry.FILE, compression="zstd")
    again = retransmissions.table(partial / "events" / AGAIN_RAW, inputs.plan)
    again.write_parquet(partial / retransmissions.FILE, compression="zstd")
    carried = flows.table(partial / "events" / FLOWS_RAW)
    carried.write_parquet(partial / flows.FILE, compression="zstd")
    for name, tables in found.items():
        pl.concat(tables).write_parquet(partial / f"{name}.parquet", compression="zstd")


def make_manifest(
    request: Request, inputs: Inputs, machine: dispatch.Machine, wrong: int
) -> dict[str, Any]:
    """Everything that the run is a function of, and where it ran. `wrong` counts the results, over
    ranks and iterations, that were not the sum; null where none was verified."""
    files = [Path(name) for name in inputs.files]
    files += [request.controller] if request.controller else []
    digests = {
        os.path.relpath(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }
    return {
        "longhaul": __version__,
        "code": code(),
        "name": inputs.plan.name,
        "command": shlex.join(request.command),
        "seed": request.seed,
        "time": request.time,
        "machine": machine.name,
        "why_this_machine": machine.why,
        "kernel": machine.kernel,
        "kernel_patches": patches_digest() if machine.name == "uml" else None,
        "sandbox": asdict(sandbox.held()) if machine.name == "uml" else None,
        "root": dispatch.root_name(request.root, "run") if machine.name == "uml" else None,
        "inputs": digests,
        "overrides": list(request.overrides),
        "workload_overrides": list(request.workload_overrides),
        "without": list(request.without),
        "wrong": wrong if any(one.about.get("verify") for one in inputs.prepared) else None,
    }


def tidy(partial: Path) -> None:
    """Remove what only carried the job to the machine and back."""
    for name in ("programs", "events"):
        shutil.rmtree(partial / name)
    for name in (job.FILE, "progress"):
        (partial / name).unlink()
    for name in (SHOWN, SHOWN_TO_PROGRAMS):  # of a guest alone
        (partial / name).unlink(missing_ok=True)
    shutil.rmtree(partial / "guest", ignore_errors=True)
