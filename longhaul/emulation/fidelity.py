"""Does the fabric do what was asked? Measured in every run, before the workload.

Each long-haul link is measured between the two campuses' probes: round trip (ICMP echo), TCP goodput
both ways (a TCP stream), and, once impairments are on, one-way loss or duplicates (counted datagrams).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from longhaul.emulation import netlink
from longhaul.emulation.hosts import HostJob, Hosts
from scenario.plan import forwarding
from scenario.plan.losses import by_chance
from scenario.plan.types import (
    ETHERNET_HEADER,
    FIRST_WINDOW_PACKETS,
    TCP_IP_HEADERS,
    End,
    Plan,
    PlannedHost,
)
from traffic.host.probe import BURST, DATAGRAM_BYTES

LIMIT = 0.01
ECHO_FRAME_BYTES = 98
ECHOES = 10
RAMP_ROUNDS = 4
PACED_RAMP_ROUNDS = 8
SETTLING_ROUND_TRIPS = 6  # after a window that has doubled up to what fills the link
WINDOW_ROUNDS = 6
LEAST_WINDOW_S = 0.04
ENOUGH_FRAMES = 10_000  # counted in whole ones: 0.01 % of them
BUSY_WITHIN_S = 30.0
FIRST_WINDOW_BYTES = 65_536
PACE = 1.005  # of the rate: TCP's bursts are more than a shallow buffer may hold
PACED_OVERHEAD = 2.2  # of send buffer, at any MTU
SKB_BYTES = 1280  # of send buffer per packet beside its payload: sk_buff, head, shared info
LOSS_EVENTS = 100
MOST_DATAGRAMS = 20_000
FALSE_ALARMS = 1e-4  # the share of right fabrics that are found to lose too little or too much
DATAGRAM_FRAME_BYTES = DATAGRAM_BYTES + 8 + 20 + ETHERNET_HEADER
SPACING = 2.0  # of bursts beyond the delay, in times that the link needs for one: netem's limit
# counts packets, however small, and those under way too


@dataclass(frozen=True)
class Measured:
    """One line of the fidelity table. `error` is relative; the run is unfaithful where one is not
    `ok`, which is where `error` is beyond `limit`."""

    what: str
    link: str
    quantity: str
    asked: float
    measured: float
    error: float
    unit: str
    limit: float
    ok: bool
    counts: str = ""
    """Of what was counted: how many were expected, and how many came."""


@dataclass(frozen=True)
class MeasuredWay:
    """One way between two hosts: the sending ends of all wires there, and back."""

    name: str
    source: PlannedHost
    sink: PlannedHost
    there: tuple[End, ...]
    back: tuple[End, ...]

    def __str__(self) -> str:
        if self.source.campus == self.sink.campus:
            return f"{self.source.name}→{self.sink.name}"
        return f"{self.source.campus}→{self.sink.campus}"

    @property
    def rtt_s(self) -> float:
        """The propagation round trip."""
        return sum(end.shape.delay_s for end in self.there + self.back)

    @property
    def slowest(self) -> End:
        """The switch's port that sends slowest."""
        return min(self.there[1:], key=lambda end: end.shape.rate_bps)

    @property
    def duplicate(self) -> float:
        """The share of packets that is to arrive twice."""
        return math.prod(1 + end.shape.duplicate for end in self.there) - 1

    @property
    def loss(self) -> float:
        """The share of packets that is to be lost."""
        lossy = [end.shape.loss for end in self.there if end.shape.loss]
        return lossy[0] if len(lossy) == 1 else 1 - math.prod(1 - loss for loss in lossy)

    @property
    def counted(self) -> bool:
        """Is there something to count? Where packets are lost and come twice, a count tells neither."""
        return (self.loss > 0) != (self.duplicate > 0)

    def frames_s(self, frame_bytes: int) -> float:
        """Time to put one frame on every wire there and back, seconds."""
        return sum(8 * frame_bytes / end.shape.rate_bps for end in self.there + self.back)

    def compare(self, what: str, quantity: str, values: tuple[float, float], unit: str) -> Measured:
        """A line of the table from (asked, measured), to be within LIMIT."""
        return self.line(what, quantity, values, unit, LIMIT)

    def line(
        self, what: str, quantity: str, values: tuple[float, float], unit: str, limit: float
    ) -> Measured:
        """A line of the table from (asked, measured)."""
        asked, measured = values
        error = measured / asked - 1
        what, ok = f"{self.name} {what}", abs(error) <= limit
        return Measured(what, self.name, quantity, asked, measured, error, unit, limit, ok)


