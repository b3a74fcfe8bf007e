"""RDMA on the fabric held against formulas and published figures: `python bench/rdma.py [PART [ROW…]]`.

Each row is one guest in which unmodified perftest runs between hosts, over Soft-RoCE. Printed: what is expected, by
which formula, and what was measured. Parts: loss, timeouts, scale, dcqcn, incast, headroom. A row is named by its name.
"""

from __future__ import annotations

import math
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from scenario.plan.types import Port  # noqa: E402
from traffic.model.dcqcn import Bottleneck, waiting_bytes  # noqa: E402

MTU = 4096
FRAME = 4154
BOUND = MTU / FRAME
HOST = "accelerator: H100, name: h, nics: 1"
MIB = 2**20
PARAMETERS = "/sys/module/rdma_rxe/parameters"

# Host 0 receives from all others at once, each over a connection of its own. Where all send for a time, rates are of
# the second in the middle: perftest, when it is done, measures the CPU's frequency in a busy loop, and others wait.
# Where it does not succeed, it says that its rate was 0; then what was sent in two seconds,
# without what was still under way, is the rate.
SENDING = """
n=$((WORLD_SIZE-1)); test="ib_write_bw -d rxe0 -F -s {size} {amount} -t {depth} -Q {batch} -u {timeout}"
counters=/sys/class/infiniband/rxe0/ports/1/hw_counters
{before}
if [ $RANK = 0 ]; then
  for i in $(seq 1 $n); do $test -p $((7000+i)) >/dev/null 2>&1 & done
  {watch}
  wait
else
  sleep 1
  {beside}
  $test -p $((7000+RANK)) 10.{campus}.1.1 >told 2>complained &
  if [ -n "{lasting}" ]; then
    sleep 1.4; a=$(<$counters/sent_pkts); sleep 1; b=$(<$counters/sent_pkts)
    echo steady $(((b-a)*4096/1000000))
  fi
  wait
  if grep -q Correlation complained; then echo rate $((($(<$counters/sent_pkts)*4096-{depth}*{size})/2000000))
  else awk '$1=={size}{{print "rate", $4*1.048576}}' told; fi
fi
echo counted $(rdma statistic show link rxe0/1)
{after}
"""
QUEUE = """
  sleep 2.6
  for i in $(seq 1 200); do
    nsenter -t 1 -n tc -s qdisc show dev c1-l1-eth1 | awk '/backlog/{print "backlog", $2}'; sleep 0.005
  done
"""
TCP = """
if [ $RANK = 0 ]; then iperf3 -s -1 >/dev/null
else
  sleep 1; iperf3 -c 10.{campus}.1.1 -n {tcp_size} -J >told
  awk '/"sum_received"/{{f=1}} f&&/bits_per_second/{{print "tcp", $2/8e6; f=0}}' told
fi
"""
Row = Callable[[], str]
Part = Iterator[tuple[str, Row]]


@dataclass(frozen=True)
class Outcome:
    """Rates of the senders, MB/s: over all of their time, and over the second in the middle; all hosts' counters,
    added; bytes that waited at the receiver's port, of many looks; TCP's rate after it, MB/s; all that was said."""

    rates: tuple[float, ...]
    steady: tuple[float, ...]
    counters: dict[str, int]
    queue: tuple[float, ...]
    tcp: float | None
    lines: tuple[str, ...]

    @property
    def out(self) -> str:
        """The end of what was said, for who finds nothing in it."""
        return "\n".join(self.lines)[-900:]

    @property
    def together(self) -> float:
        return sum(self.rates)


