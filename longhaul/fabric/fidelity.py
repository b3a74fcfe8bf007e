"""Does the fabric do what was asked? Measured in every run, before the workload.

Each long-haul link is measured between the two campuses' probes: round trip (ICMP echo), TCP goodput
both ways (iperf3), and, once impairments are on, one-way loss (counted datagrams).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyroute2 import IPRoute

from longhaul.fabric import netlink
from longhaul.fabric.hosts import Hosts, Job
from longhaul.fabric.plan import (
    ETHERNET_HEADER,
    TCP_IP_HEADERS,
    End,
    Plan,
    PlannedHost,
    PlannedLink,
    Shape,
)
from longhaul.fabric.routes import campus_prefix
from traffic.probe import BURST, DATAGRAM_BYTES

LIMIT = 0.01
ECHO_FRAME_BYTES = 98
ECHOES = 10
RAMP_ROUNDS = 4
WINDOW_ROUNDS = 6
LEAST_WINDOW_S = 0.04
FIRST_WINDOW_BYTES = 65_536
SKB_OVERHEAD = 1.1  # bytes of send buffer per byte in flight, at an MTU of 9000
LOSS_EVENTS = 100
MOST_DATAGRAMS = 20_000
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


@dataclass(frozen=True)
class Direction:
    """One direction of a long-haul link: the end that sends, and the probes on either side."""

    link: PlannedLink
    end: End
    source: PlannedHost
    sink: PlannedHost

    def __str__(self) -> str:
        return f"{self.source.campus}→{self.sink.campus}"

    @property
    def rtt_s(self) -> float:
        """The propagation round trip."""
        return sum(end.shape.delay_s for end in self.link.ends)

    def compare(self, what: str, quantity: str, values: tuple[float, float], unit: str) -> Measured:
        """A line of the table from (asked, measured), to be within LIMIT."""
        return self.line(what, quantity, values, unit, LIMIT)

    def line(
        self, what: str, quantity: str, values: tuple[float, float], unit: str, limit: float
    ) -> Measured:
        """A line of the table from (asked, measured)."""
        asked, measured = values
        error = measured / asked - 1
        name = self.link.name
        return Measured(
            f"{name} {what}",
            name,
            quantity,
            asked,
            measured,
            error,
            unit,
            limit,
            abs(error) <= limit,
        )


class Check:
    """Measures a running fabric through its probes."""

    def __init__(self, plan: Plan, hosts: Hosts) -> None:
        self._plan = plan
        self._hosts = hosts
        self._directions = [d for link in plan.long_hauls() for d in directions(plan, link)]

    def clean(self) -> Iterator[Measured]:
        """RTT and goodput of every long-haul link, with rate and delay alone."""
        for way in self._directions:
            if way.end is way.link.a:
                yield self._rtt(way)
            yield self._goodput(way)

    def loss(self) -> Iterator[Measured]:
        """One-way loss of every direction that is to lose packets."""
        for way in self._directions:
            if way.end.shape.loss:
                yield self._loss(way)

    def _rtt(self, way: Direction) -> Measured:
        """Asked: the sum of the delays, and the time to send an echo's frame over each wire."""
        asked = way.rtt_s + self._frames_s(way, ECHO_FRAME_BYTES)
        measured = self._ask(way.source, "echo", address=way.sink.ip, count=ECHOES)["rtt_s"]
        return way.compare("RTT", "rtt", (asked, measured), "s")

    def _frames_s(self, way: Direction, frame_bytes: int) -> float:
        """Time to put one frame on every wire of the round trip between a link's probes, seconds."""
        wires = (
            wire
            for wire in self._plan.links
            if wire == way.link or wire.a.node in (way.source.name, way.sink.name)
        )
        return sum(8 * frame_bytes / end.shape.rate_bps for wire in wires for end in wire.ends)

    def _goodput(self, way: Direction) -> Measured:
        """Asked: the link's rate times the payload's share of a full frame.

        iperf3 sends; what reaches the receiver is read off its wire between two instants, since
        iperf3's own clock moves in steps of 10 ms here. It keeps the link full and half its queue:
        dropping nothing, it measures the link rather than a congestion control.
        """
        asked = way.end.shape.rate_bps / 8 * self._plan.payload_share
        queue_s = self._queue_s(way.end)
        ramp_s = RAMP_ROUNDS * (way.rtt_s + queue_s)
        window_s = max(WINDOW_ROUNDS * (way.rtt_s + queue_s), LEAST_WINDOW_S)
        server = self._role(way.sink, "iperf-server", address=way.sink.ip)
        server.hear()
        client = self._role(
            way.source,
            "iperf-client",
            address=way.sink.ip,
            size_bytes=round(asked * (ramp_s + 1.2 * window_s)),
            send_buffer_bytes=round(asked * (way.rtt_s + queue_s / 2) * SKB_OVERHEAD),
        )
        measured = payload_rate(self._port_to(way.sink), ramp_s, window_s)
        for job in (client, server):
            job.hear()
            job.close()
        return way.compare(f"goodput {way}", "goodput", (asked, measured), "Bps")

    def _queue_s(self, end: End) -> float:
        """How long the queue of an interface is when full: its limit less what is on the line."""
        frame_bits = 8 * self._plan.frame_bytes
        return end.shape.limit_packets * frame_bits / end.shape.rate_bps - end.shape.delay_s

    def _loss(self, way: Direction) -> Measured:
        """Datagrams, counted where they arrive. `ok` unless the count is further than four standard
        deviations from what was asked; few losses make that wide."""
        shape = way.end.shape
        bursts = math.ceil(min(MOST_DATAGRAMS, LOSS_EVENTS / shape.loss) / BURST)
        count = bursts * BURST
        gap_s = shape.delay_s + SPACING * 8 * BURST * DATAGRAM_FRAME_BYTES / shape.rate_bps
        before = self._ask(way.sink, "arrived")["datagrams"]
        self._ask(way.source, "datagrams", address=way.sink.ip, bursts=bursts, gap_s=gap_s)
        time.sleep(gap_s + 2 * shape.delay_s + shape.jitter_s)
        lost = count - (self._ask(way.sink, "arrived")["datagrams"] - before)
        limit = 4 * math.sqrt((1 - shape.loss) / (count * shape.loss)) * clustering(shape)
        return way.line(f"loss {way}", "loss", (shape.loss, lost / count), "ratio", limit)

    def _port_to(self, probe: PlannedHost) -> str:
        """The interface of a border that leads to its probe."""
        return next(wire.b.interface for wire in self._plan.links if wire.a.node == probe.name)

    def _ask(self, host: PlannedHost, role: str, **arguments: Any) -> dict[str, Any]:
        """Have a probe play a role, and wait for its answer."""
        job = self._role(host, role, **arguments)
        answer = job.hear()
        job.close()
        return answer

    def _role(self, host: PlannedHost, role: str, **arguments: Any) -> Job:
        return self._hosts.job(host.name, "traffic.probe", role=role, arguments=arguments)


