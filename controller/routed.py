"""Our application: routes the campuses by the topology's policy, and repairs routes when links fail.

Proactive: no packet ever waits for the controller. New routes come as a new generation, in three
phases: first what nobody uses yet (groups, and rules for new labels), then the rules that put new
labels on, and when the last old label has arrived, away with what is stale. So no packet meets half
a set of routes [Reitblatt et al., SIGCOMM 2012], and a controller that comes back after a crash
takes over what it finds in the same way, without a disruption.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from controller import discovery, frames, messages
from controller.base import (
    CONFIG_DISPATCHER,
    DEAD_DISPATCHER,
    MAIN_DISPATCHER,
    App,
    Empty,
    Queue,
    after,
    ofp_event,
    set_ev_cls,
    spawn,
)
from controller.damping import Damping
from controller.discovery import Discovery
from controller.frames import ARP, LLDP
from controller.instants import deafen, lead_s
from controller.routes.routes import Wiring, route
from controller.switches import Answers, Barriers, ConnectedSwitch, generations, is_up
from scenario.plan.rules import GATEWAY_MAC, Rule, Tables
from scenario.plan.types import End, Plan, PlannedWire, from_json

PLAN = "LONGHAUL_PLAN"
READY = "LONGHAUL_READY"
MISSING_WITHIN_S = 10.0
HEARD_WITHIN_S = 0.1
"""For a frame to pass switches and the controller, beside the wire; far longer than it takes."""
GENERATIONS = 250
Answer = TypeVar("Answer")
log = logging.getLogger("longhaul.controller")


class Routed(App):
    """Routes as the plan that $LONGHAUL_PLAN names says, and makes the file that $LONGHAUL_READY
    names once every switch has confirmed its rules."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plan: Plan = from_json(json.loads(Path(os.environ[PLAN]).read_text(encoding="utf-8")))
        self._wiring = Wiring.of(self.plan)
        self.names = {switch.dpid: switch.name for switch in self.plan.switches}
        self._keys = {switch.name: self.plan.hash_key(switch) for switch in self.plan.switches}
        self.switches: dict[str, ConnectedSwitch] = {}
        self.down: set[str] = set()
        """Interfaces without carrier."""
        self.unused: set[str] = set()
        """Links that are not routed over: down, or not up for long enough."""
        self.avoided: set[str] = set()
        """Links that the present routes do without."""
        self.drained: set[str] = set()
        """Links that somebody wants avoided."""
        self.generation = 0
        self.tables = Tables()
        """The present routes."""
        self._answers: dict[str, Answers] = {}
        self._barriers = Barriers()
        self.discovery = Discovery(self.plan)
        self._damping = Damping(self.plan.routing.hold_down_s)
        self.between: dict[str, PlannedWire] = {
            link.name: link for link in self.plan.wires if link.kind in ("fabric", "long-haul")
        }
        """The links between switches, by name."""
        self._links = {end.interface: link for link in self.between.values() for end in link.ends}
        self._orders: Queue[Callable[[], None]] = Queue()
        self._routed = False
        self._searching = False
        self._searches = 0
        spawn(self._work)

    # -- what switches say, in os-ken's thread: noted, and left to the worker

    @set_ev_cls(ofp_event.EventOFPStateChange, [MAIN_DISPATCHER, DEAD_DISPATCHER])  # type: ignore[untyped-decorator]
    def on_state(self, event: Any) -> None:
        """A switch has connected, or its connection is lost."""
        name = self.names.get(event.datapath.id)
        if name is None:
            if event.datapath.id is not None:
                log.error("switch %016x is not in the plan", event.datapath.id)
            return
        if event.state == DEAD_DISPATCHER:
            self._orders.put(lambda: self._lost(name, event.datapath))
        else:
            self._answers[name] = Answers()
            self._orders.put(lambda: self._connected(ConnectedSwitch(name, event.datapath)))

    @set_ev_cls(ofp_event.EventOFPFlowDescStatsReply, MAIN_DISPATCHER)  # type: ignore[untyped-decorator]
    def on_flows(self, event: Any) -> None:
        """A part of the rules that a switch holds."""
        name, answers = self._answering(event)
        if event.msg.xid not in answers.asked:
            return
        answers.take_flows(event.msg.body)
        if not event.msg.flags & event.msg.datapath.ofproto.OFPMPF_REPLY_MORE:
            self._orders.put(lambda: self._told(name, flows=answers.flows))

    @set_ev_cls(ofp_event.EventOFPGroupStatsReply, MAIN_DISPATCHER)  # type: ignore[untyped-decorator]
    def on_groups(self, event: Any) -> None:
        """A part of the groups that a switch holds."""
        name, answers = self._answering(event)
        answers.take_groups(event.msg.body)
        if not event.msg.flags & event.msg.datapath.ofproto.OFPMPF_REPLY_MORE:
            self._orders.put(lambda: self._told(name, groups=answers.groups))

    def _answering(self, event: Any) -> tuple[str, Answers]:
        name = self.names[event.msg.datapath.id]
        return name, self._answers[name]

    @set_ev_cls(ofp_event.EventOFPBarrierReply, [CONFIG_DISPATCHER, MAIN_DISPATCHER])  # type: ignore[untyped-decorator]
    def on_barrier(self, event: Any) -> None:
        """A switch has carried out all that was sent before."""
        self._barriers.passed(self.names[event.msg.datapath.id], event.msg.xid)

    @set_ev_cls(ofp_event.EventOFPPortStatus, MAIN_DISPATCHER)  # type: ignore[untyped-decorator]
    def on_port(self, event: Any) -> None:
        """A port has changed."""
        ofproto, port = event.msg.datapath.ofproto, event.msg.desc
        up = event.msg.reason != ofproto.OFPPR_DELETE and is_up(port, ofproto)
        since_s = time.monotonic()
        self._orders.put(lambda: self._port(port.name.decode(), up, since_s))

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)  # type: ignore[untyped-decorator]
    def on_packet(self, event: Any) -> None:
        """A frame for us: LLDP or ARP."""
        name, port = self.names[event.msg.datapath.id], event.msg.match["in_port"]
        self._orders.put(lambda: self._frame((name, port), event.msg.data))

    @set_ev_cls(ofp_event.EventOFPErrorMsg, [CONFIG_DISPATCHER, MAIN_DISPATCHER])  # type: ignore[untyped-decorator]
    def on_error(self, event: Any) -> None:
        """A switch would not do something: say so in the log."""
        name = self.names.get(event.msg.datapath.id)
        log.error("%s refused: type %d code %d", name, event.msg.type, event.msg.code)

    # -- the worker: one thing at a time

    def _work(self) -> None:
        """Do what has been ordered; name the switches that do not come."""
        try:
            while not self._routed:
                self._orders.get(timeout=MISSING_WITHIN_S)()
        except Empty:
            missing = sorted(set(self.names.values()) - set(self.switches))
            log.error("not connected: %s", ", ".join(missing) or "nobody, but not all answer")
        while True:
            self._orders.get()()

    def between_orders(self, look: Callable[[], Answer]) -> Answer:
        """Have the worker do something between two orders, for another thread: its answer, or what it
        raises. Raises TimeoutError."""
        answer: Future[Answer] = Future()
        self._orders.put(lambda: _settle(answer, look))
        return answer.result(timeout=MISSING_WITHIN_S)

    def drain(self, link: str, avoid: bool) -> None:
        """Lead traffic away from a link, as far as nothing is cut off, or let it back. For the worker."""
        before = set(self.drained)
        (self.drained.add if avoid else self.drained.discard)(link)
        if self.drained != before:
            log.info("%s is to be %s", link, "avoided" if avoid else "used")
            self._converge()

    def _connected(self, switch: ConnectedSwitch) -> None:
        self.switches[switch.name] = switch
        for interface, up in switch.ports():
            if not up:
                self.down.add(interface)
                if link := self._links.get(interface):
                    self.unused.add(link.name)
        switch.ask(self._answers[switch.name])

    def _lost(self, name: str, datapath: Any) -> None:
        """Whoever holds no connection keeps its rules."""
        if name in self.switches and self.switches[name].datapath is datapath:
            del self.switches[name]
            log.warning("%s: connection lost", name)

    def _told(
        self, name: str, flows: set[int] | None = None, groups: set[int] | None = None
    ) -> None:
        """Once every switch has told what it holds, it is time for routes."""
        switch = self.switches.get(name)
        if switch is None:
            return
        switch.flows = flows if flows is not None else switch.flows
        switch.groups = groups if groups is not None else switch.groups
        connected = [self.switches.get(planned) for planned in self.names.values()]
        if switch.known and all(one and one.known for one in connected):
            self._converge()
            self._discover(self.switches)

    # -- what is really there

    def _discover(self, switches: Iterable[str]) -> None:
        """Send LLDP frames out of switches, and wait for what is planned, or until all must have arrived."""
        asked = [self.switches[name] for name in switches if name in self.switches]
        self._barriers.everywhere(asked, self._services)
        for switch in asked:
            probes = self.discovery.probes(switch.name)
            switch.send(discovery.out(switch.datapath, port, frame) for port, frame in probes)
        delays_s = [end.shape.delay_s + end.shape.jitter_s for end in self._ends()]
        self._searches += 1
        search = self._searches
        self._searching = True
        within_s = 2 * max(delays_s, default=0.0) + HEARD_WITHIN_S
        self._later(within_s, lambda: self._discovered() if search == self._searches else None)
        self._look()

    def _services(self, switch: ConnectedSwitch) -> Iterator[Any]:
        for kind in (LLDP, ARP):
            yield discovery.to_controller(switch.datapath, kind)

    def _ends(self) -> Iterator[End]:
        return (end for link in self.between.values() for end in link.ends)

    def differences(self) -> list[str]:
        """What is otherwise than planned, a line each; links that are down are no difference."""
        return list(self.discovery.differences(self._dark()))

    def _dark(self) -> set[str]:
        return {name for name, link in self.between.items() if not self.whole(link)}

    def _look(self) -> None:
        """Is all there that is planned?"""
        if self._searching and not self.differences():
            self._discovered()

    def _discovered(self) -> None:
        """All is there that will be."""
        if not self._searching:
            return
        self._searching = False
        for difference in self.differences():
            log.error("%s", difference)
        log.info("%d links found", self.discovery.links())
        if not self._routed:
            self._routed = True
            Path(os.environ[READY]).touch()

    def _frame(self, at: tuple[str, int], frame: bytes) -> None:
        if frames.ethertype(frame) == LLDP:
            self.discovery.heard(frame, at)
            self._look()
        elif (request := frames.asked(frame)) and at[0] in self.switches:
            known = len(self.discovery.learned)
            if text := self.discovery.meet(request, at):
                log.warning("%s", text)
            if len(self.discovery.learned) != known:
                self._converge()
            datapath = self.switches[at[0]].datapath
            datapath.send_msg(discovery.out(datapath, at[1], frames.answer(request)))

    # -- failures and returns

    def _port(self, interface: str, up: bool, since_s: float) -> None:
        link = self._links.get(interface)
        if link is None or up is (interface not in self.down):
            return
        whole = self.whole(link)
        self.down ^= {interface}
        if whole:
            self._failed(link, since_s)
        elif self.whole(link):
            self._returned(link, since_s)

    def whole(self, link: PlannedWire) -> bool:
        """Have both ends of a link their carrier?"""
        return not {end.interface for end in link.ends} & self.down

    def _failed(self, link: PlannedWire, since_s: float) -> None:
        log.warning("%s is down", link.name)
        self._damping.failed(link.name, since_s)
        self.unused.add(link.name)
        if link.name not in self.avoided:
            self._repair(since_s + self.plan.routing.repair_after_s)

    def _returned(self, link: PlannedWire, since_s: float) -> None:
        hold_s = self._damping.hold_down_s(link.name)
        log.info("%s is up; to be used in %g s", link.name, hold_s)
        self._discover([end.node for end in link.ends])
        if link.name not in self._avoided():
            self._repair(since_s + self.plan.routing.repair_after_s)
        self._before(since_s + hold_s, lambda due_s: self._settled(link, since_s, due_s))

    def _settled(self, link: PlannedWire, since_s: float, due_s: float) -> None:
        """A link has been up for long enough, unless it has failed in the meantime."""
        if self.whole(link) and not self._damping.failed_since(link.name, since_s):
            self.unused.discard(link.name)
            self._converge(due_s)

    def _repair(self, due_s: float) -> None:
        """Have new routes at a time."""
        self._before(due_s, self._converge)

    def _before(self, due_s: float, order: Callable[[float], None]) -> None:
        """Begin in time with what is due then."""
        self._later(lead_s(due_s), lambda: order(due_s))

    def _later(self, seconds: float, order: Callable[[], None]) -> None:
        after(seconds, lambda: self._orders.put(order))

    # -- routes

    def _converge(self, due_s: float = 0.0) -> None:
        """Compute routes and install them, in three phases: the second when it is due, if that is not over."""
        if not all(switch.known for switch in self.switches.values()):
            return
        held = generations(self.switches.values())
        self.generation = next(g for g in _after(self.generation) if g not in held)
        self.avoided = set(self._avoided())
        tables = self.tables = self._tables()
        self._everywhere(partial(self._prepared, tables))
        deafen(due_s, self._touch)
        self._everywhere(partial(self._switched, tables))
        self._note(tables)
        self._later(self._longest_s(), self._clean)

    def _everywhere(self, phase: Callable[[ConnectedSwitch], Iterable[Any]]) -> None:
        if silent := self._barriers.everywhere(self.switches.values(), phase):
            log.error("no answer from %s", ", ".join(silent))

    def _touch(self) -> None:
        """Have one switch take a rule that it has."""
        self._barriers.everywhere(list(self.switches.values())[:1], self._services)

    def _avoided(self) -> set[str]:
        """The links to do without: all that are drained or unused, unless something would be cut off
        that those which are up, but drained or held down, still lead to."""
        dead = self._dark()
        for avoided in (self.unused | self.drained, self.unused):
            if self._parts(avoided) == self._parts(dead):
                return avoided
        return dead

    def _parts(self, without: set[str]) -> int:
        """Into how many parts the switches fall without some links."""
        wires = [link for name, link in self.between.items() if name not in without]
        return len(parts(self.names.values(), [(x.a.node, x.b.node) for x in wires]))

    def _tables(self) -> Tables:
        avoided = [self.between[name] for name in self.avoided]
        down = frozenset(end.interface for link in avoided for end in link.ends)
        wiring = replace(self._wiring, down=down)
        tables = route(wiring, self.plan.routing, self.generation)
        return replace(tables, rules=(*tables.rules, *self.discovery.learned.values()))

    def _prepared(self, tables: Tables, switch: ConnectedSwitch) -> Iterator[Any]:
        """Phase one: what no packet meets yet."""
        own, key = tables.of(switch.name), self._keys[switch.name]
        for group in own.groups:
            yield messages.group(switch.datapath, group, key)
        for rule in own.rules:
            if _labelled(rule):
                yield messages.flow(switch.datapath, rule, self.generation)

    def _switched(self, tables: Tables, switch: ConnectedSwitch) -> Iterator[Any]:
        """Phase two: rules that lead there."""
        for rule in tables.of(switch.name).rules:
            if not _labelled(rule):
                yield messages.flow(switch.datapath, rule, self.generation)

    def _note(self, tables: Tables) -> None:
        """Remember what switches hold now."""
        for switch in self.switches.values():
            assert switch.flows is not None
            assert switch.groups is not None
            switch.flows.add(self.generation)
            switch.groups |= {group.id for group in tables.of(switch.name).groups}
        without = f", without {', '.join(sorted(self.avoided))}" if self.avoided else ""
        log.info("generation %d: %d rules, %d groups%s", self.generation, len(tables.rules),
                 len(tables.groups), without)  # fmt: skip

    def _clean(self) -> None:
        """Phase three: delete what belongs to another generation."""
        self._barriers.everywhere(self.switches.values(), self._stale)
        for switch in self.switches.values():
            switch.flows = {self.generation}
            switch.groups = {g for g in switch.groups or () if self._current(g)}

    def _stale(self, switch: ConnectedSwitch) -> Iterator[Any]:
        for generation in sorted((switch.flows or set()) - {self.generation}):
            yield messages.no_flows_of(switch.datapath, generation)
        for number in sorted(switch.groups or (), reverse=True):
            if not self._current(number):
                yield messages.no_group(switch.datapath, number)

    def _current(self, group: int) -> bool:
        return messages.generation_of_group(group) == self.generation

    def _longest_s(self) -> float:
        """After which no packet carries an old label: every wire's delay and every queue, once."""
        bits = 8 * self.plan.frame_bytes
        spans = [end.shape for link in self.plan.long_hauls() for end in link.ends]
        return sum(x.delay_s + x.jitter_s + x.limit_packets * bits / x.rate_bps for x in spans)


def _settle(answer: Future[Answer], look: Callable[[], Answer]) -> None:
    """Whatever goes wrong is the asker's, not the worker's."""
    try:
        answer.set_result(look())
    except Exception as wrong:
        answer.set_exception(wrong)


def _labelled(rule: Rule) -> bool:
    return rule.match_mac not in (None, GATEWAY_MAC)


def parts(nodes: Iterable[str], edges: Iterable[tuple[str, str]]) -> set[frozenset[str]]:
    """The nodes that edges join, directly or not."""
    of = {node: frozenset({node}) for node in nodes}
    for a, b in edges:
        if of[a] is not of[b]:
            joined = of[a] | of[b]
            of |= dict.fromkeys(joined, joined)
    return set(of.values())


def _after(generation: int) -> Iterator[int]:
    """The generations that may follow, round in a circle."""
    for step in range(GENERATIONS):
        yield (generation + step) % GENERATIONS + 1