def run(
    topology: str, parts: Sequence[str] = (), before: str = "", beside: str = "", **traffic: int
) -> Outcome:
    """One guest; all send for two `seconds`, or a `count` of messages; a script goes `before` that, and one `beside` it
    on senders."""
    lasts = f"-D {traffic.get('seconds', 2)} -f 0"
    amount = f"-n {traffic['count']}" if "count" in traffic else lasts
    asked = {
        "size": MIB,
        "depth": 16,
        "batch": 16,
        "timeout": 17,
        "campus": 1,
        "tcp_size": 100 * MIB,
    } | traffic
    script = SENDING.format(
        **asked,
        amount=amount,
        before=before,
        beside=beside,
        lasting="" if "count" in traffic else "y",
        watch=QUEUE if QUEUE in parts else "",
        after=TCP.format(**asked) if TCP in parts else "",
    )
    with tempfile.TemporaryDirectory(dir=Path.home()) as folder:
        file = Path(folder) / "rdma.yaml"
        file.write_text(f"longhaul: 1\nname: rdma\nmtu: 4200\n{topology}")
        words = [sys.executable, "-m", "longhaul", "exec", str(file), "--", "bash", "-c"]
        script = f"cd $(mktemp -d)\n{script}"
        done = subprocess.run(
            [*words, script], capture_output=True, text=True, cwd=ROOT, check=False
        )
    counters: dict[str, int] = {}
    for line in re.findall(r"^\S+: counted link rxe0/1 (.*)", done.stdout, re.M):
        fields = line.split()
        for name, count in zip(fields[::2], fields[1::2], strict=False):
            counters[name] = counters.get(name, 0) + int(count)
    tcp = _said("tcp", done.stdout)
    return Outcome(
        rates=_said("rate", done.stdout),
        steady=_said("steady", done.stdout),
        counters=counters,
        queue=_said("backlog", done.stdout.replace("Kb", "e3").replace("b\n", "\n")),
        tcp=tcp[0] if tcp else None,
        lines=(*done.stdout.splitlines(), *done.stderr.splitlines()),
    )


def _said(what: str, text: str) -> tuple[float, ...]:
    return tuple(float(x) for x in re.findall(rf"^\S+: {what} ([\d.e]+)", text, re.M))


def pair(rate: str, delay: str, loss: float, scale: float, window: str) -> str:
    """Two hosts, a link that loses from the second to the first."""
    host = f"hosts: [{{{HOST}, count: 1, nic: {rate}}}]"
    return (
        f"scale: {{bytes: {scale}}}\nrdma: {{congestion: window, window: {window}}}\n"
        f"campuses:\n  c1: {{{host}}}\n  c2: {{{host}}}\n"
        f"links:\n  c1-c2: {{between: [c1, c2], delay: {delay}, rate: {rate}, queue: 1GB,"
        f" backward: {{loss: {loss}}}}}\n"
    )


BETWEEN = ((1, 3e-3), (3, 3e-4), (3, 3e-3))
"""Round trips, in ms, and losses between those of the table."""


@dataclass(frozen=True)
class Lossy:
    """A link that loses the share `p` of packets one way, and a queue pair over it: the exponent of its `timeout`, and
    how many messages of 1 MiB it has under way, and how many it waits for at once."""

    name: str
    p: float
    rate_bps: float
    rtt_s: float
    timeout: int = 17
    messages: int = 128
    batch: int = 100

    @property
    def wasted(self) -> float:
        """The packets that a loss has sent again: those under way, and four in the adapter's queue."""
        return self.rate_bps * self.rtt_s / 8 / FRAME + 4

    @property
    def waited(self) -> float:
        """The packets that a timeout costs. Soft-RoCE begins one anew whenever it sends, so that it begins when all
        that it was handed has left."""
        return timeout_s(self.timeout) * self.rate_bps / 8 / FRAME + self.messages * MIB / MTU

    @property
    def twice(self) -> float:
        """The share of packets that are lost again as the first of those that are sent again: only the first loss of a
        packet is answered by a NAK, so that each other one waits out a timeout."""
        return self.p**2 / (1 - self.p)

    def goodput(self, losses: float, timeouts: float) -> float:
        """As a share of what it would be without, where for each packet that comes so many are met."""
        return 1 / (1 + losses * self.wasted + timeouts * self.waited)


def timeout_s(exponent: int) -> float:
    """InfiniBand's."""
    return 4.096e-6 * 2.0**exponent


def brief(name: str, p: float, rate_bps: float, rtt_s: float) -> Lossy:
    """With the least timeout above one and a half round trips, and two round trips' worth under way."""
    exponent = math.ceil(math.log2(1.5 * rtt_s / 4.096e-6))
    messages = math.ceil(2 * rtt_s * rate_bps / 8 / FRAME * MTU / MIB)
    return Lossy(name, p, rate_bps, rtt_s, exponent, messages, batch=1)


def loss() -> Part:
    """Goodput under loss against 1 / (1 + p (BDP + n)), n = 4 packets in the adapter's queue, with timeouts as short as
    the round trip allows; one TCP connection (cubic) over the same link beside it."""
    head("go-back-N, 10 Gbit/s, timeouts of 1.5 round trips or a little more")
    table = [(rtt_ms, p) for rtt_ms in (1, 10) for p in (1e-5, 1e-4, 1e-3, 1e-2)]
    for rtt_ms, p in [*table, *BETWEEN]:
        link = brief(f"{rtt_ms}ms {p:.0e}", p, 10e9, rtt_ms / 1e3)
        topology = pair("10Gbit/s", f"{rtt_ms * 500}us", p, 1, "400MB")
        yield link.name, partial(lossy_row, link, topology, (TCP,))


