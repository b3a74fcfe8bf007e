"""From a plan's wiring and its routing to the tables of all switches.

Inside a campus: equal-cost shortest paths (`inner_routes`). Between campuses: at the border of the
sender's campus the policy's paths, each the label of a tree (`trees`) that the borders on the way
follow. Where a long-haul link may fail, a FAST_FAILOVER group moves packets onto a tree of its own, in which
nothing is moved again: so packets turn at most once, and never loop.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from controller.policies import policy
from controller.policies.campuses import Arc, CampusGraph, Path
from controller.policies.policy import Policy, Share, Spread
from controller.routes.inner import InnerRoutes, attached
from controller.routes.trees import Trees, backup
from scenario.plan.rules import (
    EVERYBODY,
    GATEWAY_MAC,
    PROTECTION,
    Bucket,
    Groups,
    Rule,
    Tables,
    label,
)
from scenario.plan.types import End, Plan, PlannedHost, PlannedSwitch, PlannedWire
from scenario.plan.ways import PlannedPath, PlannedWay
from scenario.types.topology import Routing

Way = TypeVar("Way", Bucket, Share)


@dataclass(frozen=True)
class Wiring:
    """What there is to route over: all hosts, probes among them, switches and wires. `down` are the
    interfaces that are not up; a wire with one of them is not there."""

    hosts: tuple[PlannedHost, ...]
    switches: tuple[PlannedSwitch, ...]
    wires: tuple[PlannedWire, ...]
    down: frozenset[str] = frozenset()

    @classmethod
    def of(cls, plan: Plan) -> Wiring:
        """All of a plan, up."""
        return cls(plan.hosts + plan.probes, plan.switches, plan.wires)

    @cached_property
    def live(self) -> tuple[PlannedWire, ...]:
        """The wires that are up."""
        return tuple(x for x in self.wires if not {x.a.interface, x.b.interface} & self.down)

    @cached_property
    def campuses(self) -> dict[str, int]:
        """Numbers of the campuses by name, from 1 on."""
        return {name: n for n, name in enumerate(dict.fromkeys(s.campus for s in self.switches), 1)}

    @cached_property
    def borders(self) -> dict[str, PlannedSwitch]:
        """The border switch of each campus."""
        return {s.campus: s for s in self.switches if s.role == "border"}

    @cached_property
    def graph(self) -> CampusGraph:
        """The long-haul links that are up, as policies see them: of a bundle, with the rate of all members together."""
        campus = {border.name: name for name, border in self.borders.items()}
        rates: dict[tuple[str, str], float] = defaultdict(float)
        first: dict[tuple[str, str], tuple[End, End]] = {}
        for wire in self._long_hauls:
            for near, far in (wire.ends, wire.ends[::-1]):
                first.setdefault((wire.link, near.node), (near, far))
                rates[wire.link, near.node] += near.shape.rate_bps
        return CampusGraph(
            tuple(
                Arc(link, campus[near.node], campus[far.node],
                    rates[link, near.node], near.shape.delay_s, near.shape.loss)
                for (link, _), (near, far) in first.items()
            )
        )  # fmt: skip

    def shares(self, chosen: Policy, source: str, sink: str) -> Sequence[Share]:
        """What a policy answers of two campuses. Asked once."""
        key = (chosen.routing, source, sink)
        if key not in self._answers:
            self._answers[key] = chosen.paths(self.graph, source, sink)
        return self._answers[key]

    @cached_property
    def _answers(self) -> dict[tuple[Routing, str, str], Sequence[Share]]:
        return {}

    def ports(self, arc: Arc) -> list[int]:
        """The OpenFlow ports by which an arc leaves its campus's border: one, or those of a bundle's members."""
        return self._ports[arc.link, self.borders[arc.tail].name]

    @cached_property
    def _long_hauls(self) -> list[PlannedWire]:
        return [wire for wire in self.live if wire.kind == "long-haul"]

    @cached_property
    def _ports(self) -> dict[tuple[str, str], list[int]]:
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for wire in self._long_hauls:
            for end in wire.ends:
                found[wire.link, end.node].append(end.port)
        return found


def route(wiring: Wiring, routing: Routing, generation: int = 1) -> Tables:
    """All tables. With policy `none` there are none: switches learn.

    A campus or a leaf that nothing leads to has no rule: what is sent there is dropped. Raises
    ValueError where a policy's answer is no path.
    """
    if routing.policy == "none":
        return Tables()
    groups = Groups(generation)
    rules = [*attached(wiring.hosts, wiring.live), *_inside(wiring, groups)]
    rules += _Between(wiring, policy(routing), groups, generation).rules()
    order = {switch.name: number for number, switch in enumerate(wiring.switches)}
    return Tables(tuple(sorted(rules, key=lambda rule: order[rule.switch])), groups.all())


def ways(plan: Plan, wiring: Wiring | None = None) -> Iterator[PlannedWay]:
    """The paths between campuses that `route` makes rules of, in shares. Those of probes are left out: of several,
    they take the first. The plan's `wiring`, if it was given to `route`, knows them."""
    wiring, chosen = wiring or Wiring.of(plan), policy(plan.routing)
    for source, sink in itertools.permutations(wiring.campuses, 2):
        shares = wiring.shares(chosen, source, sink)
        for dscp in dict.fromkeys(share.dscp for share in shares):
            own = [share for share in shares if share.dscp == dscp]
            if chosen.spread is Spread.HASH or len(own) == 1:
                whole = sum(share.weight for share in own)
                paths = tuple(_path(share, share.weight / whole) for share in own)
                yield PlannedWay(source, sink, paths, dscp)
                continue
            receivers = [host.name for host in plan.hosts if host.campus == sink]
            turns = list(zip(receivers, dealt(own, len(receivers)), strict=True))
            for share in own:
                hosts = tuple(host for host, turn in turns if turn is share)
                if hosts:
                    yield PlannedWay(source, sink, (_path(share, 1.0),), dscp, hosts)


