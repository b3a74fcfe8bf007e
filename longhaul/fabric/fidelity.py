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

from longhaul.fabric import netlink
from longhaul.fabric.hosts import Hosts, Job
from longhaul.fabric.plan import (
    ETHERNET_HEADER,
    TCP_IP_HEADERS,
    End,
    Plan,
    PlannedHost,
    PlannedLink,
)
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
SPACING = 2.0  # of bursts, in times that the link needs for one


@dataclass(frozen=True)
class Measured:
    """One line of the fidelity table. `error` is relative; `ok` is False where the run must be
    marked unfaithful (a loss within its sampling error is fine)."""

    what: str
    link: str
    quantity: str
    asked: float
    measured: float
    error: float
    unit: str
    limit: float
    ok: bool


def check_clean(plan: Plan, hosts: Hosts) -> Iterator[Measured]:
    """RTT and goodput of every long-haul link, with rate and delay alone."""
    for link in plan.long_hauls():
        if not direct(plan, link):
            continue
        near, far = ends(plan, link)
        yield _rtt(plan, hosts, link, near, far)
        yield _goodput(plan, hosts, link, link.a, near, far)
        yield _goodput(plan, hosts, link, link.b, far, near)


def check_loss(plan: Plan, hosts: Hosts) -> Iterator[Measured]:
    """One-way loss of every direction that is to lose packets."""
    for link in plan.long_hauls():
        if not direct(plan, link):
            continue
        near, far = ends(plan, link)
        for end, source, sink in ((link.a, near, far), (link.b, far, near)):
            if end.shape.loss:
                yield _loss(plan, hosts, link, end, source, sink)


def ends(plan: Plan, link: PlannedLink) -> tuple[PlannedHost, PlannedHost]:
    """The probes at the two ends of a long-haul link."""
    at = {probe.leaf: probe for probe in plan.probes}
    return at[link.a.node], at[link.b.node]


def direct(plan: Plan, link: PlannedLink) -> bool:
    """Do the routes between the campuses at a link's ends use that link, in both directions?"""
    ports = {(rule.switch, rule.prefix): rule.port for rule in plan.rules}
    near, far = ends(plan, link)
    return all(
        ports[end.node, "10.{}.0.0/16".format(there.ip.split(".")[1])] == end.port
        for end, there in ((link.a, far), (link.b, near))
    )


def path_frames_s(plan: Plan, link: PlannedLink, frame_bytes: int) -> float:
    """Time to put one frame on every wire of the round trip between a link's probes, seconds."""
    rates = [
        end.shape.rate_bps
        for wire in plan.links
        if wire.name == link.name
        or (wire.kind == "probe" and wire.b.node in (link.a.node, link.b.node))
        for end in wire.ends
    ]
    return sum(8 * frame_bytes / rate for rate in rates)


def _rtt(
    plan: Plan, hosts: Hosts, link: PlannedLink, near: PlannedHost, far: PlannedHost
) -> Measured:
    """Asked: the sum of the delays, and the time to send an echo's frame over each wire."""
    asked = sum(end.shape.delay_s for end in link.ends) + path_frames_s(plan, link, ECHO_FRAME_BYTES)
    job = _role(hosts, near, "echo", address=far.ip, count=ECHOES)
    measured = job.hear()["rtt_s"]
    job.close()
    return _compare(f"{link.name} RTT", link.name, "rtt", asked, measured, "s")