def timeouts() -> Part:
    """The same with timeouts of 0.54 s, which cost more than all else: p² / (1 - p) of all packets wait for one."""
    head("go-back-N, 10 Gbit/s, timeouts of 0.54 s")
    for rtt_ms, p in ((1, 1e-3), (1, 3e-3), (1, 1e-2), (3, 3e-3), (10, 1e-3), (10, 1e-2)):
        link = Lossy(f"{rtt_ms}ms {p:.0e}", p, 10e9, rtt_ms / 1e3)
        topology = pair("10Gbit/s", f"{rtt_ms * 500}us", p, 1, "400MB")
        yield link.name, partial(lossy_row, link, topology)


def scale() -> Part:
    """One link at several scales: a packet stands for k of the real ones, and is lost if one of those would be."""
    head("40 Gbit/s, RTT 1 ms, loss 1e-4, divided by k")
    for k in (4, 10, 40):
        link = Lossy(f"k={k}", k * 1e-4, 40e9 / k, 1e-3)
        topology = pair("40Gbit/s", "500us", 1e-4, k, "1600MB")
        yield link.name, partial(lossy_row, link, topology)


def head(what: str) -> None:
    print(
        f"{what}: formula; with timeouts; with the losses and timeouts that fell; measured; measured over the formula,"
        " over what fell; NAKs, timeouts; MB/s; TCP's"
    )


def lossy_row(link: Lossy, topology: str, parts: Sequence[str] = ()) -> str:
    """A transfer of 250,000 packets, or of half as many where most is sent in vain.

    What the chance of so many losses does to the formula is shown apart; the round trip until the last
    acknowledgement is taken off.
    """
    packets = 2.5e5 if link.p * link.wasted < 10 else 1.2e5
    count = round(packets * MTU / MIB)
    done = run(
        topology, parts, count=count, depth=link.messages, batch=link.batch, timeout=link.timeout,
        tcp_size=(600 if link.p < 1e-3 else 100) * MIB,
    )  # fmt: skip
    if not done.rates:
        return done.out
    naks = done.counters.get("out_of_seq_request", 0)
    waits = done.counters.get("completer_retry_err", 0) - naks
    sent = count * MIB / MTU
    took_s = count * MIB / (done.together * 1e6) - link.rtt_s
    measured = 8 * count * MIB / took_s / link.rate_bps / BOUND
    bare, fell = link.goodput(link.p, 0), link.goodput(naks / sent, waits / sent)
    cells = (
        bare,
        link.goodput(link.p, link.twice),
        fell,
        measured,
        measured / bare,
        measured / fell,
    )
    beside = f"{done.together:8.1f} {done.tcp or math.nan:8.1f}"
    return f"{' '.join(f'{x:8.4f}' for x in cells)} {naks:6d} {waits:4d} {beside}"


def one_switch(senders: int, model: str, rdma: str) -> str:
    """Hosts at 10 Gbit/s on one switch."""
    return (
        f"rdma: {rdma}\nswitches: {{own: {model}}}\n"
        f"campuses:\n  c1: {{switch: own, hosts: [{{{HOST}, count: {senders + 1},"
        " nic: 10Gbit/s}]}\n"
    )


MARKS = Port(mark_min_bytes=5_000, mark_max_bytes=200_000, mark_probability=0.25)
LINE = Bottleneck(rate_bps=10e9, packet_bytes=FRAME, byte_counter=10e6)


def ecn(probability: str, most: str = "200kB") -> str:
    return f"ecn: {{min: 5kB, max: {most}, probability: {probability}}}"


def dcqcn() -> Part:
    """Flows through one bottleneck: fair, full, and a queue where the fluid model's fixed point has it.

    With the paper's 1 % at `max` that point lies beyond `max` for packets of 4 KB at 10 Gbit/s.
    """
    print(
        "DCQCN: rates MB/s in the second in the middle, least/most, sum over the line, counters, queue kB, expected"
    )
    for flows in (2, 4, 8):
        expected = waiting_bytes(LINE.marked_share(flows), MARKS) / 1e3
        topology = one_switch(flows, f"{{buffer: 12MB, {ecn('25%')}}}", "{congestion: dcqcn}")
        yield (
            f"{flows} flows",
            partial(rested, topology, expected),
        )
    topology = one_switch(8, f"{{buffer: 12MB, {ecn('1%')}}}", "{congestion: dcqcn}")
    yield "8 at 1%", partial(rested, topology, 200.0)