class FidelityCheck:
    """Measures a running fabric through its probes."""

    def __init__(self, plan: Plan, hosts: Hosts) -> None:
        self._plan = plan
        self._hosts = hosts
        self._directions = list(directions(plan))
        self._chance = FALSE_ALARMS / max(sum(way.counted for way in self._directions), 1)

    def clean(self) -> Iterator[Measured]:
        """RTT and goodput of every long-haul link, with rate and delay alone."""
        for number, way in enumerate(self._directions):
            if number % 2 == 0:
                yield self._rtt(way)
            yield self._goodput(way)

    def loss(self) -> Iterator[Measured]:
        """One-way loss, or duplicates, of every direction where counting can tell."""
        for way in self._directions:
            if way.counted:
                yield self._counted(way)

    def _rtt(self, way: MeasuredWay) -> Measured:
        """Asked: the sum of the delays, and the time to send an echo's frame over each wire."""
        asked = way.rtt_s + way.frames_s(ECHO_FRAME_BYTES)
        measured = self._ask(way.source, "echo", address=way.sink.ip, count=ECHOES)["rtt_s"]
        return way.compare("RTT", "rtt", (asked, measured), "s")

    def _goodput(self, way: MeasuredWay) -> Measured:
        """Asked: the link's rate times the payload's share of a full frame.

        What reaches the receiver is read off its wire between two instants. The stream keeps the link full
        and half its queue: dropping nothing, it measures the link rather than a congestion control.
        """
        asked = min(end.shape.rate_bps for end in way.there) / 8 * self._plan.payload_share
        queue_s = self._queue_s(way.slowest)
        paced = way.slowest.shape.port is not None
        overhead = (
            PACED_OVERHEAD if paced else 1 + SKB_BYTES / (self._plan.mtu_bytes - TCP_IP_HEADERS)
        )
        ramp_s = (PACED_RAMP_ROUNDS if paced else RAMP_ROUNDS) * (way.rtt_s + queue_s)
        window_packets = (way.rtt_s + queue_s / 2) / self._frame_s(way.slowest)
        doublings = math.log2(max(window_packets / FIRST_WINDOW_PACKETS, 1))
        ramp_s = max(ramp_s, (doublings + SETTLING_ROUND_TRIPS) * way.rtt_s)
        least_s = min(LEAST_WINDOW_S, ENOUGH_FRAMES * self._frame_s(way.slowest))
        window_s = max(WINDOW_ROUNDS * (way.rtt_s + queue_s), least_s)
        port = way.there[-1].interface
        server = self._role(way.sink, "stream-server", address=way.sink.ip)
        server.hear()
        idle_bytes = netlink.sent(port).bytes
        client = self._role(
            way.source,
            "stream-client",
            address=way.sink.ip,
            size_bytes=round(asked * (ramp_s + 1.2 * window_s)),
            send_buffer_bytes=round(asked * (way.rtt_s + queue_s / 2) * overhead),
            pacing_Bps=round(PACE * asked) if paced else 0,
        )
        measured = payload_rate(port, idle_bytes + FIRST_WINDOW_BYTES, ramp_s, window_s)
        for job in (client, server):
            job.hear()
            job.close()
        return way.compare(f"goodput {way}", "goodput", (asked, measured), "Bps")

    def _queue_s(self, end: End) -> float:
        """How long the queue of an interface is when full: its limit less what is on the line."""
        return end.shape.limit_packets * self._frame_s(end) - end.shape.delay_s

    def _frame_s(self, end: End) -> float:
        """Time to send one full packet."""
        return 8 * self._plan.frame_bytes / end.shape.rate_bps

    def _counted(self, way: MeasuredWay) -> Measured:
        """Datagrams, counted where they arrive. `ok` unless so few or so many losses (duplicates) are no chance;
        where few are to be expected, that is far from what was asked."""
        quantity, asked = ("loss", way.loss) if way.loss else ("duplicate", way.duplicate)
        shape = way.slowest.shape
        bursts = math.ceil(min(MOST_DATAGRAMS, LOSS_EVENTS / asked) / BURST)
        count = bursts * BURST
        gap_s = shape.delay_s + SPACING * 8 * BURST * DATAGRAM_FRAME_BYTES / shape.rate_bps
        before = self._ask(way.sink, "arrived")["datagrams"]
        self._ask(way.source, "datagrams", address=way.sink.ip, bursts=bursts, gap_s=gap_s)
        time.sleep(gap_s + 2 * shape.delay_s + shape.jitter_s)
        arrived = self._ask(way.sink, "arrived")["datagrams"] - before
        found = abs(count - arrived)
        correlation = shape.loss_correlation if way.loss else 0.0
        fewest, most = by_chance(count * asked, correlation, self._chance)
        furthest = most + 0.5 if found > count * asked else fewest - 0.5
        limit = abs(furthest / (count * asked) - 1)
        line = way.line(f"{quantity} {way}", quantity, (asked, found / count), "ratio", limit)
        return replace(line, counts=counts(count * asked, found, count))

    def _ask(self, host: PlannedHost, role: str, **arguments: Any) -> dict[str, Any]:
        """Have a probe play a role, and wait for its answer."""
        job = self._role(host, role, **arguments)
        answer = job.hear()
        job.close()
        return answer

    def _role(self, host: PlannedHost, role: str, **arguments: Any) -> HostJob:
        return self._hosts.job(host.name, "traffic.host.probe", role=role, arguments=arguments)


