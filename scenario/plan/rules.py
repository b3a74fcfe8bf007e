"""What a switch is told: rules and groups of OpenFlow 1.5, as plain data.

The fabric is routed, not bridged: addresses are 10.campus.leaf.host. A host sends everything to
GATEWAY_MAC; between campuses the destination's MAC address carries a label, which says by which of
several trees the packet is on its way, and costs no byte of the frame. [labels in MAC addresses:
Agarwal et al., "Shadow MACs", HotSDN 2014]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

GATEWAY = "10.255.255.254"
GATEWAY_MAC = "0a:ff:00:00:00:01"
EVERYBODY = "10.0.0.0/8"
LABELLED = 1000
"""Priority of rules for packets that carry a label."""
CLASSED = 100
"""How much a rule for one traffic class goes before one for all of them."""
COOKIE = 0x6C6F6E67_00000000
"""Of our rules: "long" in the upper half, the generation in the lower."""
GENERATION_MASK = 0xFFFF_FFFF
PROTECTION = 0x8000
"""Trees from this number on carry what a failure has driven off its own tree."""


@dataclass(frozen=True)
class Rule:
    """On `switch`, IPv4 packets to `prefix` leave by `port`, or as `group` decides.

    `match_mac` and `dscp` narrow it down to packets with that destination MAC, of that class;
    `dst_mac` is written into the packet: a label, or the host's own on the last hop.
    """

    switch: str
    prefix: str
    port: int | None = None
    dst_mac: str | None = None
    group: int | None = None
    match_mac: str | None = None
    dscp: int | None = None

    @property
    def length(self) -> int:
        """Of the prefix, bits."""
        return int(self.prefix.split("/")[1])

    @property
    def priority(self) -> int:
        """Labels go first, then single classes, then the longest prefix."""
        if self.match_mac not in (None, GATEWAY_MAC):
            return LABELLED
        return 100 + self.length + (CLASSED if self.dscp is not None else 0)


@dataclass(frozen=True)
class Bucket:
    """One way on: write `dst_mac`, then leave by `port` or as another `group` decides.

    It counts only while the port `watch` is up, or any bucket of the group `watch_group` counts (None: always). A
    bucket that relabels may send a packet out where it came in: that is what turning back is.
    """

    port: int | None = None
    watch: int | None = None
    dst_mac: str | None = None
    group: int | None = None
    weight: int = 1
    watch_group: int | None = None

    def unwatched(self) -> Bucket:
        """The same, which always counts."""
        return replace(self, watch=None, watch_group=None)


@dataclass(frozen=True)
class Group:
    """`select`: each connection takes one of the live buckets, by a hash. `fast-failover`: every
    packet takes the first live one."""

    switch: str
    id: int
    kind: Literal["select", "fast-failover"]
    buckets: tuple[Bucket, ...]

    @property
    def slots(self) -> tuple[Bucket, ...]:
        """What the switch holds: a bucket as often as its weight says. By weights of its own Open vSwitch's
        hash gives the heavier more than their due, of 3 : 1 five in six."""
        return tuple(bucket for bucket in self.buckets for _ in range(bucket.weight))


@dataclass(frozen=True)
class Tables:
    """All rules and groups of a fabric, by switch in building order."""

    rules: tuple[Rule, ...] = ()
    groups: tuple[Group, ...] = ()

    def of(self, switch: str) -> Tables:
        """Those of one switch."""
        return Tables(
            tuple(rule for rule in self.rules if rule.switch == switch),
            tuple(group for group in self.groups if group.switch == switch),
        )


def label(generation: int, campus: int, tree: int) -> str:
    """The MAC address that stands for a tree to a campus (by number) in one generation of routes:
    unicast, locally administered."""
    octets = (generation & 0xFF, campus, tree >> 8, tree & 0xFF)
    return "0e:4c:" + ":".join(f"{octet:02x}" for octet in octets)


def generation_of_cookie(cookie: int) -> int | None:
    """The generation of a rule, or None if it is not one of ours."""
    return cookie & GENERATION_MASK if cookie & ~GENERATION_MASK == COOKIE else None


class Groups:
    """Hands out group numbers, switch by switch; equal groups of a switch are one.

    Numbers hold the generation of the routes, so that two generations stand side by side.
    """

    def __init__(self, generation: int) -> None:
        self._first = (generation & 0xFF) << 16
        self._made: dict[tuple[str, str, tuple[Bucket, ...]], Group] = {}
        self._count: dict[str, int] = {}

    def select(self, switch: str, buckets: Sequence[Bucket]) -> int:
        """The number of a SELECT group."""
        return self._make(switch, "select", tuple(buckets))

    def failover(self, switch: str, buckets: Sequence[Bucket]) -> int:
        """The number of a FAST_FAILOVER group."""
        return self._make(switch, "fast-failover", tuple(buckets))

    def _make(
        self, switch: str, kind: Literal["select", "fast-failover"], buckets: tuple[Bucket, ...]
    ) -> int:
        key = (switch, kind, buckets)
        if key not in self._made:
            self._count[switch] = self._count.get(switch, 0) + 1
            self._made[key] = Group(switch, self._first | self._count[switch], kind, buckets)
        return self._made[key].id

    def all(self) -> tuple[Group, ...]:
        """All that were made. A group comes after those that its buckets lead to."""
        return tuple(self._made.values())
