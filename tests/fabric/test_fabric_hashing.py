"""The plan's choice among equal ways against a real Open vSwitch, without a kernel: its dummy datapath and
`ofproto/trace`."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scenario.plan.hashing import TCP, UDP, FiveTuple, chosen, key

WAYS = 5
FIELDS = ("ip_src", "ip_dst", "ip_proto", "tcp_src", "tcp_dst", "udp_src", "udp_dst")
Traced = Callable[[FiveTuple], dict[int, int]]


def connections(count: int) -> list[FiveTuple]:
    """As a plan has them, and others."""
    draw = random.Random(1)
    return [
        FiveTuple(
            f"10.{draw.randint(1, 3)}.{draw.randint(1, 255)}.{draw.randint(1, 9)}",
            f"10.{draw.randint(1, 3)}.{draw.randint(1, 255)}.{draw.randint(10, 19)}",
            draw.randint(1, 65535),
            draw.choice([862, 8000, 29500]),
            draw.choice([TCP, UDP]),
        )
        for _ in range(count)
    ]


@pytest.fixture(scope="module")
def switch() -> Iterator[Traced]:
    """Scores of all buckets of a group with key 2^63 + 7, as an Open vSwitch says them."""
    if not shutil.which("ovs-vswitchd"):
        pytest.skip("no Open vSwitch: ./setup.sh system")
    folder = Path(f"/tmp/lh-{os.getpid()}")  # a socket's path is short
    folder.mkdir()
    run = _runner(folder)
    run("ovsdb-tool", "create", f"{folder}/db", "/usr/share/openvswitch/vswitch.ovsschema")
    daemons = []
    try:
        for command in (
            ["ovsdb-server", f"{folder}/db", f"--remote=punix:{folder}/db.sock"],
            ["ovs-vswitchd", f"unix:{folder}/db.sock", "--enable-dummy", "--disable-system"],
        ):
            pid = f"{folder}/{command[0]}.pid"
            run(*command, "--detach", f"--pidfile={pid}", "-vconsole:off", "-vsyslog:off")
            daemons.append(int(Path(pid).read_text()))
        _make_bridge(run, folder)
        yield lambda connection: _scores(run, connection)
    finally:
        for daemon in reversed(daemons):
            os.kill(daemon, 15)
            while Path(f"/proc/{daemon}").exists():  # it takes its own files away
                time.sleep(0.01)
        shutil.rmtree(folder)


def _runner(folder: Path) -> Callable[..., str]:
    environment = os.environ | {"OVS_RUNDIR": str(folder), "OVS_DBDIR": str(folder)}

    def run(*command: str) -> str:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert not done.returncode, done.stderr
        return done.stdout

    return run


def _make_bridge(run: Callable[..., str], folder: Path) -> None:
    words = ["set", "bridge", "s1", "datapath_type=dummy", "fail_mode=secure"]
    words += ["protocols=OpenFlow15"]
    for port in range(1, WAYS + 2):
        words += ["--", "add-port", "s1", f"p{port}"]
        words += ["--", "set", "interface", f"p{port}", "type=dummy", f"ofport_request={port}"]
    run("ovs-vsctl", f"--db=unix:{folder}/db.sock", "add-br", "s1", "--", *words)
    buckets = ",".join(f"bucket=bucket_id={i},actions=output:{i + 2}" for i in range(WAYS))
    method = f"selection_method=hash,selection_method_param={2**63 + 7},fields({','.join(FIELDS)})"
    of15 = ("ovs-ofctl", "-O", "OpenFlow15")
    run(*of15, "add-group", "s1", f"group_id=1,type=select,{method},{buckets}")
    run(*of15, "add-flow", "s1", "ip,actions=group:1")


def _scores(run: Callable[..., str], connection: FiveTuple) -> dict[int, int]:
    kind = {TCP: "tcp", UDP: "udp"}[connection.protocol]
    ports = f"{kind}_src={connection.source_port},{kind}_dst={connection.sink_port}"
    flow = f"in_port=1,{kind},nw_src={connection.source},nw_dst={connection.sink},{ports}"
    said = run("ovs-appctl", "-t", "ovs-vswitchd", "ofproto/trace", "s1", flow)
    found = re.findall(r"bucket (\d+): score (\d+)", said)
    (used,) = re.findall(r"using bucket (\d+)", said)
    scores = {int(bucket): int(score) for bucket, score in found}
    assert scores[int(used)] == max(scores.values())
    return scores


def test_open_vswitch_takes_the_way_that_the_plan_says(switch: Traced) -> None:
    for connection in connections(60):
        scores = switch(connection)
        assert len(scores) == WAYS
        order = sorted(scores, key=lambda bucket: (scores[bucket], bucket))
        for gone in range(WAYS - 1, 0, -1):  # whichever of them are left
            assert chosen(2**63 + 7, connection, order[: gone + 1]) == order[gone]


def test_connections_spread_evenly_whatever_the_seed() -> None:
    for seed in (1, 2, 2**64 - 1):
        counts = Counter(chosen(key(seed, 7), one, range(4)) for one in connections(4000))
        squares = sum((count - 1000) ** 2 / 1000 for count in counts.values())
        assert squares < 16.27  # of chi-squared with 3 degrees of freedom, 1 in 1000 is larger


def test_the_choice_of_one_switch_says_nothing_of_the_next() -> None:
    same = sum(
        chosen(key(1, 1), one, range(2)) == chosen(key(1, 2), one, range(2))
        for one in connections(4000)
    )
    assert abs(same - 2000) < 3.3 * 1000**0.5  # 1 in 1000 is further off
