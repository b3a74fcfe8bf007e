"""RDMA on the fabric held against formulas and published figures: `python bench/rdma.py [PART…]`.

Each row is one guest in which unmodified perftest runs between hosts, over Soft-RoCE. Printed: what is expected, by
which formula, and what was measured. Parts: loss, scale, dcqcn, incast, headroom.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
MTU = 4096
FRAME = 4154
BOUND = MTU / FRAME
HOST = "accelerator: H100, name: h, nics: 1"
MIB = 2**20

# Host 0 receives from all others at once, each over a connection of its own.
INCAST = """
n=$((WORLD_SIZE-1)); test="ib_write_bw -x 1 -d rxe0 -F -s {size} -n {count} -t {depth} -u {timeout}"
if [ $RANK = 0 ]; then
  for i in $(seq 1 $n); do $test -p $((7000+i)) >/dev/null 2>&1 & done
  wait
else
  sleep 1
  $test -p $((7000+RANK)) 10.{campus}.1.1 | awk '$1=={size}{{print "rate", $4*1.048576}}'
fi
echo counted $(rdma statistic show link rxe0/1)
"""


@dataclass(frozen=True)
class Outcome:
    """Rates of the senders, MB/s, and all hosts' counters, added."""

    rates: tuple[float, ...]
    counters: dict[str, int]
    out: str

    @property
    def together(self) -> float:
        return sum(self.rates)


def run(topology: str, overrides: Sequence[str] = (), **traffic: int) -> Outcome:
    """One guest."""
    asked = {"size": MIB, "count": 50, "depth": 16, "timeout": 17, "campus": 1} | traffic
    with tempfile.TemporaryDirectory(dir=Path.home()) as folder:
        file = Path(folder) / "rdma.yaml"
        file.write_text(f"longhaul: 1\nname: rdma\n{topology}")
        words = [sys.executable, "-m", "longhaul", "exec", str(file)]
        words += [word for one in overrides for word in ("--set", one)]
        words += ["--", "bash", "-c", INCAST.format(**asked)]
        done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)
    rates = [float(x) for x in re.findall(r"^\S+: rate ([\d.]+)", done.stdout, re.M)]
    counters: dict[str, int] = {}
    for line in re.findall(r"^\S+: counted link rxe0/1 (.*)", done.stdout, re.M):
        words = line.split()
        for name, count in zip(words[::2], words[1::2], strict=False):
            counters[name] = counters.get(name, 0) + int(count)
    return Outcome(tuple(rates), counters, done.stdout[-300:] + done.stderr[-600:])


def pair(rate: str, delay: str, loss: float, scale: float, window: str) -> str:
    """Two hosts, a link that loses from the second to the first."""
    host = f"hosts: [{{{HOST}, count: 1, nic: {rate}}}]"
    return (
        f"scale: {{bytes: {scale}}}\nrdma: {{congestion: window, window: {window}}}\n"
        f"campuses:\n  c1: {{{host}}}\n  c2: {{{host}}}\n"
        f"links:\n  c1-c2: {{between: [c1, c2], delay: {delay}, rate: {rate}, queue: 1GB,"
        f" backward: {{loss: {loss}}}}}\n"
    )


def efficiency(loss: float, in_flight: float) -> float:
    """Go-back-N sends again all that was under way: 1 / (1 + p N)."""
    return 1 / (1 + loss * in_flight)


@dataclass(frozen=True)
class Lossy:
    """A link that loses the share `p` of packets one way."""

    name: str
    p: float
    rate_bps: float
    rtt_s: float

    @property
    def wasted(self) -> float:
        """The packets that a loss has sent again: those under way, and four in the adapter's queue."""
        return self.rate_bps * self.rtt_s / 8 / FRAME + 4


def loss() -> Iterator[str]:
    """Goodput under loss against 1 / (1 + p (BDP + n)), n = 4 packets in the adapter's queue."""
    yield "go-back-N, 10 Gbit/s: RTT, loss, formula, with the losses that fell, measured, ratio, losses"
    for rtt_ms, delay in ((1, "500us"), (10, "5ms")):
        for p in (1e-5, 1e-4, 1e-3, 1e-2):
            link = Lossy(f"{rtt_ms} ms {p:6.0e}", p, 10e9, rtt_ms / 1e3)
            yield lossy_row(link, pair("10Gbit/s", delay, p, 1, "400MB"))


def scale() -> Iterator[str]:
    """One link at several scales: a packet stands for k of the real ones, and is lost if one of those would be."""
    yield "40 Gbit/s, RTT 1 ms, loss 1e-4, divided by k: formula, with losses, measured, ratio, losses"
    for k in (4, 10, 40):
        link = Lossy(f"k = {k}", k * 1e-4, 40e9 / k, 1e-3)
        yield lossy_row(link, pair("40Gbit/s", "500us", 1e-4, k, "1600MB"))


