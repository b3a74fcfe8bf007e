"""A fabric that nobody routes: switches learn, and a spanning tree keeps floods from going round.

Open vSwitch runs the rapid spanning tree protocol itself. Bridge addresses and port costs are set so
that its tree is the one computed here: paths of least delay to the first campus's border.
[IEEE 802.1D-2004, clause 17]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scenario.plan.types import End, Plan, PlannedHost, PlannedSwitch, PlannedWire

COST_PER_S = 1e8
"""A port's cost is its wire's delay in units of 10 ns, and 1 for the hop."""
MOST_COST = 200_000_000
ROOT_PRIORITY, PRIORITY = 4096, 32768
CONVERGED_AFTER_S = 60.0
"""Twice the forward delay of 15 s that a port waits at most in each of two states."""


def port_cost(wire: PlannedWire) -> int:
    """What each end of a wire adds to a path that comes in there."""
    delay_s = (wire.a.shape.delay_s + wire.b.shape.delay_s) / 2
    return min(MOST_COST, 1 + round(delay_s * COST_PER_S))


def root(plan: Plan) -> PlannedSwitch:
    """The root of the tree: the border of the first campus."""
    return next(switch for switch in plan.switches if switch.role == "border")


def address(switch: PlannedSwitch) -> str:
    """The MAC address that stands for a bridge in the protocol: of equals, the lower one wins."""
    octets = switch.dpid.to_bytes(4, "big")
    return "02:00:" + ":".join(f"{octet:02x}" for octet in octets)


@dataclass(frozen=True, order=True)
class _Offer:
    """What a bridge hears of a way to the root, as the protocol orders them."""

    cost: int
    dpid: int
    port: int


class Bridged:
    """Where packets go along the spanning tree, once addresses have been learned."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._up = dict(_parents(plan))
        self._access = {
            wire.a.node: (wire.a, wire.b) for wire in plan.wires if wire.kind in ("host", "probe")
        }

    def walk(self, source: PlannedHost, sink: PlannedHost, dscp: int = 0) -> tuple[End, ...]:  # noqa: ARG002
        """The sending end of every wire: up to where the ways to the root meet, and down."""
        out, _ = self._access[source.name]
        _, last = self._access[sink.name]
        return (out, *self.between(source.leaf, sink.leaf), last)

    def between(self, source: str, sink: str) -> tuple[End, ...]:
        """The sending end of every wire from a switch to another."""
        up, down = list(self._to_root(source)), list(self._to_root(sink))
        while up and down and up[-1] == down[-1]:
            up.pop()
            down.pop()
        return (*(near for near, _ in up), *(far for _, far in reversed(down)))

    def ways(
        self,
        source: PlannedHost,
        sink: PlannedHost,
        dscp: int = 0,
        dead: frozenset[str] = frozenset(),
    ) -> Iterator[tuple[float, tuple[End, ...]]]:
        """The only way there is. Raises LookupError where one of the interfaces `dead` is on it."""
        way = self.walk(source, sink, dscp)
        if cut := [end.interface for end in way if end.interface in dead]:
            raise LookupError(f"{cut[0]} is down")
        yield 1.0, way

    def tree(self) -> frozenset[str]:
        """The interfaces between switches that forward."""
        return frozenset(end.interface for ends in self._up.values() for end in ends)

    def _to_root(self, switch: str) -> Iterator[tuple[End, End]]:
        """The wires on the way: each end nearer to the switch, and the other one."""
        while switch in self._up:
            near, far = self._up[switch]
            yield near, far
            switch = far.node


def _parents(plan: Plan) -> Iterator[tuple[str, tuple[End, End]]]:
    """Each switch's wire towards the root: its own end, and the other one."""
    dpids = {switch.name: switch.dpid for switch in plan.switches}
    wires = [wire for wire in plan.wires if wire.a.node in dpids and wire.b.node in dpids]
    cost = {root(plan).name: 0}
    best: dict[str, tuple[_Offer, tuple[End, End]]] = {}
    changed = True
    while changed:
        changed = False
        for wire in wires:
            for near, far in (wire.ends, wire.ends[::-1]):
                if far.node not in cost or near.node == root(plan).name:
                    continue
                offer = _Offer(cost[far.node] + port_cost(wire), dpids[far.node], far.port)
                if near.node not in best or offer < best[near.node][0]:
                    best[near.node] = (offer, (near, far))
                    cost[near.node] = offer.cost
                    changed = True
    for switch, (_, ends) in best.items():
        yield switch, ends
