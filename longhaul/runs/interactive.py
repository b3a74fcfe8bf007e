"""A fabric to work in: which one (`FabricRequest`), and somebody's own program on its hosts (`exec`)."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from longhaul import folder
from scenario.topology.routing import check_controlled
from scenario.errors import WrongInput
from scenario.job import Command, Job, Verb
from scenario.loading import load_topology
from longhaul.planning import make_plan
from scenario.plan.types import Plan
from longhaul.machine import dispatch, exposure
from longhaul.machine.preload import PreloadUnavailable, idle_polls

SILENCE_S = 3600.0
FOLDER_IS_HIDDEN = (
    "The guest sees of {} only the files that the command names: "
    "work in a folder of its own, or name what it needs with --expose."
)
PASSED_ON = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "LANG")


@dataclass(frozen=True)
class FabricRequest:
    """Which fabric, and where."""

    topology: Path
    overrides: Sequence[str]
    seed: int
    time: str
    machine: str
    cpu: int | None
    controller: Path | None = None
    rest: bool = False
    memory_bytes: int | None = None
    root: str = "auto"
    exposed: Sequence[Path] = ()

    @classmethod
    def of(cls, words: argparse.Namespace) -> FabricRequest:
        """From the words of a command line."""
        return cls(
            words.topology,
            words.overrides,
            words.seed,
            words.time,
            words.machine,
            words.cpu,
            words.controller,
            words.rest,
            words.memory_bytes,
            words.root,
            words.exposed,
        )

    def chosen(self) -> dispatch.Machine:
        """The machine to run on, made ready once it is known that there is room for its files. Raises FolderTaken,
        MachineError."""
        folder.check_scratch()  # before a kernel is built, perhaps
        return dispatch.choose(self.machine, self.time)

    @property
    def has_own_root(self) -> bool:
        """Whether a live guest for it has a root file system of its own."""
        return dispatch.root_name(self.root, "live") == "own"

    def plan(self) -> Plan:
        """Raises InvalidInput."""
        topology = load_topology(self.topology, self.overrides)
        if self.rest:
            check_controlled(topology)
        return make_plan(topology, self.seed)

    def job(self, verb: Verb, plan: Plan, command: Command | None = None) -> Job:
        """What the machine is told."""
        seen = exposure.for_command(
            command.argv if command else (), Path.cwd(), os.environ, Path.home()
        )
        return Job(
            verb=verb,
            seed=self.seed,
            time=self.time,
            hosts=len(plan.hosts) + len(plan.probes),
            patience_s=SILENCE_S,
            cpu=self.cpu,
            controller=str(self.controller) if self.controller else None,
            rest=self.rest,
            command=command,
            memory_bytes=self.memory_bytes,
            exposed=tuple(str(path) for path in (*seen, *self.exposed, *_preloads(command))),
            root=self.root,
        )


UCX = {"UCX_UD_VERBS_ETH_DGID_CHECK": "n"}
"""In the service level of a completion. [openucx/ucx v1.13.1, src/uct/ib/ud/base/ud_iface.h, uct_ud_iface_check_grh]"""


def _preloads(command: Command | None) -> Iterator[Path]:
    """The libraries that a command's environment has preloaded."""
    named = command.environment.get("LD_PRELOAD", "") if command else ""
    yield from (Path(word) for word in named.split(":") if word.startswith("/"))


def execute(
    fabric: FabricRequest,
    argv: Sequence[str],
    pattern: str,
    environment: Sequence[tuple[str, str]],
    patience_s: float,
    *,
    in_json: bool = False,
) -> int:
    """Run a command on the hosts that match, printing their lines; the worst of their statuses. `in_json`: each line
    as an object with `host` and `line`, at the end one with the `status`.

    Raises WrongInput where no host matches, MachineError.
    """
    plan = fabric.plan()
    if not any(fnmatchcase(host.name, pattern) for host in plan.hosts):
        known = ", ".join(host.name for host in plan.hosts[:6])
        raise WrongInput(f"no host is called {pattern!r}; there are {known} …")
    machine = fabric.chosen()
    status = 0

    def hear(message: dict[str, Any]) -> None:
        nonlocal status
        if "line" in message and in_json:
            said = {"host": message["host"], "line": message["line"]}
            print(json.dumps(said, ensure_ascii=False), flush=True)
        elif "line" in message:
            print(f"{message['host']}: {message['line']}", flush=True)
        status = message.get("status", status)

    with folder.scratch(f"exec-{plan.name}") as run:
        folder.write_json(run / "plan.json", plan.to_json())
        passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        if exposure.hidden(Path.cwd(), Path.home()) and not fabric.exposed:
            home = exposure.holds(Path.cwd(), Path.home())
            here = "your home folder" if home else Path.cwd()
            print(FOLDER_IS_HIDDEN.format(here), file=sys.stderr)
        variables = passed_on | for_verbs(plan) | dict(environment)
        command = Command(tuple(argv), pattern, str(Path.cwd()), variables)
        job = fabric.job("exec", plan, command)
        dispatch.carry_out(machine, run, job, hear, patience_s)
    if in_json:
        print(json.dumps({"status": status}), flush=True)
    return status


def for_verbs(plan: Plan) -> dict[str, str]:
    """What programs of RDMA need, where they could meet any: a library that has polls for completions wait, and UCX not
    to look for the kind of RoCE where only NVIDIA's adapters leave it. Says so where the library cannot be had."""
    if not plan.rdma:
        return {}
    try:
        return UCX | {"LD_PRELOAD": str(idle_polls())}
    except PreloadUnavailable as why:
        print(f"longhaul: programs that poll for completions will hang: {why}", file=sys.stderr)
        return dict(UCX)
