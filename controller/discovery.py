"""What is really there: links by LLDP, hosts by their ARP, checked against the plan by name.

Each switch sends one LLDP frame out of every port towards a switch, when the fabric starts and when
a link returns; whoever gets it hands it to the controller. There is no periodic chatter: a port's
carrier says when something has changed. [IEEE 802.1AB]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from controller.frames import Asked, Place, lldp, sender_of
from scenario.plan.rules import Rule
from scenario.plan.types import Plan

SERVICE_COOKIE = 0x6C6C6470_00000000
SERVICE_PRIORITY = 2000


class Discovery:
    """Compares what is heard with a plan."""

    def __init__(self, plan: Plan) -> None:
        self._planned: dict[Place, Place] = {}
        self._macs = {
            switch.name: (b"\x0e\x4d" + switch.dpid.to_bytes(4, "big")).hex(":")
            for switch in plan.switches
        }
        self._hosts: dict[str, tuple[str, Place]] = {}
        self._prefixes = {switch.prefix.rpartition(".")[0]: switch.name for switch in plan.switches}
        self._names: dict[Place, str] = {}
        self.heard_at: dict[Place, Place] = {}
        """Which sender LLDP was heard of, by where."""
        self.learned: dict[str, Rule] = {}
        """Rules for hosts that no plan knows, by address."""
        hosts = {host.name: host for host in plan.hosts + plan.probes}
        for link in plan.wires:
            a, b = ((end.node, end.port) for end in link.ends)
            if host := hosts.get(link.a.node):
                self._hosts[host.ip] = (host.name, b)
            else:
                self._planned |= {a: b, b: a}
                self._names |= {a: link.name, b: link.name}

    def probes(self, switch: str) -> Iterator[tuple[int, bytes]]:
        """The ports of a switch that lead to switches, each with the frame to be sent out there."""
        for name, port in self._planned:
            if name == switch:
                yield port, lldp(self._macs[switch], switch, port)

    def heard(self, frame: bytes, at: Place) -> None:
        """An LLDP frame has come in."""
        if sender := sender_of(frame):
            self.heard_at[at] = sender

    def differences(self, dark: set[str]) -> Iterator[str]:
        """What is otherwise than planned, a line each; links in `dark` are known to be down."""
        for at, wanted in self._planned.items():
            found = self.heard_at.get(at)
            if found != wanted and self._names[at] not in dark:
                there = f"{found[0]} port {found[1]}" if found else "nobody"
                yield (
                    f"{self._names[at]}: {at[0]} port {at[1]} hears {there}, "
                    f"planned is {wanted[0]} port {wanted[1]}"
                )
        for at in sorted(set(self.heard_at) - set(self._planned)):
            yield f"{at[0]} port {at[1]} hears {self.heard_at[at][0]}, where no link is planned"

    def links(self) -> int:
        """How many links have been heard, in both directions."""
        return sum(self.heard_at.get(far) == near for near, far in self.heard_at.items()) // 2

    def meet(self, request: Asked, at: Place) -> str | None:
        """Somebody asks at a place: what is to be said about that. A host that no plan knows is
        learned, where its address belongs to the switch."""
        if request.ip in self._hosts:
            name, planned = self._hosts[request.ip]
            if planned == at:
                return None
            return f"{name} is at {at[0]} port {at[1]}, planned is {planned[0]} port {planned[1]}"
        owner = self._prefixes.get(request.ip.rpartition(".")[0])
        if owner != at[0]:
            belongs = f"belongs to {owner}" if owner else "belongs nowhere"
            return f"a host {request.ip} is at {at[0]} port {at[1]}, but its address {belongs}"
        rule = Rule(at[0], f"{request.ip}/32", at[1], request.mac)
        if self.learned.get(request.ip) == rule:
            return None
        self.learned[request.ip] = rule
        return f"learned: host {request.ip} at {at[0]} port {at[1]}"


def to_controller(datapath: Any, ethertype: int) -> Any:
    """The rule that hands frames of a type to the controller, whole."""
    parser, ofproto = datapath.ofproto_parser, datapath.ofproto
    action = parser.OFPActionOutput(ofproto.OFPP_CONTROLLER, ofproto.OFPCML_NO_BUFFER)
    return parser.OFPFlowMod(
        datapath=datapath,
        cookie=SERVICE_COOKIE,
        priority=SERVICE_PRIORITY,
        match=parser.OFPMatch(eth_type=ethertype),
        instructions=[parser.OFPInstructionActions(ofproto.OFPIT_APPLY_ACTIONS, [action])],
    )


def out(datapath: Any, port: int, frame: bytes) -> Any:
    """Send a frame out of a port."""
    parser, ofproto = datapath.ofproto_parser, datapath.ofproto
    return parser.OFPPacketOut(
        datapath=datapath,
        buffer_id=ofproto.OFP_NO_BUFFER,
        match=parser.OFPMatch(in_port=ofproto.OFPP_CONTROLLER),
        actions=[parser.OFPActionOutput(port)],
        data=frame,
    )