def lossy_row(link: Lossy, topology: str) -> str:
    """A transfer of a hundred losses, or of 30,000 packets.

    What the chance of so many losses does to the formula is shown apart; the round trip until the last
    acknowledgement is taken off.
    """
    count = round(min(max(100 / link.p, 1e4), 3e4) * MTU / MIB)
    done = run(topology, count=count, depth=128)
    if not done.rates:
        return f"{link.name}: {done.out}"
    losses = done.counters.get("rcvd_seq_err", 0)
    fell = efficiency(losses / (count * MIB / MTU), link.wasted)
    took_s = count * MIB / (done.together * 1e6) - link.rtt_s
    measured = 8 * count * MIB / took_s / link.rate_bps / BOUND
    cells = (efficiency(link.p, link.wasted), fell, measured, measured / fell)
    return f"{link.name:>16} {' '.join(f'{x:8.4f}' for x in cells)} {losses:6d}"


def one_switch(senders: int, model: str, rdma: str) -> str:
    """Hosts at 10 Gbit/s on one switch."""
    return (
        f"rdma: {rdma}\nswitches: {{own: {model}}}\n"
        f"campuses:\n  c1: {{switch: own, hosts: [{{{HOST}, count: {senders + 1},"
        " nic: 10Gbit/s}]}\n"
    )


ECN = "ecn: {min: 5kB, max: 200kB, probability: 1%}"


def dcqcn() -> Iterator[str]:
    """Flows through one bottleneck: fair, and full."""
    yield "DCQCN: flows, rates MB/s, least/most, sum over the line, marked, CNPs, losses"
    for flows in (2, 4, 8):
        topology = one_switch(flows, f"{{buffer: 12MB, {ECN}}}", "{congestion: dcqcn}")
        done = run(topology, count=400 // flows)
        yield told(f"{flows} flows", done)


def told(name: str, done: Outcome, line: float = 1250) -> str:
    if not done.rates:
        return f"{name}: {done.out}"
    shares = f"{min(done.rates) / max(done.rates):.3f} {done.together / line / BOUND:.3f}"
    keys = ("np_ecn_marked_roce_packets", "rp_cnp_handled", "rcvd_seq_err", "completer_retry_err")
    counted = " ".join(f"{key} {done.counters.get(key, 0)}" for key in keys)
    return f"{name:>24} {[round(x) for x in done.rates]} {shares} {counted}"


def incast() -> Iterator[str]:
    """Eight to one, with and without what protects from it."""
    yield "incast 8 to 1, 80 MiB: variant, rates MB/s, least/most, sum over the line"
    for name, model, rdma in (
        ("shallow, nothing", "{buffer: 400kB}", "{congestion: none}"),
        ("shallow, DCQCN", f"{{buffer: 400kB, {ECN}}}", "{congestion: dcqcn}"),
        ("shallow, window", "{buffer: 400kB}", "{congestion: window, window: 20kB}"),
        ("shallow, PFC", "{buffer: 4MB, pfc: {xoff: 100kB}}", "{congestion: none}"),
        ("deep", "{buffer: 1GB, alpha: 8}", "{congestion: none}"),
    ):
        yield told(name, run(one_switch(8, model, rdma), count=10))


def headroom() -> Iterator[str]:
    """PFC over ten miles: the headroom of the formula, and half of it. The receiver takes a twentieth of what comes,
    so that nearly all of what is under way has to be held."""
    yield "PFC over ten miles at 20 Gbit/s, receiver at 1: headroom, rates, sum over the receiver's line, losses"
    for name, text in (("computed", ""), ("half", ", headroom: 215kB")):
        model = f"{{buffer: 40MB, pfc: {{xoff: 50kB{text}}}}}"
        topology = (
            f"rdma: {{congestion: none}}\nswitches: {{own: {model}}}\ncampuses:\n"
            f"  c1: {{switch: own, hosts: [{{{HOST}, count: 1, nic: 1Gbit/s}}]}}\n"
            f"  c2: {{switch: own, hosts: [{{{HOST}, count: 2, nic: 10Gbit/s}}]}}\n"
            "links:\n  c1-c2: {between: [c1, c2], distance: 10mi, rate: 20Gbit/s}\n"
        )
        yield told(name, run(topology, count=20), 125)


PARTS = {"loss": loss, "scale": scale, "dcqcn": dcqcn, "incast": incast, "headroom": headroom}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        for line in PARTS[part]():
            print(line, flush=True)
