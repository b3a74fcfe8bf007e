"""From a topology to the plan of its fabric: every name, address, shape and route, before anything runs.

Pure: no clock, no kernel. It stands here, and not beside the plan's data, because the tables of the switches
are the controller's business. `longhaul plan` prints the result; `fabric.build` and the controller carry
it out. Rates in a plan are the emulated ones, already divided by `scale.bytes`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from controller.routes.routes import Wiring, route, ways
from longhaul import buffers
from scenario.plan.bridging import Bridged
from scenario.plan.types import (
    ETHERNET_HEADER,
    End,
    Plan,
    PlannedEvent,
    PlannedHost,
    PlannedSwitch,
    PlannedWire,
    Shape,
    packets_per_bdp,
)
from scenario.plan.ways import PlannedPath, PlannedWay
from scenario.types.achieved import achieved_flops, times
from scenario.types.impairments import IMPAIRMENTS
from scenario.types.topology import Campus, Change, Direction, Event, Host, LongHaul, Topology

HOST_QUEUE_PACKETS = 100_000  # a sender's own queue is bounded by its socket buffers, not by drops
SMALLEST_QUEUE_PACKETS = 100
HOST_INDEX = 2  # of the interface behind loopback
SWITCH_INDICES = 1000  # above whatever the kernel has numbered itself
BORDER_RATE = (
    4.0  # a probe's access link, as a multiple of the fastest long-haul link of its campus
)
SHAPED = ("delay_s", *IMPAIRMENTS)
"""The fields of a direction that a shape has under the same name and in the same units."""


def make_plan(topology: Topology, seed: int = 1) -> Plan:
    """The plan of a topology; a function of it and of the run's seed, by which switches hash unless the
    topology has a seed for that. Messages are scaled as all sizes are."""
    if topology.rdma:
        topology = buffers.with_loss_of_many(topology)
    switches = tuple(_switches(topology))
    hosts = tuple(_hosts(topology))
    probes = tuple(_probes(topology))
    wires = buffers.with_ports(topology, switches, tuple(_wires(topology, hosts, probes)))
    message_bytes = topology.routing.message_bytes / topology.scale_bytes
    hash_seed = seed if topology.routing.hash_seed is None else topology.routing.hash_seed
    routing = replace(topology.routing, message_bytes=message_bytes, hash_seed=hash_seed)
    tables = route(Wiring(hosts + probes, switches, wires), routing)
    plan = Plan(
        name=topology.name,
        description=topology.description,
        scale_bytes=topology.scale_bytes,
        mtu_bytes=topology.mtu_bytes,
        hosts=hosts,
        probes=probes,
        switches=switches,
        wires=wires,
        routing=routing,
        rules=tables.rules,
        groups=tables.groups,
        timeline=tuple(plan_event(x, wires, topology.scale_bytes) for x in topology.timeline),
        campuses=tuple(_campus_json(topology, campus, hosts) for campus in topology.campuses),
        links=tuple(_link_json(topology, link, wires) for link in topology.links),
        rdma=buffers.rdma(topology),
        scale_hosts=topology.scale_hosts,
    )
    return replace(plan, ways=tuple(_bridged(plan) if plan.bridged else ways(plan)))


def _bridged(plan: Plan) -> Iterator[PlannedWay]:
    """The ways along the spanning tree."""
    tree = Bridged(plan)
    names = {end.interface: wire.name for wire in plan.long_hauls() for end in wire.ends}
    borders = [switch for switch in plan.switches if switch.role == "border"]
    for source, sink in itertools.permutations(borders, 2):
        ends = tree.between(source.name, sink.name)
        links = tuple(names[end.interface] for end in ends if end.interface in names)
        yield PlannedWay(source.campus, sink.campus, (PlannedPath(links, 1.0),))


def _switches(topology: Topology) -> Iterator[PlannedSwitch]:
    for number, campus in enumerate(topology.campuses, start=1):
        for index, switch in enumerate(campus.switches, start=1):
            dpid = number << 16 | index
            prefix = f"10.{number}.{_leaf_octet(campus, switch.name)}.0/24"
            yield PlannedSwitch(switch.name, campus.name, switch.role, dpid, prefix)


def _leaf_octet(campus: Campus, switch: str) -> int:
    """Third octet of the addresses below a switch: its place in the campus, the border last (255)."""
    if switch == campus.border:
        return 255
    return [s.name for s in campus.switches].index(switch) + 1


def _hosts(topology: Topology) -> Iterator[PlannedHost]:
    """Ranks follow campus, then leaf: neighbours in rank are neighbours in the fabric."""
    rank = 0
    for number, campus in enumerate(topology.campuses, start=1):
        below: dict[str, int] = {}
        for host in sorted(campus.hosts, key=lambda h: _leaf_octet(campus, campus.leaf_of[h.name])):
            leaf = campus.leaf_of[host.name]
            below[leaf] = below.get(leaf, 0) + 1
            octets = (number, _leaf_octet(campus, leaf), below[leaf])
            yield _planned_host(rank, host, leaf, octets, topology.scale_bytes)
            rank += 1


def _planned_host(
    rank: int, host: Host, leaf: str, octets: tuple[int, int, int], scale: float
) -> PlannedHost:
    chip = host.accelerator
    achieved = times(chip.achieved, host.gpus / host.slowdown)
    return PlannedHost(
        rank=rank,
        name=host.name,
        campus=host.campus,
        leaf=leaf,
        ip="10.{}.{}.{}".format(*octets),
        mac="0a:00:00:{:02x}:{:02x}:{:02x}".format(*octets),
        accelerator=host.accelerator.name,
        gpus=host.gpus,
        nic_bps=host.nic_bps / scale,
        flops=achieved_flops(achieved),
        peak_flops=chip.peak_flops * host.gpus,
        memory_Bps=chip.hbm_Bps * host.gpus / host.slowdown,
        memory_bytes=chip.memory_bytes * host.gpus if chip.memory_bytes else None,
        achieved=achieved,
    )


def _probes(topology: Topology) -> Iterator[PlannedHost]:
    for number, campus in enumerate(topology.campuses, start=1):
        rates = [
            direction.rate_bps / topology.scale_bytes
            for link in topology.links
            if campus.name in (link.a, link.b)
            for direction in (link.forward, link.backward)
        ]
        if rates:
            yield PlannedHost(
                rank=-1,
                name=f"{campus.name}-prb",  # leaves its interface 15 characters
                campus=campus.name,
                leaf=campus.border,
                ip=f"10.{number}.255.250",
                mac=f"0a:00:00:{number:02x}:ff:fa",
                accelerator="",
                gpus=0,
                nic_bps=BORDER_RATE * max(rates),
                flops=0.0,
            )


class _Ports:
    """Hands out ports, interface names and indices, node by node. All switches share a namespace."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._index = SWITCH_INDICES

    def host(self, name: str, shape: Shape) -> End:
        return End(name, f"{name}-eth0", HOST_INDEX, 0, shape)

    def switch(self, name: str, shape: Shape) -> End:
        port = self._last[name] = self._last.get(name, 0) + 1
        self._index += 1
        return End(name, f"{name}-eth{port}", self._index, port, shape)


