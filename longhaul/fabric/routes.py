"""Shortest paths as OpenFlow rules: who sends which prefix out of which port.

The fabric is routed, not bridged: addresses are 10.campus.leaf.host, so a switch needs one rule per
leaf of its own campus, one per other campus, and one per host that hangs on it. A triangle of
campuses is a loop, and nothing is ever flooded over it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from longhaul.fabric.plan import End, Plan, PlannedHost, PlannedLink, PlannedSwitch


@dataclass(frozen=True)
class Rule:
    """On `switch`, IPv4 packets to `prefix` leave by `port`; `dst_mac` is set on the last hop."""

    switch: str
    prefix: str
    port: int
    dst_mac: str | None = None

    @property
    def priority(self) -> int:
        """The longest prefix wins."""
        return 100 + int(self.prefix.split("/")[1])


@dataclass(frozen=True)
class _Hop:
    neighbour: str
    port: int
    delay_s: float


def route(
    hosts: Sequence[PlannedHost],
    switches: Sequence[PlannedSwitch],
    links: Sequence[PlannedLink],
) -> Iterator[Rule]:
    """All rules, ordered by switch. Paths minimise delay, then hops; equal paths are spread by
    destination."""
    graph = _graph(switches, links)
    to = {target.name: _distances(graph, target.name) for target in switches}
    borders = {s.campus: s for s in switches if s.prefix.endswith(".255.0/24")}
    for switch in switches:
        yield from _attached(switch, hosts, links)
        for target in switches:
            if target.campus == switch.campus and target != switch and _holds(target, hosts):
                yield _towards(switch, target, target.prefix, graph, to)
        for campus, border in borders.items():
            if campus != switch.campus:
                yield _towards(switch, border, campus_prefix(border.prefix), graph, to)


def walk(plan: Plan, source: PlannedHost, sink: PlannedHost) -> tuple[End, ...]:
    """The sending end of every wire from `source` to `sink`, as the rules lead.

    Raises LookupError where they lead nowhere, or round in a circle.
    """
    beyond = {end.interface: other for link in plan.links for end, other in _both_ways(link)}
    ends = {(end.node, end.port): end for link in plan.links for end in link.ends}
    ports = {(rule.switch, rule.prefix): rule.port for rule in plan.rules}
    prefixes = (f"{sink.ip}/32", leaf_prefix(sink.ip), campus_prefix(sink.ip))
    path = [ends[source.name, 0]]
    while (node := beyond[path[-1].interface]) != sink.name:
        port = next((ports[node, prefix] for prefix in prefixes if (node, prefix) in ports), None)
        if port is None or len(path) > len(plan.switches):
            raise LookupError(f"no route from {source.name} to {sink.name} at {node}")
        path.append(ends[node, port])
    return tuple(path)


def _both_ways(link: PlannedLink) -> tuple[tuple[End, str], tuple[End, str]]:
    return (link.a, link.b.node), (link.b, link.a.node)


def leaf_prefix(address: str) -> str:
    """The prefix of the switch that an address hangs on."""
    return "10.{}.{}.0/24".format(*address.split(".")[1:3])


def campus_prefix(address: str) -> str:
    """The prefix of the whole campus that an address (or a prefix) belongs to."""
    return "10.{}.0.0/16".format(address.split(".")[1])


def _holds(switch: PlannedSwitch, hosts: Iterable[PlannedHost]) -> bool:
    return any(host.leaf == switch.name for host in hosts)


def _attached(
    switch: PlannedSwitch, hosts: Sequence[PlannedHost], links: Sequence[PlannedLink]
) -> Iterator[Rule]:
    by_name = {host.name: host for host in hosts if host.leaf == switch.name}
    for link in links:
        if link.b.node == switch.name and link.a.node in by_name:
            host = by_name[link.a.node]
            yield Rule(switch.name, f"{host.ip}/32", link.b.port, host.mac)


def _graph(
    switches: Sequence[PlannedSwitch], links: Sequence[PlannedLink]
) -> dict[str, list[_Hop]]:
    graph: dict[str, list[_Hop]] = {switch.name: [] for switch in switches}
    for link in links:
        if link.a.node in graph and link.b.node in graph:
            graph[link.a.node].append(_Hop(link.b.node, link.a.port, link.a.shape.delay_s))
            graph[link.b.node].append(_Hop(link.a.node, link.b.port, link.b.shape.delay_s))
    return graph


def _distances(graph: dict[str, list[_Hop]], target: str) -> dict[str, tuple[int, int]]:
    """(delay, hops) from every switch to `target` by Dijkstra; delays in whole picoseconds, so
    that equal paths compare equal."""
    incoming: dict[str, list[tuple[int, str]]] = {node: [] for node in graph}
    for node, hops in graph.items():
        for hop in hops:
            incoming[hop.neighbour].append((_picoseconds(hop.delay_s), node))
    best: dict[str, tuple[int, int]] = {}
    frontier = [(0, 0, target)]
    while frontier:
        delay, count, node = heapq.heappop(frontier)
        if node not in best:
            best[node] = (delay, count)
            for step, neighbour in incoming[node]:
                heapq.heappush(frontier, (delay + step, count + 1, neighbour))
    return best


def _picoseconds(seconds: float) -> int:
    return round(seconds * 1e12)


def _towards(
    switch: PlannedSwitch,
    target: PlannedSwitch,
    prefix: str,
    graph: dict[str, list[_Hop]],
    to: dict[str, dict[str, tuple[int, int]]],
) -> Rule:
    distance = to[target.name]
    delay, hops = distance[switch.name]
    equal = [
        hop
        for hop in graph[switch.name]
        if hop.neighbour in distance
        and distance[hop.neighbour][0] + _picoseconds(hop.delay_s) == delay
        and distance[hop.neighbour][1] + 1 == hops
    ]
    return Rule(switch.name, prefix, equal[(switch.dpid + target.dpid) % len(equal)].port)
