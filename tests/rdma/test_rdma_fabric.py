"""Unmodified verbs programs on a fabric: RDMA's own benchmarks against what was asked for."""

import re
from pathlib import Path

import pytest

from longhaul.buffers import ROCE_MTU
from longhaul.planning import make_plan
from scenario.loading import load_topology
from scenario.plan import forwarding
from scenario.plan.types import ETHERNET_HEADER, Plan
from tests.run.conftest import Done, longhaul

HEADERS = (
    ETHERNET_HEADER + 20 + 8 + 12 + 4
)  # Ethernet, IP, UDP, base transport header, invariant CRC
ACKNOWLEDGEMENT = 4  # its own header
DELAYS = ("10us", "1ms", "100ms")
MESSAGE_BYTES = 64
WRITES = 40

STAR = """\
longhaul: 1
name: star
rdma: {{congestion: window, window: 600MB}}
campuses:
  c0: {{{hosts}}}
{campuses}
links:
{links}
"""
HOSTS = "hosts: [{count: 1, accelerator: H100, name: h, nics: 1, nic: 10Gbit/s}]"

ONE_WAY = """
test="ibv_rc_pingpong -e -g 0 -d rxe0 -n 500 -s 64"
if [ $RANK = 0 ]; then
  for far in 1 2 3; do $test -p $((7000+far)) >/dev/null & done; wait
else
  sleep $RANK; $test -p $((7000+RANK)) 10.1.1.1
fi
"""
GOODPUT = """
if [ $RANK = 0 ]; then
  ib_write_bw -d rxe0 -F -s 1048576 -n 40 -t 16 >/dev/null; rping -s -a 10.1.1.1 -C 3 >/dev/null
elif [ $RANK = 2 ]; then
  sleep 200; ib_write_bw -d rxe0 -F -s 1048576 -n 40 -t 16 10.1.1.1; sleep 1
  rping -c -a 10.1.1.1 -C 3 -v
  rdma statistic show link rxe0/1
fi
"""


@pytest.fixture(scope="module")
def star(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One campus, and three others at delays from 10 us to 100 ms of it; everything at 10 Gbit/s."""
    file = tmp_path_factory.mktemp("star") / "star.yaml"
    far = [(f"c{number}", delay) for number, delay in enumerate(DELAYS, start=1)]
    campuses = "\n".join(f"  {name}: {{{HOSTS}}}" for name, _ in far)
    links = "\n".join(
        f"  l{name}: {{between: [c0, {name}], delay: {delay}, rate: 10Gbit/s}}"
        for name, delay in far
    )
    file.write_text(STAR.format(hosts=HOSTS, campuses=campuses, links=links))
    return file


@pytest.fixture(scope="module")
def plan(star: Path) -> Plan:
    return make_plan(load_topology(star))


@pytest.fixture(scope="module")
def told(star: Path, kernel: Path) -> Done:  # noqa: ARG001
    """What the programs said."""
    return longhaul("exec", star, "--", "bash", "-c", ONE_WAY + GOODPUT)


def light_and_frames_us(plan: Plan, rank: int) -> float:
    """Delay and serialization of one message from a host to the first, microseconds. Whoever answers a message
    acknowledges it first: that frame goes before the answer's."""
    bits = 8 * (MESSAGE_BYTES + HEADERS)
    hops = forwarding.of(plan).walk(plan.hosts[rank], plan.hosts[0])
    acknowledged_s = 8 * (HEADERS + ACKNOWLEDGEMENT) / hops[0].shape.rate_bps
    return 1e6 * (
        acknowledged_s + sum(end.shape.delay_s + bits / end.shape.rate_bps for end in hops)
    )


@pytest.mark.slow
@pytest.mark.parametrize("rank", range(1, 1 + len(DELAYS)), ids=DELAYS)
def test_a_message_takes_what_was_asked_and_its_frames_within_10_ns(
    told: Done, plan: Plan, rank: int
) -> None:
    (round_trip_us,) = re.findall(
        rf"^c{rank}-h-1: 500 iters .* = ([\d.]+) usec/iter", told.out, re.M
    )
    assert float(round_trip_us) / 2 == pytest.approx(light_and_frames_us(plan, rank), abs=0.01)


@pytest.mark.slow
def test_goodput_is_the_framing_bound_within_two_thousandths(told: Done) -> None:
    """Over 1 ms one way. perftest counts from the first post to the last completion: a round trip more."""
    (line,) = re.findall(r"^c2-h-1: +1048576 +40 +(.*)", told.out, re.M)
    measured_Bps = float(line.split()[1]) * 2**20
    bound_Bps = 1.25e9 * ROCE_MTU / (ROCE_MTU + HEADERS)
    size, rtt_s = WRITES * 2**20, 2 * 1.002e-3
    assert size / (size / measured_Bps - rtt_s) == pytest.approx(bound_Bps, rel=0.002)


@pytest.mark.slow
def test_the_connection_manager_works_in_namespaces(told: Done) -> None:
    assert told.status == 0, told.complaint
    assert len(re.findall(r"c2-h-1: ping data: rdma-ping", told.out)) == 3


@pytest.mark.slow
def test_nothing_is_lost_or_sent_again_where_nothing_loses(told: Done) -> None:
    (line,) = re.findall(r"^c2-h-1: link rxe0/1 (.*)", told.out, re.M)
    words = line.split()
    counters = {name: int(count) for name, count in zip(words[::2], words[1::2], strict=True)}
    assert counters["rcvd_seq_err"] == counters["completer_retry_err"] == 0
    assert counters["sent_pkts"] > WRITES * 256


MARKING = """\
longhaul: 1
name: marking
rdma: {congestion: dcqcn}
switches: {own: {buffer: 12MB, ecn: {min: 5kB, max: 200kB, probability: 100%}}}
campuses:
  c1: {switch: own, hosts: [{count: 3, accelerator: H100, name: h, nics: 1, nic: 1Gbit/s}]}
"""
HELD = """
echo 100000000 > /sys/module/rdma_rxe/parameters/rate
test="ib_write_bw -d rxe0 -F -s 1048576 -D 2 -f 0 -t 16"
if [ $RANK = 0 ]; then
  for i in 1 2; do $test -p $((7000+i)) >/dev/null & done; wait
else
  sleep 1; $test -p $((7000+RANK)) 10.1.1.1 >/dev/null & sleep 1.7
  cd /sys/class/infiniband/rxe0/ports/1/hw_counters
  a=$(<sent_pkts); sleep 1; b=$(<sent_pkts); echo packets $((b-a)) cnps $(<rp_cnp_handled); wait
fi
"""


@pytest.mark.slow
def test_queue_pairs_with_a_static_rate_obey_marks_too(tmp_path: Path, kernel: Path) -> None:  # noqa: ARG001
    """Two of 800 Mbit/s into 1 Gbit/s: each gets half of the line."""
    file = tmp_path / "marking.yaml"
    file.write_text(MARKING)
    told = longhaul("exec", file, "--", "bash", "-c", HELD)
    found = re.findall(r"packets (\d+) cnps (\d+)", told.out)
    assert told.status == 0, told.complaint
    line = 1e9 / 8 / (ROCE_MTU + HEADERS)
    assert [int(packets) for packets, _ in found] == pytest.approx([line / 2] * 2, rel=0.1)
    assert all(int(cnps) > 100 for _, cnps in found)