def _wires(
    topology: Topology, hosts: tuple[PlannedHost, ...], probes: tuple[PlannedHost, ...]
) -> Iterator[PlannedWire]:
    shaper = _Shaper(topology)
    ports = _Ports()
    delays = {campus.name: campus.host_delay_s for campus in topology.campuses}
    for host in hosts + probes:
        delay = delays[host.campus] if host.rank >= 0 else 0.0
        yield PlannedWire(
            name=host.name,
            kind="host" if host.rank >= 0 else "probe",
            a=ports.host(host.name, shaper.sender(host.nic_bps, delay)),
            b=ports.switch(host.leaf, shaper.switch(host.nic_bps, delay)),
        )
    for campus in topology.campuses:
        for link in campus.fabric_links:
            shape = shaper.switch(link.rate_bps / topology.scale_bytes, link.delay_s)
            a, b = ports.switch(link.a, shape), ports.switch(link.b, shape)
            yield PlannedWire(f"{link.a}-{link.b}", "fabric", a, b)
    borders = {campus.name: campus.border for campus in topology.campuses}
    for long_haul in topology.links:
        a = ports.switch(borders[long_haul.a], shaper.long_haul(long_haul.forward))
        b = ports.switch(borders[long_haul.b], shaper.long_haul(long_haul.backward))
        yield PlannedWire(long_haul.name, "long-haul", a, b)


