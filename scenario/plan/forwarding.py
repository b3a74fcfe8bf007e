"""Where packets go: what switches with a plan's tables do to them, without a switch.

`take` is the path of one connection, as switches' hashes choose it. `ways` gives all that a connection
between two hosts may take, each with its probability, and `walk` the likeliest, of equals the first, for
those whose ports nobody knows. `dead` ports show what fast failover does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from scenario.plan.bridging import Bridged
from scenario.plan.hashing import FiveTuple, chosen
from scenario.plan.rules import GATEWAY_MAC, Bucket, Group, Rule
from scenario.plan.types import End, Plan, PlannedHost

Ends: TypeAlias = tuple[End, ...]
Ways: TypeAlias = "Forwarding | Bridged"


def of(plan: Plan) -> Ways:
    """Where a plan's packets go. Making it reads all the rules: whoever asks often keeps it."""
    return Bridged(plan) if plan.bridged else Forwarding(plan)


@dataclass(frozen=True)
class _Packet:
    address: int
    mac: str
    dscp: int
    connection: FiveTuple | None


@dataclass(frozen=True)
class Fork:
    """At a switch: the interfaces that lead on, and the one that was taken."""

    switch: str
    of: tuple[str, ...]
    took: str


class Forwarding:
    """The switches of a plan, with their tables."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._hosts = {host.ip: host for host in plan.hosts + plan.probes}
        self._keys = {switch.name: plan.hash_key(switch) for switch in plan.switches}
        self._ends = {(end.node, end.port): end for wire in plan.wires for end in wire.ends}
        self._beyond = {
            near.interface: far for wire in plan.wires for near, far in (wire.ends, wire.ends[::-1])
        }
        self._groups = {(group.switch, group.id): group for group in plan.groups}
        self._tables: dict[str, _Table] = {switch.name: _Table() for switch in plan.switches}
        for rule in plan.rules:
            self._tables[rule.switch].add(rule)

    def walk(self, source: PlannedHost, sink: PlannedHost, dscp: int = 0) -> Ends:
        """The sending end of every wire on the likeliest way. Raises LookupError where the rules
        lead nowhere, or round in a circle."""
        ways = list(self.ways(source, sink, dscp))
        return max(ways, key=lambda way: way[0])[1]

    def take(
        self, connection: FiveTuple, dscp: int = 0, dead: frozenset[str] = frozenset()
    ) -> Ends:
        """The sending end of every wire that a connection takes. Raises LookupError as `walk` does, and
        where an address is nobody's."""
        source, sink = (self._at(address) for address in (connection.source, connection.sink))
        ((_, ends),) = self.ways(source, sink, dscp, dead, connection)
        return ends

    def choices(self, connection: FiveTuple, dscp: int = 0) -> Iterator[Fork]:
        """Where several ways were open to a connection, and which of them it takes. Raises LookupError as `take`
        does."""
        sink = self._at(connection.sink)
        packet = _Packet(_number(sink.ip), GATEWAY_MAC, dscp, connection)
        for end in self.take(connection, dscp)[1:]:
            rule = self._tables[end.node].lookup(packet)
            assert rule, "the connection has gone there"
            ports = {port for _, _, port in self._out(end.node, rule, None, frozenset())}
            ((_, mac, _),) = self._out(end.node, rule, connection, frozenset())
            packet = replace(packet, mac=mac or packet.mac)
            if len(ports) > 1:
                open_to_it = (self._ends[end.node, port].interface for port in ports)
                yield Fork(end.node, tuple(sorted(open_to_it)), end.interface)

    def _at(self, address: str) -> PlannedHost:
        if address not in self._hosts:
            raise LookupError(f"no host has the address {address}")
        return self._hosts[address]

    def ways(
        self,
        source: PlannedHost,
        sink: PlannedHost,
        dscp: int = 0,
        dead: frozenset[str] = frozenset(),
        connection: FiveTuple | None = None,
    ) -> Iterator[tuple[float, Ends]]:
        """All ways with their probabilities, where the interfaces `dead` are down; the only one of a
        connection. Raises LookupError as `walk` does."""
        packet = _Packet(_number(sink.ip), GATEWAY_MAC, dscp, connection)
        path = (self._ends[source.name, 0],)
        for share, packet_mac, ends in self._on(packet, path, sink.name, dead):
            if packet_mac != sink.mac:
                raise LookupError(f"{sink.name} is sent a packet to {packet_mac}")
            yield share, ends

    def _on(
        self, packet: _Packet, path: Ends, sink: str, dead: frozenset[str]
    ) -> Iterator[tuple[float, str, Ends]]:
        """The ways on from the far end of `path`: probability, MAC on arrival, all ends."""
        if path[-1].interface in dead:
            raise LookupError(f"{path[-1].interface} is down")
        node = self._beyond[path[-1].interface].node
        if node == sink:
            yield 1.0, packet.mac, path
            return
        rule = self._tables[node].lookup(packet) if node in self._tables else None
        if rule is None:
            raise LookupError(f"{node} has no rule for a packet to {sink}")
        if len(path) > 4 * (len(self._tables) + 1):
            raise LookupError(f"packets to {sink} go round in a circle at {node}")
        for share, mac, port in self._out(node, rule, packet.connection, dead):
            after = replace(packet, mac=mac or packet.mac)
            for rest, arrived, ends in self._on(after, (*path, self._ends[node, port]), sink, dead):
                yield share * rest, arrived, ends

    def _out(
        self, node: str, rule: Rule, connection: FiveTuple | None, dead: frozenset[str]
    ) -> Iterator[tuple[float, str | None, int]]:
        """The ports that a rule may choose: probability, MAC written, port."""
        if rule.group is None:
            assert rule.port is not None
            yield 1.0, rule.dst_mac, rule.port
            return
        for share, mac, port in self._choices(self._groups[node, rule.group], connection, dead):
            yield share, mac or rule.dst_mac, port

    def _choices(
        self, group: Group, connection: FiveTuple | None, dead: frozenset[str]
    ) -> Iterator[tuple[float, str | None, int]]:
        live = self._live(group, connection, dead)
        whole = sum(bucket.weight for bucket in live)
        for bucket in live:
            for share, mac, port in self._bucket(group.switch, bucket, connection, dead):
                yield share * bucket.weight / whole, mac or bucket.dst_mac, port

    def _live(
        self, group: Group, connection: FiveTuple | None, dead: frozenset[str]
    ) -> Sequence[Bucket]:
        """The buckets that a packet may take; of a connection it is one."""
        if group.kind == "select" and connection:
            slots = group.slots
            live = [n for n, slot in enumerate(slots) if self._lives(group.switch, slot, dead)]
            if live:
                return [slots[chosen(self._keys[group.switch], connection, live)]]
        else:
            buckets = [one for one in group.buckets if self._lives(group.switch, one, dead)]
            if buckets:
                return buckets[:1] if group.kind == "fast-failover" else buckets
        raise LookupError(f"{group.switch} has no live port for a packet")

    def _bucket(
        self, switch: str, bucket: Bucket, connection: FiveTuple | None, dead: frozenset[str]
    ) -> Iterator[tuple[float, str | None, int]]:
        if bucket.group is not None:
            yield from self._choices(self._groups[switch, bucket.group], connection, dead)
            return
        assert bucket.port is not None
        yield 1.0, None, bucket.port

    def _lives(self, switch: str, bucket: Bucket, dead: frozenset[str]) -> bool:
        if bucket.watch_group is not None:
            watched = self._groups[switch, bucket.watch_group]
            return any(self._lives(switch, one, dead) for one in watched.buckets)
        if bucket.watch is None:
            return True
        end = self._ends[switch, bucket.watch]
        return not {end.interface, self._beyond[end.interface].interface} & dead


class _Table:
    """A switch's rules, by the shape of their match: one look per shape. [tuple space search:
    Srinivasan, Suri & Varghese 1999]"""

    def __init__(self) -> None:
        self._shapes: dict[tuple[int, int, bool, bool], dict[tuple[object, ...], Rule]] = {}

    def add(self, rule: Rule) -> None:
        """Put a rule in its place."""
        address = _number(rule.prefix.split("/")[0])
        shape = (-rule.priority, rule.length, rule.match_mac is not None, rule.dscp is not None)
        key = (address >> (32 - rule.length), rule.match_mac, rule.dscp)
        self._shapes.setdefault(shape, {})[key] = rule
        self._shapes = dict(sorted(self._shapes.items()))

    def lookup(self, packet: _Packet) -> Rule | None:
        """The rule of highest priority that matches."""
        for (_, length, by_mac, by_dscp), rules in self._shapes.items():
            key = (
                packet.address >> (32 - length),
                packet.mac if by_mac else None,
                packet.dscp if by_dscp else None,
            )
            if rule := rules.get(key):
                return rule
        return None


def _number(address: str) -> int:
    return int.from_bytes(bytes(map(int, address.split("."))), "big")
