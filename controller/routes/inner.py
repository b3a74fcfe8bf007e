"""Routes inside one campus: equal-cost shortest paths between its switches.

A switch needs a rule per leaf of its campus, one for everything beyond the border, and one per host
that hangs on it. Where several ports are equally good, a SELECT group spreads connections over
those that are up.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from controller.policies.policy import weights
from scenario.plan.rules import EVERYBODY, Bucket, Groups, Rule
from scenario.plan.types import PlannedHost, PlannedSwitch, PlannedWire


@dataclass(frozen=True)
class _Hop:
    neighbour: str
    port: int
    delay_ps: int
    rate_bps: float


Distances = dict[str, tuple[int, int]]


class InnerRoutes:
    """The routes of a campus: its switches, and the wires between them that are up."""

    def __init__(
        self, switches: Sequence[PlannedSwitch], wires: Iterable[PlannedWire], groups: Groups
    ) -> None:
        self._switches = switches
        self._groups = groups
        self._hops: dict[str, list[_Hop]] = {switch.name: [] for switch in switches}
        for wire in wires:
            if wire.a.node in self._hops and wire.b.node in self._hops:
                for near, far in (wire.ends, wire.ends[::-1]):
                    delay_ps = round(near.shape.delay_s * 1e12)
                    hop = _Hop(far.node, near.port, delay_ps, near.shape.rate_bps)
                    self._hops[near.node].append(hop)

    def rules(self, targets: Sequence[PlannedSwitch], border: str | None) -> Iterator[Rule]:
        """Towards the switches in `targets` by their prefixes, and towards `border`, where there is
        one, for everybody else."""
        for target in targets:
            yield from self._towards(target.name, target.prefix)
        if border:
            yield from self._towards(border, EVERYBODY)

    def _towards(self, target: str, prefix: str) -> Iterator[Rule]:
        """Of every switch that can reach the target."""
        distance = self._distances(target)
        for switch in self._switches:
            if switch.name != target and switch.name in distance:
                yield self._rule(switch.name, prefix, distance)

    def _rule(self, switch: str, prefix: str, distance: Distances) -> Rule:
        delay_ps, count = distance[switch]
        equal = [
            hop
            for hop in self._hops[switch]
            if distance.get(hop.neighbour) == (delay_ps - hop.delay_ps, count - 1)
        ]
        if len(equal) == 1:
            return Rule(switch, prefix, equal[0].port)
        shares = weights([hop.rate_bps for hop in equal])
        buckets = [
            Bucket(hop.port, hop.port, weight=share)
            for hop, share in zip(equal, shares, strict=True)
        ]
        return Rule(switch, prefix, group=self._groups.select(switch, buckets))

    def _distances(self, target: str) -> Distances:
        """(delay, hops) from every switch to `target`, by Dijkstra; delays in whole picoseconds, so
        that equal paths compare equal. Hops decide between links without delay: each brings a packet
        nearer, so that no choice of equals can make a loop."""
        incoming: dict[str, list[tuple[int, str]]] = {node: [] for node in self._hops}
        for node, hops in self._hops.items():
            for hop in hops:
                incoming[hop.neighbour].append((hop.delay_ps, node))
        best: Distances = {}
        frontier = [(0, 0, target)]
        while frontier:
            delay, count, node = heapq.heappop(frontier)
            if node not in best:
                best[node] = (delay, count)
                for step, neighbour in incoming[node]:
                    heapq.heappush(frontier, (delay + step, count + 1, neighbour))
        return best


def attached(hosts: Iterable[PlannedHost], wires: Iterable[PlannedWire]) -> Iterator[Rule]:
    """The rule of every host on the switch that it hangs on: its own MAC, its own port."""
    by_name = {host.name: host for host in hosts}
    for wire in wires:
        if host := by_name.get(wire.a.node):
            yield Rule(wire.b.node, f"{host.ip}/32", wire.b.port, host.mac)