def _goodput(
    plan: Plan, hosts: Hosts, link: PlannedLink, end: End, source: PlannedHost, sink: PlannedHost
) -> Measured:
    """Asked: the link's rate times the payload's share of a full frame.

    iperf3 sends; what reaches the receiver is read off its wire between two instants, since
    iperf3's own clock moves in steps of 10 ms here. It keeps the link full and half its queue:
    dropping nothing, it measures the link rather than a congestion control.
    """
    asked = end.shape.rate_bps / 8 * plan.payload_share
    rtt_s = sum(e.shape.delay_s for e in link.ends)
    in_line = end.shape.rate_bps * end.shape.delay_s / 8 / plan.frame_bytes
    queue_s = (end.shape.limit_packets - in_line) * plan.frame_bytes * 8 / end.shape.rate_bps
    ramp_s = RAMP_ROUNDS * (rtt_s + queue_s)
    window_s = max(WINDOW_ROUNDS * (rtt_s + queue_s), LEAST_WINDOW_S)
    size = round(asked * (ramp_s + 1.2 * window_s))
    server = _role(hosts, sink, "iperf-server", address=sink.ip)
    server.hear()
    buffer_bytes = round(asked * (rtt_s + queue_s / 2) * SKB_OVERHEAD)
    client = _role(
        hosts, source, "iperf-client",
        address=sink.ip, size_bytes=size, send_buffer_bytes=buffer_bytes,
    )  # fmt: skip
    measured = _payload_rate(_port_to(plan, sink), ramp_s, window_s)
    for job in (client, server):
        job.hear()
        job.close()
    what = f"{link.name} goodput {source.campus}→{sink.campus}"
    return _compare(what, link.name, "goodput", asked, measured, "Bps")


def _payload_rate(interface: str, ramp_s: float, window_s: float) -> float:
    """TCP payload per second that an interface sends, from `ramp_s` after it begins to be busy."""
    with netlink.sockets_of(None) as route:
        idle = netlink.sent(route, interface)
        while netlink.sent(route, interface).bytes - idle.bytes < FIRST_WINDOW_BYTES:
            time.sleep(ramp_s / 20)
        time.sleep(ramp_s)
        first, first_s = netlink.sent(route, interface), time.monotonic()
        time.sleep(window_s)
        last, last_s = netlink.sent(route, interface), time.monotonic()
    headers = (last.packets - first.packets) * (TCP_IP_HEADERS + ETHERNET_HEADER)
    return (last.bytes - first.bytes - headers) / (last_s - first_s)


def _loss(
    plan: Plan, hosts: Hosts, link: PlannedLink, end: End, source: PlannedHost, sink: PlannedHost
) -> Measured:
    """Datagrams, counted on the far border's port to its probe. `ok` unless the count is further
    than four standard deviations from what was asked; few losses make that wide."""
    asked = end.shape.loss
    bursts = math.ceil(min(MOST_DATAGRAMS, LOSS_EVENTS / asked) / BURST)
    count = bursts * BURST
    gap_s = SPACING * 8 * BURST * DATAGRAM_FRAME_BYTES / end.shape.rate_bps
    port = _port_to(plan, sink)
    with netlink.sockets_of(None) as route:
        before = netlink.sent(route, port).packets
        sender = _role(hosts, source, "datagrams", address=sink.ip, bursts=bursts, gap_s=gap_s)
        sender.hear()
        sender.close()
        time.sleep(gap_s + 2 * end.shape.delay_s + end.shape.jitter_s)
        lost = count - (netlink.sent(route, port).packets - before)
    tolerance = 4 * math.sqrt((1 - asked) / (count * asked)) * _clustering(end)
    error = lost / count / asked - 1
    what = f"{link.name} loss {source.campus}→{sink.campus}"
    return Measured(
        what, link.name, "loss", asked, lost / count, error, "ratio", tolerance,
        abs(error) <= tolerance,
    )  # fmt: skip


def _port_to(plan: Plan, probe: PlannedHost) -> str:
    """The interface of a border that leads to its probe."""
    return next(wire.b.interface for wire in plan.links if wire.a.node == probe.name)


def _clustering(end: End) -> float:
    """How much wider bursts make the count's spread: √((1+ρ)/(1−ρ)) for lag-1 correlation ρ."""
    rho = end.shape.loss_correlation
    return math.sqrt((1 + rho) / (1 - rho))


def _role(hosts: Hosts, host: PlannedHost, role: str, **arguments: Any) -> Job:
    return hosts.job(host.name, "traffic.probe", role=role, arguments=arguments)


def _compare(
    what: str, link: str, quantity: str, asked: float, measured: float, unit: str
) -> Measured:
    error = measured / asked - 1
    return Measured(what, link, quantity, asked, measured, error, unit, LIMIT, abs(error) <= LIMIT)
