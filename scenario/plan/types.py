"""The plan of a fabric, as data: every name, address, shape, rule and event, before anything runs.

`longhaul.planning` makes it of a topology; it is written as `plan.json`, and read by all who build, route or
analyse. Rates are the emulated ones, already divided by `scale.bytes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import msgspec

from scenario.plan import hashing
from scenario.plan.rules import Group, Rule, Tables
from scenario.plan.ways import PlannedWay
from scenario.types.achieved import Achieved
from scenario.types.impairments import Impairments
from scenario.types.topology import Routing, Timing

ETHERNET_HEADER = 14
WIDEST_WINDOW = 1 << 22
"""Packets of a queue pair that may be under way: about what 24 bits of sequence number allow."""
TCP_IP_HEADERS = 20 + 20 + 12  # IPv4, TCP, and TCP's time-stamp option
FIRST_WINDOW_PACKETS = 10  # of TCP [RFC 6928]; doubled every round trip


@dataclass(frozen=True)
class Port:
    """How an interface of a switch with a known buffer, or of an adapter for RDMA, queues. All of it scaled.

    The ports of `pool` (a datapath id; 0: of none) share `pool_bytes`, a queue may have `alpha` times what is free.
    Packets are marked between `mark_min_bytes` and `mark_max_bytes`, there with `mark_probability` (0: never).
    The classes in the bits of `lossless` are paused at `xoff_bytes` and resumed at `xon_bytes`, per port that they
    came in by, with `headroom_bytes` above. Without a pool a class of its own may have `limit_bytes` (0: any). A packet
    `stands_for` so many.
    """

    pool: int = 0
    pool_bytes: int = 0
    alpha: float = 1.0
    mark_min_bytes: int = 0
    mark_max_bytes: int = 0
    mark_probability: float = 0.0
    lossless: int = 0
    xoff_bytes: int = 0
    xon_bytes: int = 0
    headroom_bytes: int = 0
    limit_bytes: int = 0
    stands_for: float = 1.0

    @property
    def most_bytes(self) -> float:
        """What one queue may take of the buffer when no other takes anything; 0 where nothing bounds it."""
        if self.pool:
            return self.pool_bytes * self.alpha / (1 + self.alpha)
        return float(self.limit_bytes)


@dataclass(frozen=True)
class Shape(Impairments):
    """What one interface does to what it sends: one netem with rate and delay, or a port (docs/rdma.md).

    `limit_packets` covers what is in flight on the delay line and the queue. Where there is a `port`, it bounds the
    queue in bytes, and `limit_packets` says about how many that are.
    """

    rate_bps: float
    delay_s: float
    limit_packets: int
    port: Port | None = None

    def clean(self) -> Shape:
        """The same rate, delay and queue, and nothing else."""
        return Shape(self.rate_bps, self.delay_s, self.limit_packets, port=self.port)


@dataclass(frozen=True)
class End:
    """One end of a wire: a node, its interface, that one's index in its namespace, and the OpenFlow
    port (0 on a host)."""

    node: str
    interface: str
    index: int
    port: int
    shape: Shape


@dataclass(frozen=True)
class PlannedWire:
    """A veth pair, which carries a link or joins a host. `kind` is `host`, `fabric`, `long-haul` or `probe`.

    A long-haul link is one wire of its name, or a bundle of several, each with a name of its own and the link's in
    `bundle`.
    """

    name: str
    kind: str
    a: End
    b: End
    bundle: str | None = None

    @property
    def ends(self) -> tuple[End, End]:
        """Both ends."""
        return (self.a, self.b)

    @property
    def link(self) -> str:
        """The link that it is, or is a member of."""
        return self.bundle or self.name


@dataclass(frozen=True)
class PlannedHost:
    """A host: `rank` −1 marks a campus's probe, a measurement host at its border (as perfSONAR's).

    `flops` is what its GPUs achieve together in training a model of usual size, `peak_flops` their dense bf16 peak,
    `memory_Bps` the bandwidth of their memories, `memory_bytes` how much those hold (None: nobody knows).
    `achieved` says what they do with other models.
    """

    rank: int
    name: str
    campus: str
    leaf: str
    ip: str
    mac: str
    accelerator: str
    gpus: int
    nic_bps: float
    flops: float
    peak_flops: float = 0.0
    memory_Bps: float = 0.0
    memory_bytes: float | None = None
    achieved: tuple[Achieved, ...] = ()


@dataclass(frozen=True)
class PlannedSwitch:
    """An OVS bridge; `dpid` is its OpenFlow datapath id, `prefix` what hangs below it."""

    name: str
    campus: str
    role: str
    dpid: int
    prefix: str


@dataclass(frozen=True)
class PlannedEvent:
    """An event in the plan's own terms.

    `down` are interfaces, `changes` fields of their shapes by interface, `off` hosts without power,
    `slowed` hosts whose compute takes `slowdown` times as long. `links` are the long-haul links
    concerned, for people. For `noticed_after_s` nobody knows that the interfaces of `unnoticed` are down: what is sent
    there is lost.
    """

    name: str
    kind: str
    says: str
    timing: Timing
    links: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    changes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    off: tuple[str, ...] = ()
    slowed: tuple[str, ...] = ()
    slowdown: float = 1.0
    controller_down: bool = False
    unnoticed: tuple[str, ...] = ()
    noticed_after_s: float = 0.0

    def before_noticed(self) -> PlannedEvent:
        """The same as long as nobody has noticed."""
        lost = {interface: {"loss": 1.0} for interface in self.unnoticed}
        down = tuple(one for one in self.down if one not in lost)
        return replace(self, down=down, changes={**self.changes, **lost})

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts concerned, for people."""
        return self.off + self.slowed


