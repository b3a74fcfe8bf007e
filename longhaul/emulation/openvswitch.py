"""Open vSwitch of our own: a database and a switch daemon in a private folder, for one run.

Nothing of the machine's own Open vSwitch is touched: other sockets, another database; `OVS_RUNDIR`
in the environment leads `ovs-vsctl`, `ovs-ofctl` and Mininet to it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
DEFAULT_PRIORITY = 0x8000  # of OpenFlow; not printed
_COUNTED = re.compile(r"(\w+)=([^, ]+), ")
_CONTROL = "ovs-vswitchd.ctl"
COUNTS_CORES_AFTER_S = 10.5
"""ovs-vswitchd started before this uptime believes that there are no cores and drops every upcall."""


@contextmanager
def open_vswitch(folder: Path, log: Path) -> Iterator[None]:
    """Run ovsdb-server and ovs-vswitchd with their files in `folder`; end them on leaving."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["OVS_RUNDIR"] = os.environ["OVS_DBDIR"] = str(folder)
    database, sock = folder / "conf.db", folder / "db.sock"
    wait_for_core_count()
    _run(["ovsdb-tool", "create", str(database), SCHEMA])
    with log.open("ab") as out:
        server = _start(["ovsdb-server", str(database), f"--remote=punix:{sock}"], out)
        _wait_for(sock)
        _run(["ovs-vsctl", f"--db=unix:{sock}", "--no-wait", "init"])
        daemon = _start(["ovs-vswitchd", f"unix:{sock}", f"--unixctl={folder / _CONTROL}"], out)
        try:
            yield
        finally:
            for process in (daemon, server):
                process.send_signal(signal.SIGTERM)
                process.wait()


def wait_for_core_count() -> None:
    """Sleep until this kernel is old enough; free in virtual time."""
    time.sleep(max(0.0, COUNTS_CORES_AFTER_S - time.clock_gettime(time.CLOCK_MONOTONIC)))


def vsctl(commands: Sequence[Sequence[str]]) -> None:
    """Carry out ovs-vsctl commands as one transaction, and wait until the switches have it."""
    words = [word for command in commands for word in ("--", *command)]
    _run(["ovs-vsctl", *words[1:]])


def all_connected() -> bool:
    """Has every bridge found its controller?"""
    rows = _table("controller", "is_connected")
    return bool(rows) and all(connected for (connected,) in rows)


@dataclass(frozen=True)
class Flow:
    """A rule that a switch holds, and what it has counted since it was made. `match` and `actions` are
    as ovs-ofctl prints them."""

    cookie: int
    priority: int
    match: str
    actions: str
    packets: int
    bytes: int


def flows(bridge: str) -> list[Flow]:
    """All rules of a bridge."""
    found = _run(["ovs-ofctl", "--protocols=OpenFlow13", "--no-names", "dump-flows", bridge])
    return [read_flow(line) for line in found.splitlines() if "actions=" in line]


def read_flow(line: str) -> Flow:
    """A line of `ovs-ofctl dump-flows`."""
    head, _, actions = line.partition("actions=")
    counted = dict(_COUNTED.findall(head))
    *_flags, wanted = ["", *_COUNTED.sub("", head).split()]
    priority, _, match = wanted.removeprefix("priority=").partition(",")
    if not wanted.startswith("priority="):
        priority, match = str(DEFAULT_PRIORITY), wanted
    return Flow(
        cookie=int(counted["cookie"], 16),
        priority=int(priority),
        match=match,
        actions=actions,
        packets=int(counted["n_packets"]),
        bytes=int(counted["n_bytes"]),
    )


def forget_flows() -> None:
    """Empty the cache of what became of packets like those that came so far. Rules and their counts stay."""
    control = Path(os.environ["OVS_RUNDIR"], _CONTROL)
    _run(["ovs-appctl", "-t", str(control), "revalidator/purge"])


def forwarding_ports() -> set[str]:
    """The ports that the rapid spanning tree protocol lets forward."""
    rows = _table("port", "name", "rstp_status")
    return {name for name, status in rows if ["rstp_port_state", "Forwarding"] in status[1]}


def _table(name: str, *columns: str) -> list[list[Any]]:
    """Rows of a table of the database, as JSON has them."""
    found = _run(["ovs-vsctl", "--format=json", f"--columns={','.join(columns)}", "list", name])
    table = json.loads(found)
    order = [table["headings"].index(column) for column in columns]
    return [[row[index] for index in order] for row in table["data"]]


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{command[0]} failed: {done.stderr.strip()}")
    return done.stdout


def _start(command: list[str], log: object) -> subprocess.Popen[bytes]:
    quiet = ["-vconsole:warn", "-vsyslog:off", "-vfile:off", "--no-chdir"]
    return subprocess.Popen([*command, *quiet], stdout=log, stderr=log)  # type: ignore[call-overload, no-any-return]


def _wait_for(path: Path, within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path} did not appear: see the Open vSwitch log")
        time.sleep(0.01)
