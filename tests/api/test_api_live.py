"""A live fabric from Python: its clock, its shells, Mininet's methods, its timeline; and how it ends."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import longhaul as lh

ROOT = Path(__file__).parents[2]
EVENTS = [{"event": "link-down", "name": "cut", "link": "c1-c2", "at": "1s", "for": "1s"}]


@pytest.fixture(scope="module")
def net(kernel: Path) -> Iterator[lh.Net]:  # noqa: ARG001
    top = lh.Topology.load(ROOT / "topologies" / "two-hosts.yaml")
    with lh.fabric(top.set({"links.c1-c2.distance": "1000mi", "timeline": EVENTS})) as found:
        yield found


def arrived(net: lh.Net) -> bool:
    return "1 received" in net["c1-h100-1"].cmd("ping -c 1 -W 1 c2-h100-1")


def test_no_virtual_time_passes_while_nobody_asks(net: lh.Net) -> None:
    before_s = net.now_s
    time.sleep(0.5)
    assert net.now_s - before_s < 1e-6


def test_time_passes_for_as_long_as_it_is_let(net: lh.Net) -> None:
    before_s = net.now_s
    net.sleep(1.5)
    slack_s = 50e-6  # that Linux allows itself with the timers of an ordinary process [prctl(2), PR_SET_TIMERSLACK]
    assert net.now_s - before_s == pytest.approx(1.5 + slack_s, abs=1e-6)


def test_a_round_trip_is_that_of_a_thousand_miles(net: lh.Net) -> None:
    """1,609,344 m of fibre at 4.897 us/km, there and back."""
    said = net["c1-h100-1"].cmd("ping -c 3 c2-h100-1")
    fastest_ms = float(said.rpartition("= ")[2].partition("/")[0])
    assert fastest_ms == pytest.approx(2 * 1609.344 * 4.897e-3, rel=0.01)


def test_hosts_are_arguments_of_mininets_methods(net: lh.Net) -> None:
    host, other = net["c1-h100-1"], net["c2-h100-1"]
    assert net.mininet.ping([host, other]) == 0.0
    assert host.mininet.IP() == host.ip


def test_events_of_the_timeline_happen_when_they_are_told_to(net: lh.Net) -> None:
    assert arrived(net)
    net.begin("cut")
    assert not arrived(net)
    net.end("cut")
    net.sleep(1)
    assert arrived(net)


def test_what_cannot_be_is_an_error_and_the_fabric_goes_on(net: lh.Net) -> None:
    with pytest.raises(lh.WrongInput, match="no host is called 'c9'; there are c1-h100-1"):
        _ = net["c9"]
    with pytest.raises(lh.WrongInput, match="no event 'storm'"):
        net.begin("storm")
    with pytest.raises(lh.WrongInput, match="no attribute 'nonsense'"):
        net.mininet.nonsense()
    assert arrived(net)


DYING = """
import os, signal, longhaul as lh
with lh.fabric(lh.Topology.load({topology!r})) as net:
    print(net._process.pid, flush=True)
    os.kill(os.getpid(), signal.{signal})
"""


@pytest.mark.parametrize("signal", ["SIGINT", "SIGKILL"])
def test_the_guest_ends_with_whoever_started_it(
    signal: str,
    kernel: Path,  # noqa: ARG001
    tmp_path: Path,
) -> None:
    script = DYING.format(topology=str(ROOT / "topologies" / "two-hosts.yaml"), signal=signal)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    guest = Path("/proc") / done.stdout.strip()
    for _ in range(1000):
        if not guest.exists():
            return
        time.sleep(0.01)
    raise AssertionError(f"guest {guest.name} is still there: {done.stderr}")