@dataclass(frozen=True)
class PlannedRdma:
    """How Soft-RoCE is set: congestion control, packets of a queue pair that may be under way, the bytes after
    which DCQCN raises a rate, and whether packets' checksums are computed and checked. `iwarp`: hosts have a
    device of Soft-iWARP, too."""

    congestion: str
    window_packets: int
    byte_counter: int
    checked: bool
    iwarp: bool = False


@dataclass(frozen=True)
class Plan:
    """All that is built, in building order, and what will happen to it. `wires` are veth pairs, `rules` and
    `groups` the switches' tables; `campuses` and `links`, the long-haul ones, are the topology's own words, for
    those who read the plan, as are `ways`, which say what the tables come to between campuses."""

    name: str
    description: str
    scale_bytes: float
    mtu_bytes: int
    hosts: tuple[PlannedHost, ...]
    probes: tuple[PlannedHost, ...]
    switches: tuple[PlannedSwitch, ...]
    wires: tuple[PlannedWire, ...]
    routing: Routing
    rules: tuple[Rule, ...]
    groups: tuple[Group, ...]
    timeline: tuple[PlannedEvent, ...]
    campuses: tuple[dict[str, Any], ...]
    links: tuple[dict[str, Any], ...]
    rdma: PlannedRdma | None = None
    scale_hosts: float = 1.0
    ways: tuple[PlannedWay, ...] = ()

    @property
    def frame_bytes(self) -> int:
        """The bytes that netem charges for a full packet: its Ethernet header is among them."""
        return self.mtu_bytes + ETHERNET_HEADER

    @property
    def payload_share(self) -> float:
        """TCP payload ÷ frame, at full segments."""
        return (self.mtu_bytes - TCP_IP_HEADERS) / self.frame_bytes

    @property
    def tables(self) -> Tables:
        """All rules and groups."""
        return Tables(self.rules, self.groups)

    def hash_key(self, switch: PlannedSwitch) -> int:
        """What a switch hashes connections with, to choose among equal ways."""
        assert self.routing.hash_seed is not None
        return hashing.key(self.routing.hash_seed, switch.dpid)

    @property
    def bridged(self) -> bool:
        """Do switches learn, instead of being told?"""
        return self.routing.policy == "none"

    def long_hauls(self) -> Iterator[PlannedWire]:
        """The wires of the links between campuses."""
        return (wire for wire in self.wires if wire.kind == "long-haul")

    def bundles(self) -> dict[str, tuple[PlannedWire, ...]]:
        """The same by link: one wire each, or all members of a bundle."""
        found: dict[str, tuple[PlannedWire, ...]] = {}
        for wire in self.long_hauls():
            found[wire.link] = (*found.get(wire.link, ()), wire)
        return found

    def to_json(self) -> dict[str, Any]:
        """The plan as plain data."""
        return asdict(self)


def from_json(data: Any) -> Plan:
    """The plan that `to_json` wrote; what others have added to it is left out. Raises ValueError, with the
    place, where it is none."""
    return msgspec.convert(data, Plan)


def pacing_Bps(plan: Plan, host: PlannedHost) -> float:
    """Payload per second that a host's NIC has room for, beside an acknowledgement of every packet
    that comes in meanwhile.

    Agents pace their connections at it. A NIC holds its host back; netem takes whatever it is
    given, and what the host acknowledges would wait behind a whole chunk.
    """
    acknowledgement = (ETHERNET_HEADER + TCP_IP_HEADERS) / plan.frame_bytes
    return host.nic_bps / 8 * plan.payload_share * (1 - acknowledgement)


def packets_per_bdp(link: PlannedWire, mtu_bytes: int) -> float:
    """Full packets that fill a link for one round trip: the fidelity cost of scaling bytes down.

    Below about 20 the window moves in steps too coarse to look like the real network's.
    """
    return filling_bytes(link) / (mtu_bytes + ETHERNET_HEADER)


def filling_bytes(link: PlannedWire) -> float:
    """What fills a link for one round trip, one way, as carried."""
    rtt_s = link.a.shape.delay_s + link.b.shape.delay_s
    return min(link.a.shape.rate_bps, link.b.shape.rate_bps) * rtt_s / 8