def _path(share: Share, part: float) -> PlannedPath:
    return PlannedPath(tuple(arc.link for arc in share.path), part)


def _inside(wiring: Wiring, groups: Groups) -> Iterator[Rule]:
    with_hosts = {host.leaf for host in wiring.hosts}
    for name in wiring.campuses:
        switches = [switch for switch in wiring.switches if switch.campus == name]
        targets = [switch for switch in switches if switch.name in with_hosts]
        border = wiring.borders.get(name) if len(wiring.campuses) > 1 else None
        inner = InnerRoutes(switches, wiring.live, groups)
        yield from inner.rules(targets, border.name if border else None)


class _Between:
    """The rules of the borders for other campuses."""

    def __init__(self, wiring: Wiring, chosen: Policy, groups: Groups, generation: int) -> None:
        self._wiring = wiring
        self._policy = chosen
        self._groups = groups
        self._generation = generation
        self._graph = wiring.graph
        self._detours: dict[tuple[Arc, str], Path | None] = {}

    def rules(self) -> Iterator[Rule]:
        """Towards each campus in turn."""
        for sink in self._wiring.campuses:
            yield from self._towards(sink)

    def _towards(self, sink: str) -> Iterator[Rule]:
        working, protection = Trees(), Trees(PROTECTION)
        answers = {
            source: [(share, working.add(share.path)) for share in self._shares(source, sink)]
            for source in self._wiring.campuses
            if source != sink
        }
        on = {
            arc: self._onward(arc, sink, protection)
            for arc in dict.fromkeys(arc for _, arc in working.arcs())
        }
        probed = {arc: self._onward(arc, sink, protection, probed=True) for arc in on}
        for number, arc in working.arcs():
            yield self._transit(arc, self._label(sink, number), on[arc])
        for number, arc in protection.arcs():
            yield self._transit(arc, self._label(sink, number), self._over(arc))
        for source, shares in answers.items():
            yield from self._ingress(source, sink, shares, (on, probed))

    def _shares(self, source: str, sink: str) -> Sequence[Share]:
        return self._wiring.shares(self._policy, source, sink)

    def _over(self, arc: Arc, mac: str | None = None, *, probed: bool = False) -> Bucket:
        """Over a link, while it is up: its port, or whichever member of a bundle a hash takes. What is `probed`
        takes the first, so that it is known what is measured."""
        ports = self._wiring.ports(arc)
        if len(ports) == 1 or probed:
            return Bucket(ports[0], ports[0], mac)
        border = self._wiring.borders[arc.tail].name
        group = self._groups.select(border, [Bucket(port, port) for port in ports])
        return Bucket(dst_mac=mac, group=group, watch_group=group)

    def _onward(self, arc: Arc, sink: str, protection: Trees, *, probed: bool = False) -> Bucket:
        """Along an arc, or, where that is protected, as a group decides."""
        over = self._over(arc, probed=probed)
        if self._policy.routing.protection == "none":
            return over.unwatched()
        detour = self._detour(arc, sink)
        if detour is None:
            return over.unwatched()
        number = protection.add(detour)
        aside = self._over(detour[0], self._label(sink, number))
        group = self._groups.failover(self._wiring.borders[arc.tail].name, [over, aside])
        return Bucket(group=group)

    def _detour(self, arc: Arc, sink: str) -> Path | None:
        """Around an arc. Looked for once."""
        if (arc, sink) not in self._detours:
            self._detours[arc, sink] = backup(self._policy, self._graph, arc, sink)
        return self._detours[arc, sink]

    def _label(self, sink: str, number: int) -> str:
        return label(self._generation, self._wiring.campuses[sink], number)

    def _transit(self, arc: Arc, mac: str, out: Bucket) -> Rule:
        """What is labelled follows its tree."""
        border = self._wiring.borders[arc.tail].name
        return Rule(border, EVERYBODY, out.port, group=out.group, match_mac=mac)

    def _ingress(
        self,
        source: str,
        sink: str,
        shares: list[tuple[Share, int]],
        on: tuple[dict[Arc, Bucket], dict[Arc, Bucket]],
    ) -> Iterator[Rule]:
        """What comes from inside the campus is labelled, class by class: all others as the first of `on` says,
        probes as the second."""
        for dscp in dict.fromkeys(share.dscp for share, _ in shares):
            own = [(share, number) for share, number in shares if share.dscp == dscp]
            ways, probed = (
                [
                    Bucket(
                        out[share.path[0]].port,
                        dst_mac=self._label(sink, number),
                        group=out[share.path[0]].group,
                        weight=share.weight,
                    )
                    for share, number in own
                ]
                for out in on
            )
            yield from self._spread((source, sink), dscp, ways, probed[0])

    def _spread(
        self, pair: tuple[str, str], dscp: int | None, ways: list[Bucket], probed: Bucket
    ) -> Iterator[Rule]:
        """Probes take the first way of several: what they measure must be known."""
        border, prefix = self._wiring.borders[pair[0]].name, self._prefix(pair[1])
        there = [host for host in self._wiring.hosts if host.campus == pair[1]]
        if ways != [probed]:
            for probe in (host for host in there if host.rank < 0):
                yield _labelling(border, f"{probe.ip}/32", dscp, probed)
        if len(ways) == 1:
            yield _labelling(border, prefix, dscp, ways[0])
            return
        if self._policy.spread is Spread.HASH:
            group = self._groups.select(border, ways)
            yield Rule(border, prefix, group=group, match_mac=GATEWAY_MAC, dscp=dscp)
            return
        receivers = [host for host in there if host.rank >= 0]
        for host, way in zip(receivers, dealt(ways, len(receivers)), strict=True):
            yield _labelling(border, f"{host.ip}/32", dscp, way)

    def _prefix(self, campus: str) -> str:
        return f"10.{self._wiring.campuses[campus]}.0.0/16"


def _labelling(border: str, prefix: str, dscp: int | None, way: Bucket) -> Rule:
    return Rule(border, prefix, way.port, way.dst_mac, way.group, GATEWAY_MAC, dscp)


def dealt(ways: Sequence[Way], count: int) -> Iterator[Way]:
    """`count` turns among the ways, each way's as evenly apart as its weight allows: the next turn is
    of whoever has had the least, for its weight."""
    had = [0] * len(ways)
    for _ in range(count):
        turn = min(range(len(ways)), key=lambda i: ((had[i] + 1) / ways[i].weight, i))
        had[turn] += 1
        yield ways[turn]
