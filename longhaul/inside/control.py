"""Who tells the switches what to do: our controller, somebody's own application, or nobody.

The controller is a process of its own, `python -m controller`; its log goes to the run folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from longhaul.emulation import openvswitch
from scenario.errors import LonghaulError
from scenario.job import Job
from scenario.plan import bridging
from scenario.plan.types import Plan

LOG = "logs/controller.log"
READY_WITHIN_S = 60.0
LOOK_EVERY_S = 0.01
TREE_WITHIN_S = 2 * bridging.CONVERGED_AFTER_S
TREE_LOOK_EVERY_S = 1.0
LAST_LINES = 4


class Stopped(LonghaulError):
    """The run cannot go on; the text says why, for the person who reads it."""


class Control(Protocol):
    """What a fabric's control plane can do."""

    def ready(self) -> None:
        """Wait until packets can flow. Raises Stopped where that never comes."""

    def start(self) -> None:
        """Start it (again); returns at once."""

    def kill(self) -> None:
        """End it as a crash does."""


class Process:
    """A controller's process: `python -m controller`, with what else it is told."""

    def __init__(self, folder: Path, marker: Path, *words: str | Path) -> None:
        self._folder = folder
        self._marker = marker
        self._command = [sys.executable, "-m", "controller", *map(str, words)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; returns at once."""
        environment = os.environ | {
            "LONGHAUL_PLAN": str(self._folder / "plan.json"),
            "LONGHAUL_READY": str(self._marker),
        }
        with self._log().open("ab") as out:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment
            )

    def kill(self) -> None:
        """End it as a crash does."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def ready(self) -> None:
        """Wait for it to say that all switches have their rules."""
        self.wait_for(self._marker.exists, "did not install all routes")

    def wait_for(self, done: Callable[[], bool], failure: str) -> None:
        """Wait until `done`. Raises Stopped where the process ends first, or it takes too long."""
        deadline = time.monotonic() + READY_WITHIN_S
        while not done():
            if self._process and self._process.poll() is not None:
                raise Stopped(f"the controller ended at its start{self._last_words()}")
            if time.monotonic() > deadline:
                raise Stopped(f"the controller {failure} within {READY_WITHIN_S:g} s: see {LOG}")
            time.sleep(LOOK_EVERY_S)

    def _log(self) -> Path:
        return self._folder / LOG

    def _last_words(self) -> str:
        lines = self._log().read_text(errors="replace").rstrip().splitlines()[-LAST_LINES:]
        return ":\n  " + "\n  ".join(lines) if lines else ", and said nothing"


class Application(Process):
    """A process that serves somebody's own application, which knows nothing of markers."""

    def ready(self) -> None:
        """Wait until every switch has found it."""
        self.wait_for(openvswitch.all_connected, "was not found by all switches")


@dataclass(frozen=True)
class Nobody:
    """No controller: switches learn, along the spanning tree."""

    plan: Plan

    def ready(self) -> None:
        """Wait for the tree."""
        spanning_tree(self.plan)

    def start(self) -> None:
        """There is nothing to start."""

    def kill(self) -> None:
        """There is nothing to end."""


@contextmanager
def control(plan: Plan, job: Job, folder: Path, state: Path) -> Iterator[Control]:
    """The control plane of a plan, started; ended on leaving. `state` is a folder for what it says."""
    application, marker = job.controller, state / "controller-ready"
    if plan.bridged and not application:
        yield Nobody(plan)
        return
    process = Process(folder, marker, *(["--rest"] if job.rest else []))
    if application:
        original = Path(application)
        copy = folder / "controller" / original.name
        process = Application(folder, marker, copy, original.parent)
    process.start()
    try:
        yield process
    finally:
        process.kill()


def spanning_tree(plan: Plan) -> None:
    """Wait until the planned spanning tree forwards, hosts' ports among it, and no other link does.
    Raises Stopped."""
    tree = bridging.Bridged(plan).tree()
    hosts = {link.b.interface for link in plan.wires if link.kind in ("host", "probe")}
    others = [
        {end.interface for end in link.ends}
        for link in plan.wires
        if link.kind in ("fabric", "long-haul") and link.a.interface not in tree
    ]
    deadline = time.monotonic() + TREE_WITHIN_S
    while True:
        found = openvswitch.forwarding_ports()
        wrong = (tree | hosts) - found
        wrong |= {min(ends) for ends in others if ends <= found}
        if not wrong:
            return
        if time.monotonic() > deadline:
            listed = ", ".join(sorted(wrong))
            raise Stopped(f"the spanning tree is not the planned one at {listed}")
        time.sleep(TREE_LOOK_EVERY_S)
