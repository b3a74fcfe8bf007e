"""Campus fabrics: each kind becomes switches, links between them, and a leaf for every host.

    leaf-spine            border
                        /        \\
                    spine 1 … spine n
                     |  x  every pair  |
                    leaf 1 … leaf m
                    hosts     hosts
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from scenario.topology.models import Explicit, Fabric, FatTree, LeafSpine, Single
from scenario.types.topology import FabricLink, Host, Switch


@dataclass(frozen=True)
class CampusFabric:
    """A fabric without its border: its switches and its links."""

    switches: tuple[Switch, ...]
    links: tuple[FabricLink, ...]

    def names(self, role: str) -> tuple[str, ...]:
        """The switches of a role, in order."""
        return tuple(switch.name for switch in self.switches if switch.role == role)

    @property
    def leaves(self) -> tuple[str, ...]:
        """Where hosts hang."""
        return self.names("leaf")

    @property
    def top(self) -> tuple[str, ...]:
        """Where the border is linked: the spines, or the leaves of a fabric without spines."""
        return self.names("spine") or self.leaves


def leaf_count(fabric: Fabric) -> int:
    """How many leaves the fabric has."""
    match fabric:
        case LeafSpine():
            return fabric.leaves
        case Single():
            return 1
        case FatTree():
            return fabric.k * fabric.k // 2
        case Explicit():
            return sum(switch.role == "leaf" for switch in fabric.switches.values())


def port_count(fabric: Fabric) -> int:
    """How many ports its switches need for each other and for the border, before it is built."""
    match fabric:
        case LeafSpine():
            return 2 * fabric.spines * (fabric.leaves + 1)
        case Single():
            return 2
        case FatTree():
            return fabric.k**3 + fabric.k**2 // 2
        case Explicit():
            tops = [s for s in fabric.switches.values() if s.role in ("spine", "leaf")]
            return 2 * (len(fabric.links) + len(tops))


def wire(
    campus: str, fabric: Fabric, hosts: Sequence[Host], oversubscription: float = 1.0
) -> CampusFabric:
    """The fabric's switches and links, named `<campus>-<switch>`; `oversubscription` where it says none."""
    match fabric:
        case LeafSpine():
            return _leaf_spine(campus, fabric, hosts, oversubscription)
        case Single():
            return CampusFabric((Switch(f"{campus}-l1", "leaf"),), ())
        case FatTree():
            return _fat_tree(campus, fabric, hosts)
        case Explicit():
            return _explicit(campus, fabric)


def deal(hosts: Sequence[Host], leaves: Sequence[str]) -> dict[str, str]:
    """Each host's leaf: hosts in order, as evenly as can be, neighbours together."""
    return {
        host.name: leaves[index * len(leaves) // len(hosts)] for index, host in enumerate(hosts)
    }


def with_border(
    campus: str, wiring: CampusFabric, rate_bps: float, delay_s: float
) -> tuple[tuple[Switch, ...], tuple[FabricLink, ...]]:
    """All switches and links, the border `<campus>-b` and its links with the top among them."""
    border = f"{campus}-b"
    links = tuple(FabricLink(top, border, rate_bps, delay_s) for top in wiring.top)
    return (*wiring.switches, Switch(border, "border")), wiring.links + links


def _numbered(campus: str, letter: str, count: int, role: str) -> tuple[Switch, ...]:
    return tuple(Switch(f"{campus}-{letter}{index}", role) for index in range(1, count + 1))


def _leaf_spine(
    campus: str, fabric: LeafSpine, hosts: Sequence[Host], oversubscription: float
) -> CampusFabric:
    leaves = _numbered(campus, "l", fabric.leaves, "leaf")
    spines = _numbered(campus, "s", fabric.spines, "spine")
    thinned = fabric.oversubscription or oversubscription
    names = [leaf.name for leaf in leaves]
    rate_bps = fabric.uplink or _uplink_bps(fabric, hosts, names) / thinned
    links = tuple(
        FabricLink(leaf.name, spine.name, rate_bps, fabric.link_delay)
        for leaf, spine in product(leaves, spines)
    )
    return CampusFabric(leaves + spines, links)


def _uplink_bps(fabric: LeafSpine, hosts: Sequence[Host], leaves: Sequence[str]) -> float:
    """The busiest leaf's hosts, spread over the spines."""
    down = dict.fromkeys(leaves, 0.0)
    leaf_of = deal(hosts, leaves)
    for host in hosts:
        down[leaf_of[host.name]] += host.nic_bps
    return max(down.values()) / fabric.spines


def _fat_tree(campus: str, fabric: FatTree, hosts: Sequence[Host]) -> CampusFabric:
    """k pods; switch j of a pod's k/2 aggregations is linked with cores j*k/2 to (j+1)*k/2 - 1."""
    half = fabric.k // 2
    leaves = _numbered(campus, "l", fabric.k * half, "leaf")
    middle = _numbered(campus, "a", fabric.k * half, "aggregation")
    cores = _numbered(campus, "s", half * half, "spine")
    pairs = [
        (leaves[pod * half + i], middle[pod * half + j])
        for pod, i, j in product(range(fabric.k), range(half), range(half))
    ] + [
        (middle[pod * half + j], cores[j * half + i])
        for pod, j, i in product(range(fabric.k), range(half), range(half))
    ]
    rate_bps = fabric.rate or max(host.nic_bps for host in hosts)
    links = tuple(FabricLink(a.name, b.name, rate_bps, fabric.link_delay) for a, b in pairs)
    return CampusFabric(leaves + middle + cores, links)


def _explicit(campus: str, fabric: Explicit) -> CampusFabric:
    switches = tuple(Switch(f"{campus}-{n}", s.role) for n, s in fabric.switches.items())
    links = tuple(
        FabricLink(f"{campus}-{a}", f"{campus}-{b}", link.rate, link.delay)
        for link in fabric.links
        for a, b in [link.between]
    )
    return CampusFabric(switches, links)
