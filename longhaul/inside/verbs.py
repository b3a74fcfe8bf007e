"""What a running fabric is used for: a workload, a person's command line, or somebody's program.

Each verb takes the Stage that `stage` has set up, and returns an exit status.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any

from longhaul.emulation import build, fidelity, hosts, openvswitch
from longhaul.inside import beside
from longhaul.inside.capture import capturing
from longhaul.inside.control import Stopped
from longhaul.inside.flows import counted
from longhaul.inside.happening import happening
from longhaul.inside.killed import MemoryWatch, be_the_first_to_go
from longhaul.inside.live import live
from longhaul.inside.replay import replay
from longhaul.inside.stage import Stage
from longhaul.machine.init import SYSTEM
from scenario.job import Command
from traffic.host.turns import REPLAYING, take_turns

BEAT_NS = 100_000_000
MASTER_PORT = 29500


def run(fabric: Stage) -> int:
    """The fidelity check, then the workloads."""
    fabric.tell(phase="fidelity")
    check = fidelity.FidelityCheck(fabric.plan, fabric.hosts)
    checks = list(check.clean())
    build.impair(fabric.plan, fabric.job.seed)
    checks += check.loss()
    openvswitch.forget_flows()
    (fabric.folder / "fidelity.json").write_text(json.dumps([asdict(x) for x in checks], indent=1))
    fabric.tell(phase="workload")
    with counted(fabric.plan, fabric.folder / "events"), capturing(fabric):
        settle()
        wrong = replay(fabric)
    fabric.tell(phase="closing", wrong=wrong)
    return 0


def settle() -> None:
    """Have what has gone on so far, as a capture that had to be started, make no difference to what comes:
    by a scheduler that does not remember, and from a clock that shows a multiple of BEAT_NS."""
    take_turns(REPLAYING)
    time.sleep((BEAT_NS - time.monotonic_ns() % BEAT_NS) / 1e9)


def execute(fabric: Stage) -> int:
    """Run the job's command on the hosts that its pattern names; the status is the worst of theirs.

    Standard output and error go line by line to the progress. The timeline starts with the commands;
    what they compute it cannot slow down. Raises Stopped when nothing has been said for `patience_s`.
    """
    build.impair(fabric.plan, fabric.job.seed)
    command = fabric.job.command
    assert command
    chosen = [host for host in fabric.plan.hosts if fnmatchcase(host.name, command.pattern)]
    fabric.tell(phase="exec")
    running = {
        host.name: begun(fabric, command, host.name, torchrun_environment(rank, chosen))
        for rank, host in enumerate(chosen)
    }
    outputs = {name: process.stdout for name, process in running.items() if process.stdout}
    pids = {name: process.pid for name, process in running.items()}
    for pid in pids.values():
        be_the_first_to_go(pid)
    with (
        closing(MemoryWatch(pids, fabric.hosts.pids)) as memory,
        happening(fabric, time.monotonic_ns(), order=lambda *_: None) as timeline,
    ):
        for name, line in lines(outputs, fabric, [timeline, memory]):
            fabric.tell(host=name, line=line)
        memory.act()
    statuses = {name: process.wait() for name, process in running.items()}
    for name, status in statuses.items():
        if status:
            fabric.tell(host=name, line=f"[exit status {status}]")
    return max(abs(int(status)) for status in statuses.values())


def begun(
    fabric: Stage, command: Command, host: str, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """A job's command on a host; where the guest has the machine's software apart, with that."""
    argv, folder = list(command.argv), command.cwd
    wanted = {**os.environ, **command.environment, **environment}
    if SYSTEM.is_dir():
        without = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        wanted = {**without, **command.environment, **environment}
        argv, folder = beside.command(argv, folder, wanted), "/"
        wanted = dict(os.environ)
    Path(folder).mkdir(parents=True, exist_ok=True)  # where none of it is exposed
    process: subprocess.Popen[bytes] = fabric.net[host].popen(
        argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        cwd=folder,
        env=wanted,
    )
    return process


def torchrun_environment(rank: int, chosen: list[Any]) -> dict[str, str]:
    """What torchrun sets for one process per host; and Gloo's interface, which it would look for under
    this machine's own name, and find loopback."""
    return {
        "RANK": str(rank),
        "WORLD_SIZE": str(len(chosen)),
        "LOCAL_RANK": "0",
        "LOCAL_WORLD_SIZE": "1",
        "GROUP_RANK": str(rank),
        "MASTER_ADDR": chosen[0].ip,
        "MASTER_PORT": str(MASTER_PORT),
        "GLOO_SOCKET_IFNAME": f"{chosen[rank].name}-eth0",
    }


def lines(
    outputs: dict[str, IO[bytes]], fabric: Stage, clockworks: Sequence[hosts.Clockwork]
) -> Iterator[tuple[str, str]]:
    """Lines of several processes' output as they come, with the name of the process; meanwhile the
    `clockworks` act."""
    rest = dict.fromkeys(outputs, b"")
    patience_s = fabric.job.patience_s
    with selectors.DefaultSelector() as selector:
        for name, output in outputs.items():
            selector.register(output, selectors.EVENT_READ, name)
        for clockwork in clockworks:
            selector.register(clockwork, selectors.EVENT_READ, clockwork)
        heard_s = time.monotonic()
        while running := [
            key.data for key in selector.get_map().values() if isinstance(key.data, str)
        ]:
            left_s = heard_s + patience_s - time.monotonic()
            ready = selector.select(max(left_s, 0.0))
            if not ready:
                limit = f"{patience_s:g} s of {fabric.job.time} time"
                waiting = ", ".join(running)
                raise Stopped(f"nothing was said for {limit}; still running on: {waiting}")
            for key, _ in ready:
                if not isinstance(key.data, str):
                    key.data.act()
                    continue
                heard_s = time.monotonic()
                data = os.read(key.fd, 65536)
                *whole, rest[key.data] = (rest[key.data] + data).split(b"\n")
                if not data:
                    selector.unregister(key.fileobj)
                    whole += [rest[key.data]] if rest[key.data] else []
                yield from ((key.data, line.decode(errors="replace")) for line in whole)


VERBS = {"run": run, "exec": execute, "live": live}
