"""What runs where the fabric is: in the guest, or as root on a kernel that can carry it.

`python -m longhaul.inside RUN` reads `RUN/job.json` and does what its verb says, on the plan in
`RUN/plan.json`. Results go to files in RUN; nothing is decided here that the plan has not decided.
Progress is appended to `RUN/progress` as lines of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from longhaul.fabric import fidelity, hosts, openvswitch
from longhaul.fabric.plan import Plan, from_json

STATE = Path("/run/longhaul")


class Stopped(Exception):
    """The run cannot go on; the text says why, for the person who reads it."""


@dataclass(frozen=True)
class Stage:
    """A running fabric: Mininet's network, the hosts' processes, and what was asked."""

    net: Any
    hosts: hosts.Hosts
    plan: Plan
    job: dict[str, Any]
    folder: Path

    def tell(self, **message: Any) -> None:
        """Append to the run's progress."""
        tell(self.folder, **message)


def tell(folder: Path, **message: Any) -> None:
    line = json.dumps(message | {"at_s": time.clock_gettime(time.CLOCK_MONOTONIC)})
    with (folder / "progress").open("a") as progress:
        progress.write(line + "\n")


def main(folder: Path) -> int:
    """Carry out the job; 0 when it is done. What stopped it is the last line of the progress."""
    job = json.loads((folder / "job.json").read_text())
    plan = from_json(json.loads((folder / "plan.json").read_text()))
    try:
        with stage(plan, job, folder) as fabric:
            return VERBS[job["verb"]](fabric)
    except Stopped as stop:
        tell(folder, stopped=str(stop))
    except Exception:
        tell(folder, crashed=traceback.format_exc())
    return 1


@contextmanager
def stage(plan: Plan, job: dict[str, Any], folder: Path) -> Iterator[Stage]:
    """Everything that must run before traffic can: hosts, switches, network, routes."""
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    names = [host.name for host in plan.hosts + plan.probes]
    with ExitStack() as stack:
        tell(folder, phase="hosts")
        homes = stack.enter_context(hosts.started(names, STATE / "hosts", logs / "hosts.log"))
        tell(folder, phase="switches")
        stack.enter_context(openvswitch.open_vswitch(STATE / "ovs", logs / "openvswitch.log"))
        ready = STATE / "controller-ready"
        stack.enter_context(controller(folder, ready, logs / "controller.log"))
        tell(folder, phase="network")
        from longhaul.fabric import build  # after the hosts have forked: it is large

        net = stack.enter_context(build.running(plan, homes.pids, job["seed"], controller=True))
        _wait_for_routes(ready)
        tell(folder, phase="up")
        yield Stage(net, homes, plan, job, folder)


@contextmanager
def controller(folder: Path, ready: Path, log: Path) -> Iterator[None]:
    """The controller's process; ended on leaving."""
    environment = os.environ | {
        "LONGHAUL_PLAN": str(folder / "plan.json"),
        "LONGHAUL_READY": str(ready),
    }
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "controller"], stdout=out, stderr=out, env=environment
        )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _wait_for_routes(ready: Path, within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not ready.exists():
        if time.monotonic() > deadline:
            raise Stopped("the controller did not install all routes: see logs/controller.log")
        time.sleep(0.01)


def run(fabric: Stage) -> int:
    """The fidelity check, then the workload."""
    checks = [*fidelity.check_clean(fabric.plan, fabric.hosts)]
    from longhaul.fabric import build

    build.impair(fabric.plan, fabric.job["seed"])
    checks += fidelity.check_loss(fabric.plan, fabric.hosts)
    (fabric.folder / "fidelity.json").write_text(json.dumps([asdict(x) for x in checks], indent=1))
    fabric.tell(phase="workload")
    replay(fabric)
    return 0


def replay(fabric: Stage) -> None:
    """Have every rank replay its program, all from one instant; watch over them."""
    (fabric.folder / "events").mkdir(exist_ok=True)
    jobs = [
        fabric.hosts.job(
            host.name,
            "traffic.agent",
            file=str(fabric.folder / "programs" / f"{host.rank}.json"),
            events=str(fabric.folder / "events" / f"{host.rank}.bin"),
        )
        for host in fabric.plan.hosts
    ]
    for job in jobs:
        job.hear()
    start_ns = time.monotonic_ns() + 1_000_000
    (fabric.folder / "start_ns").write_text(str(start_ns))
    for job in jobs:
        job.tell({"start_ns": start_ns})
    for _job, _message in hosts.messages(jobs):
        pass


VERBS = {"run": run}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
