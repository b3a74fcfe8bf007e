"""A running fabric: hosts, switches, network and routes, started in that order.

Nothing is decided here that the plan has not decided. Progress is appended to the run folder's
`progress` as lines of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longhaul.fabric import build, hosts, openvswitch
from longhaul.fabric.plan import Plan

STATE = Path("/run/longhaul")


class Stopped(Exception):
    """The run cannot go on; the text says why, for the person who reads it."""


@dataclass(frozen=True)
class Stage:
    """A running fabric: Mininet's network, the hosts' processes, the controller, and what was asked."""

    net: Any
    hosts: hosts.Hosts
    controller: Controller
    plan: Plan
    job: dict[str, Any]
    folder: Path

    def tell(self, **message: Any) -> None:
        """Append to the run's progress."""
        tell(self.folder, **message)


def tell(folder: Path, **message: Any) -> None:
    """Append one line to the progress of a run folder, with the time on the fabric's clock."""
    line = json.dumps(message | {"at_s": time.clock_gettime(time.CLOCK_MONOTONIC)})
    with (folder / "progress").open("a") as progress:
        progress.write(line + "\n")


@contextmanager
def stage(plan: Plan, job: dict[str, Any], folder: Path) -> Iterator[Stage]:
    """Everything that must run before traffic can. Raises Stopped, HostError, OSError."""
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    names = [host.name for host in plan.hosts + plan.probes]
    with ExitStack() as stack:
        tell(folder, phase="hosts")
        homes = stack.enter_context(hosts.started(names, STATE / "hosts", logs / "hosts.log"))
        tell(folder, phase="switches")
        stack.enter_context(openvswitch.open_vswitch(STATE / "ovs", logs / "openvswitch.log"))
        ready = STATE / "controller-ready"
        controller = stack.enter_context(controlled(folder, ready, logs / "controller.log"))
        tell(folder, phase="network")
        net = stack.enter_context(build.running(plan, homes.pids, job["seed"], controller=True))
        _wait_for_routes(ready)
        tell(folder, phase="up")
        yield Stage(net, homes, controller, plan, job, folder)


class Controller:
    """The controller's process, which can be ended and started again."""

    def __init__(self, folder: Path, ready: Path, log: Path) -> None:
        self._environment = os.environ | {
            "LONGHAUL_PLAN": str(folder / "plan.json"),
            "LONGHAUL_READY": str(ready),
        }
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; returns at once."""
        command = [sys.executable, "-m", "controller"]
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=out, env=self._environment)

    def kill(self) -> None:
        """End it as a crash does."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def controlled(folder: Path, ready: Path, log: Path) -> Iterator[Controller]:
    """A running controller; ended on leaving."""
    controller = Controller(folder, ready, log)
    controller.start()
    try:
        yield controller
    finally:
        controller.kill()


def _wait_for_routes(ready: Path, within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not ready.exists():
        if time.monotonic() > deadline:
            raise Stopped("the controller did not install all routes: see logs/controller.log")
        time.sleep(0.01)
