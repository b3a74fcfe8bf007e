"""A running fabric: hosts, switches, network and routes, started in that order.

Nothing is decided here that the plan has not decided. Progress is appended to the run folder's
`progress` as lines of JSON.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longhaul.emulation import build, hosts, openvswitch, rdma
from longhaul.inside.control import Control, Nobody, control
from scenario.job import Job
from scenario.plan.types import Plan

STATE = Path("/run/longhaul")


@dataclass(frozen=True)
class Stage:
    """A running fabric: Mininet's network, the hosts' processes, the controller, and what was asked."""

    net: Any
    hosts: hosts.Hosts
    controller: Control
    plan: Plan
    job: Job
    folder: Path

    def tell(self, **message: Any) -> None:
        """Append to the run's progress."""
        tell(self.folder, **message)


def tell(folder: Path, **message: Any) -> None:
    """Append one line to the progress of a run folder, with the time on the fabric's clock."""
    line = json.dumps(message | {"at_s": time.clock_gettime(time.CLOCK_MONOTONIC)})
    with (folder / "progress").open("a") as progress:
        progress.write(line + "\n")


def write_names(plan: Plan, path: Path) -> None:
    """Every host by name, as /etc/hosts has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{host.ip} {host.name}" for host in plan.hosts + plan.probes]
    path.write_text("\n".join(["127.0.0.1 localhost", *lines]) + "\n", encoding="utf-8")


@contextmanager
def stage(plan: Plan, job: Job, folder: Path) -> Iterator[Stage]:
    """Everything that must run before traffic can. Raises Stopped, HostError, OSError."""
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    names = [host.name for host in plan.hosts + plan.probes]
    with ExitStack() as stack:
        tell(folder, phase="hosts")
        if rdma.available():
            rdma.isolate()
        write_names(plan, STATE / "names")
        homes = stack.enter_context(hosts.started(names, STATE / "hosts", logs / "hosts.log"))
        tell(folder, phase="switches")
        stack.enter_context(openvswitch.open_vswitch(STATE / "ovs", logs / "openvswitch.log"))
        controller = stack.enter_context(control(plan, job, folder, STATE))
        tell(folder, phase="network")
        controlled = not isinstance(controller, Nobody)
        net = stack.enter_context(build.running(plan, homes.pids, job.seed, controlled))
        tell(folder, phase="routes")
        controller.ready()
        tell(folder, phase="up")
        yield Stage(net, homes, controller, plan, job, folder)
