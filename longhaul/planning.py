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
from scenario.topology.catalogue import catalogued
from scenario.types.achieved import achieved_flops, times
from scenario.types.impairments import IMPAIRMENTS
from scenario.types.topology import Campus, Change, Direction, Event, Host, LongHaul, Topology

HOST_QUEUE_PACKETS = 100_000  # a sender's own queue is bounded by its socket buffers, not by drops
SMALLEST_QUEUE_PACKETS = 100
LEAST_QUEUE_PACKETS = 10  # of a queue that is given: packets are not scaled, so fewer would lose what no real one does
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
    wiring = Wiring(hosts + probes, switches, wires)
    tables = route(wiring, routing)
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
        timeline=tuple(
            _unnoticed(topology, plan_event(x, wires, topology.scale_bytes), wires)
            for x in topology.timeline
        ),
        campuses=tuple(_campus_json(topology, campus, hosts) for campus in topology.campuses),
        links=tuple(_link_json(topology, link, wires) for link in topology.links),
        rdma=buffers.rdma(topology),
        scale_hosts=topology.scale_hosts,
    )
    return replace(plan, ways=tuple(_bridged(plan) if plan.bridged else ways(plan, wiring)))


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
        for number in range(1, long_haul.members + 1):
            forward, backward = (
                shaper.long_haul(way, long_haul.members)
                for way in (long_haul.forward, long_haul.backward)
            )
            a = ports.switch(borders[long_haul.a], forward)
            b = ports.switch(borders[long_haul.b], backward)
            yield PlannedWire(*_named(long_haul, number), a, b, _bundle(long_haul))


def _bundle(link: LongHaul) -> str | None:
    return link.name if link.members > 1 else None


def _named(link: LongHaul, number: int) -> tuple[str, str]:
    """Name and kind of one of its wires."""
    return (f"{link.name}.{number}" if link.members > 1 else link.name), "long-haul"


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

    def long_haul(self, way: Direction, members: int) -> Shape:
        """Of each member."""
        rate_bps = way.rate_bps / self._scale / members
        limit = self._limit(rate_bps, way.delay_s + way.jitter_s, way.queue_bytes)
        return Shape(rate_bps, way.delay_s, limit, None, **way.impairments)

    def _limit(self, rate_bps: float, delay_s: float, queue_bytes: float | None) -> int:
        in_flight = rate_bps * delay_s / self._frame_bits
        if queue_bytes is None:
            queue = max(SMALLEST_QUEUE_PACKETS, rate_bps * self._longest_rtt_s / self._frame_bits)
        else:
            queue = max(LEAST_QUEUE_PACKETS, 8 * queue_bytes / self._scale / self._frame_bits)
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
        **_worth_json(topology, campus),
    }


def _worth_json(topology: Topology, campus: Campus) -> dict[str, float | None]:
    """Power and worth of the real campus that this one stands for: of its site, and of what it computes."""
    prices, scale = topology.economics, topology.scale_hosts
    tdps = [host.accelerator.tdp_w for host in campus.hosts]
    gpus_w = sum(host.gpus * (tdp or 0.0) for host, tdp in zip(campus.hosts, tdps, strict=True))
    flops = sum(achieved_flops(h.accelerator.achieved) * h.gpus / h.slowdown for h in campus.hosts)
    hourly = flops / achieved_flops(catalogued("H100").achieved) * prices.compute_usd_per_h100_hour
    site_w = gpus_w * scale * prices.server_factor * prices.pue
    return {
        "site_w": None if None in tdps else site_w,
        "compute_usd_per_s": hourly * scale / 3600,
        "usd_per_kwh": prices.electricity_usd_per_kwh,
    }


def _host_json(host: PlannedHost) -> dict[str, Any]:
    """What people and the analysis ask of a host; what it achieves stands with the plan's own hosts."""
    return {key: value for key, value in asdict(host).items() if key != "achieved"}


def _link_json(
    topology: Topology, link: LongHaul, wires: tuple[PlannedWire, ...]
) -> dict[str, Any]:
    """In the plan's terms: rates of the whole bundle, queues and packets in flight of a member."""
    built = next(x for x in wires if x.kind == "long-haul" and x.link == link.name)
    shapes = {"forward": built.a.shape, "backward": built.b.shape}
    return (
        asdict(link)
        | {way: asdict(x) | {"rate_bps": x.rate_bps * link.members} for way, x in shapes.items()}
        | {"packets_per_bdp": packets_per_bdp(built, topology.mtu_bytes)}
    )


def plan_event(event: Event, wires: Sequence[PlannedWire], scale_bytes: float) -> PlannedEvent:
    """An event of the language in the plan's terms; rates divided by `scale_bytes`, and by the members of a bundle."""
    access = {wire.a.node: wire.b.interface for wire in wires if wire.kind == "host"}
    dark = [
        end.interface for name in event.links_down for x in _wires_of(name, wires) for end in x.ends
    ]
    changes: dict[str, Mapping[str, float]] = {}
    for change in event.changes:
        members = _wires_of(change.link, wires)
        for wire in members:
            changes |= _changed(
                change, wire.a.interface, wire.b.interface, scale_bytes * len(members)
            )
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


def _wires_of(link: str, wires: Sequence[PlannedWire]) -> list[PlannedWire]:
    return [wire for wire in wires if wire.kind == "long-haul" and wire.link == link]


def _unnoticed(
    topology: Topology, event: PlannedEvent, wires: Sequence[PlannedWire]
) -> PlannedEvent:
    """With what it takes to notice that links are cut; of several the longest."""
    slow = {link.name: link.noticed_s for link in topology.links if link.noticed_s > 0}
    dark = {
        end.interface: slow[wire.link]
        for wire in wires
        if wire.kind == "long-haul" and wire.link in slow
        for end in wire.ends
        if end.interface in event.down
    }
    return replace(event, unnoticed=tuple(dark), noticed_after_s=max(dark.values(), default=0.0))


def _changed(
    change: Change, a: str, b: str, scale_bytes: float
) -> Iterator[tuple[str, Mapping[str, float]]]:
    for interface, way in ((a, change.forward), (b, change.backward)):
        fields = {key: way[key] for key in SHAPED if key in way}
        if "rate_bps" in way:
            fields["rate_bps"] = way["rate_bps"] / scale_bytes
        if fields:
            yield interface, fields