def rested(topology: str, expected_kb: float) -> str:
    done = run(topology, [QUEUE])
    waits = f"{fmean(done.queue) / 1e3:.1f}" if done.queue else "?"
    whole = f"{min(done.rates) / max(done.rates):.3f}" if done.rates else "?"
    return f"{told(done.steady, done)} over both seconds {whole} queue {waits} expected {expected_kb:.1f}"


def told(rates: Sequence[float], done: Outcome, line: float = 1250) -> str:
    if not rates:
        return done.out
    shares = f"{min(rates) / max(rates):.3f} {sum(rates) / line / BOUND:.3f}"
    keys = ("np_ecn_marked_roce_packets", "rp_cnp_handled", "rcvd_seq_err", "completer_retry_err")
    counted = " ".join(f"{key} {done.counters.get(key, 0)}" for key in keys)
    return f"{[round(x) for x in rates]} {shares} {counted}"


def incast() -> Part:
    """Eight to one, with and without what protects from it."""
    print("incast 8 to 1: rates MB/s over two seconds, least/most, sum over the line, counters")
    often = f"echo 4 > {PARAMETERS}/cnp_us"
    tuned = f"{{buffer: 400kB, alpha: 8, {ecn('100%', '50kB')}}}"
    for name, model, rdma, before, timeout in (
        ("nothing", "{buffer: 400kB}", "{congestion: none}", "", 17),
        ("nothing, timeout 14", "{buffer: 400kB}", "{congestion: none}", "", 14),
        ("DCQCN", f"{{buffer: 400kB, {ecn('1%')}}}", "{congestion: dcqcn}", "", 17),
        ("DCQCN, timeout 14", f"{{buffer: 400kB, {ecn('1%')}}}", "{congestion: dcqcn}", "", 14),
        ("tuned DCQCN", tuned, "{congestion: dcqcn}", often, 17),
        ("window", "{buffer: 400kB}", "{congestion: window, window: 20kB}", "", 17),
        ("PFC", "{buffer: 4MB, pfc: {xoff: 100kB}}", "{congestion: none}", "", 17),
        ("deep", "{buffer: 1GB, alpha: 8}", "{congestion: none}", "", 17),
    ):
        topology = one_switch(8, model, rdma)
        yield (
            name,
            partial(overrun, topology, before, timeout),
        )


def overrun(topology: str, before: str, timeout: int) -> str:
    done = run(topology, before=before, timeout=timeout)
    return told(done.rates, done)


def headroom() -> Part:
    """PFC over ten miles: the headroom of the formula, and half of it. The receiver takes a twentieth of what comes,
    so that nearly all of what is under way has to be held."""
    print(
        "PFC over ten miles at 20 Gbit/s, receiver at 1: rates, least/most, sum over the receiver's line, counters"
    )
    for name, text in (("computed", ""), ("half", ", headroom: 215kB")):
        model = f"{{buffer: 40MB, pfc: {{xoff: 50kB{text}}}}}"
        topology = (
            f"rdma: {{congestion: none}}\nswitches: {{own: {model}}}\ncampuses:\n"
            f"  c1: {{switch: own, hosts: [{{{HOST}, count: 1, nic: 1Gbit/s}}]}}\n"
            f"  c2: {{switch: own, hosts: [{{{HOST}, count: 2, nic: 10Gbit/s}}]}}\n"
            "links:\n  c1-c2: {between: [c1, c2], distance: 10mi, rate: 20Gbit/s}\n"
        )
        yield name, partial(held_back, topology)


def held_back(topology: str) -> str:
    done = run(topology, count=20)
    return told(done.rates, done, 125)


PARTS: dict[str, Callable[[], Part]] = {
    "loss": loss,
    "timeouts": timeouts,
    "scale": scale,
    "dcqcn": dcqcn,
    "incast": incast,
    "headroom": headroom,
}


def main(words: Sequence[str]) -> None:
    """All parts; or one, and of its rows those that are named."""
    for part in words[:1] or PARTS:
        for name, row in PARTS[part]():
            if not words[1:] or name in words[1:]:
                print(f"{name:>20} {row()}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