def directions(plan: Plan, link: PlannedLink) -> tuple[Direction, ...]:
    """Both directions of a link, as its campuses' probes can measure it; none where the routes
    between the two campuses take another way."""
    at = {probe.leaf: probe for probe in plan.probes}
    near, far = at[link.a.node], at[link.b.node]
    both = (Direction(link, link.a, near, far), Direction(link, link.b, far, near))
    ports = {(rule.switch, rule.prefix): rule.port for rule in plan.rules}
    uses = [ports[way.end.node, campus_prefix(way.sink.ip)] == way.end.port for way in both]
    return both if all(uses) else ()


def payload_rate(interface: str, ramp_s: float, window_s: float) -> float:
    """TCP payload per second that an interface sends, from `ramp_s` after it begins to be busy."""
    with IPRoute() as route:
        idle = netlink.sent(route, interface)
        while netlink.sent(route, interface).bytes - idle.bytes < FIRST_WINDOW_BYTES:
            time.sleep(ramp_s / 20)
        time.sleep(ramp_s)
        first, first_s = netlink.sent(route, interface), time.monotonic()
        time.sleep(window_s)
        last, last_s = netlink.sent(route, interface), time.monotonic()
    headers = (last.packets - first.packets) * (TCP_IP_HEADERS + ETHERNET_HEADER)
    return (last.bytes - first.bytes - headers) / (last_s - first_s)


def clustering(shape: Shape) -> float:
    """How much wider bursts make the count's spread: √((1+ρ)/(1−ρ)) for lag-1 correlation ρ."""
    rho = shape.loss_correlation
    return math.sqrt((1 + rho) / (1 - rho))