def counts(expected: float, found: int, of: int) -> str:
    """What a rate of few events hangs on, in words."""
    return f"expected {expected:,.1f}, saw {found:,} of {of:,}"


def directions(plan: Plan) -> Iterator[MeasuredWay]:
    """Every long-haul link (of a bundle, the member that probes take) both ways, between its campuses' probes, unless
    the routes between the two take another way; where there is no such link, from the first host to the last and
    back."""
    ways = forwarding.of(plan)
    at = {probe.leaf: probe for probe in plan.probes}
    for link in plan.long_hauls():
        near, far = at[link.a.node], at[link.b.node]
        there, back = ways.walk(near, far), ways.walk(far, near)
        if link.a in there and link.b in back:
            yield MeasuredWay(link.link, near, far, there, back)
            yield MeasuredWay(link.link, far, near, back, there)
    if not plan.probes and len(plan.hosts) > 1:
        first, last = plan.hosts[0], plan.hosts[-1]
        there, back = ways.walk(first, last), ways.walk(last, first)
        yield MeasuredWay(first.campus, first, last, there, back)
        yield MeasuredWay(first.campus, last, first, back, there)


def payload_rate(interface: str, busy_bytes: int, ramp_s: float, window_s: float) -> float:
    """TCP payload per second that an interface sends, from `ramp_s` after it has sent `busy_bytes`.

    Raises TimeoutError where it never does.
    """
    deadline_s = time.monotonic() + BUSY_WITHIN_S
    while netlink.sent(interface).bytes < busy_bytes:
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"the stream sends nothing over {interface}")
        time.sleep(ramp_s / 20)
    time.sleep(ramp_s)
    first, first_s = netlink.sent(interface), time.monotonic()
    time.sleep(window_s)
    last, last_s = netlink.sent(interface), time.monotonic()
    headers = (last.packets - first.packets) * (TCP_IP_HEADERS + ETHERNET_HEADER)
    return (last.bytes - first.bytes - headers) / (last_s - first_s)