class _Shaper:
    """Turns rates and delays into shapes, with queues of one bandwidth-delay product.

    The delay of that product is the longest round trip of the fabric: the buffer that one TCP flow
    needs to keep its bottleneck busy through a halved window [Villamizar & Song 1994].
    """

    def __init__(self, topology: Topology) -> None:
        self._scale = topology.scale_bytes
        self._frame_bits = 8 * (topology.mtu_bytes + ETHERNET_HEADER)
        self._longest_rtt_s = _longest_rtt(topology)

    def sender(self, rate_bps: float, delay_s: float) -> Shape:
        return Shape(rate_bps, delay_s, HOST_QUEUE_PACKETS)

    def switch(self, rate_bps: float, delay_s: float, queue_bytes: float | None = None) -> Shape:
        return Shape(rate_bps, delay_s, self._limit(rate_bps, delay_s, queue_bytes))

    def long_haul(self, way: Direction) -> Shape:
        rate_bps = way.rate_bps / self._scale
        limit = self._limit(rate_bps, way.delay_s + way.jitter_s, way.queue_bytes)
        return Shape(rate_bps, way.delay_s, limit, None, **way.impairments)

    def _limit(self, rate_bps: float, delay_s: float, queue_bytes: float | None) -> int:
        in_flight = rate_bps * delay_s / self._frame_bits
        if queue_bytes is None:
            queue = max(SMALLEST_QUEUE_PACKETS, rate_bps * self._longest_rtt_s / self._frame_bits)
        else:
            queue = max(1.0, 8 * queue_bytes / self._scale / self._frame_bits)
        return math.ceil(in_flight + queue)


def _longest_rtt(topology: Topology) -> float:
    """An upper bound of the propagation round trip between any two hosts, seconds."""
    inside = max((_campus_diameter_s(campus) for campus in topology.campuses), default=0.0)
    across = sum(link.forward.delay_s + link.backward.delay_s for link in topology.links)
    return 4 * inside + across


def _campus_diameter_s(campus: Campus) -> float:
    return 2 * campus.host_delay_s + 4 * max((x.delay_s for x in campus.fabric_links), default=0.0)


def _campus_json(
    topology: Topology, campus: Campus, hosts: tuple[PlannedHost, ...]
) -> dict[str, Any]:
    scale = topology.scale_bytes
    return {
        "name": campus.name,
        "site": campus.site,
        "latitude": campus.latitude,
        "longitude": campus.longitude,
        "kind": campus.kind,
        "border": campus.border,
        "switches": [asdict(switch) for switch in campus.switches],
        "fabric_links": [
            asdict(link) | {"rate_bps": link.rate_bps / scale} for link in campus.fabric_links
        ],
        "hosts": [_host_json(host) for host in hosts if host.campus == campus.name],
    }


def _host_json(host: PlannedHost) -> dict[str, Any]:
    """What people and the analysis ask of a host; what it achieves stands with the plan's own hosts."""
    return {key: value for key, value in asdict(host).items() if key != "achieved"}


def _link_json(
    topology: Topology, link: LongHaul, wires: tuple[PlannedWire, ...]
) -> dict[str, Any]:
    built = next(x for x in wires if x.kind == "long-haul" and x.name == link.name)
    return asdict(link) | {
        "forward": asdict(built.a.shape),
        "backward": asdict(built.b.shape),
        "packets_per_bdp": packets_per_bdp(built, topology.mtu_bytes),
    }


def plan_event(event: Event, wires: Sequence[PlannedWire], scale_bytes: float) -> PlannedEvent:
    """An event of the language in the plan's terms; rates divided by `scale_bytes`."""
    long_hauls = {wire.name: wire for wire in wires if wire.kind == "long-haul"}
    access = {wire.a.node: wire.b.interface for wire in wires if wire.kind == "host"}
    dark = [end.interface for name in event.links_down for end in long_hauls[name].ends]
    changes: dict[str, Mapping[str, float]] = {}
    for change in event.changes:
        a, b = long_hauls[change.link].ends
        changes |= _changed(change, a.interface, b.interface, scale_bytes)
    return PlannedEvent(
        name=event.name,
        kind=event.kind,
        says=event.says,
        timing=event.timing,
        links=tuple(dict.fromkeys((*event.links_down, *(c.link for c in event.changes)))),
        down=(*dark, *(access[host] for host in event.hosts_down)),
        changes=changes,
        off=event.hosts_down,
        slowed=event.slowed,
        slowdown=event.slowdown,
        controller_down=event.controller_down,
    )


def _changed(
    change: Change, a: str, b: str, scale_bytes: float
) -> Iterator[tuple[str, Mapping[str, float]]]:
    for interface, way in ((a, change.forward), (b, change.backward)):
        fields = {key: way[key] for key in SHAPED if key in way}
        if "rate_bps" in way:
            fields["rate_bps"] = way["rate_bps"] / scale_bytes
        if fields:
            yield interface, fields
