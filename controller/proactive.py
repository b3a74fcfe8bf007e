"""Installs the plan's routes as each switch connects, and says when all of them have theirs.

Proactive: no packet ever waits for the controller. What is on no route is dropped, so nothing can
loop, and nothing is flooded.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

from controller.base import CONFIG_DISPATCHER, MAIN_DISPATCHER, App, ofp_event, set_ev_cls

PLAN = "LONGHAUL_PLAN"
READY = "LONGHAUL_READY"
log = logging.getLogger("longhaul.controller")


class Proactive(App):
    """One table of IPv4 prefixes per switch. Reads the plan that $LONGHAUL_PLAN names, and makes
    the file that $LONGHAUL_READY names once every switch has confirmed its rules."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plan = json.loads(Path(os.environ[PLAN]).read_text())
        self.names = {switch["dpid"]: switch["name"] for switch in plan["switches"]}
        self.rules: dict[str, list[dict[str, Any]]] = {name: [] for name in self.names.values()}
        for rule in plan["rules"]:
            self.rules[rule["switch"]].append(rule)
        self.waiting = set(self.names)

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)  # type: ignore[untyped-decorator]
    def on_switch(self, event: Any) -> None:
        """A switch has connected: give it its rules, and a barrier behind them."""
        datapath = event.msg.datapath
        name = self.names.get(datapath.id)
        if name is None:
            log.error("switch %016x is not in the plan", datapath.id)
            return
        for rule in self.rules[name]:
            datapath.send_msg(flow(datapath, rule))
        datapath.send_msg(datapath.ofproto_parser.OFPBarrierRequest(datapath))
        log.info("%s: %d rules", name, len(self.rules[name]))

    @set_ev_cls(ofp_event.EventOFPBarrierReply, [CONFIG_DISPATCHER, MAIN_DISPATCHER])  # type: ignore[untyped-decorator]
    def on_barrier(self, event: Any) -> None:
        """A switch has carried out all that was sent before."""
        self.waiting.discard(event.msg.datapath.id)
        if not self.waiting:
            Path(os.environ[READY]).touch()

    @set_ev_cls(ofp_event.EventOFPErrorMsg, [CONFIG_DISPATCHER, MAIN_DISPATCHER])  # type: ignore[untyped-decorator]
    def on_error(self, event: Any) -> None:
        """A switch would not do something: say so in the log."""
        name = self.names.get(event.msg.datapath.id)
        log.error("%s refused: type %d code %d", name, event.msg.type, event.msg.code)


def flow(datapath: Any, rule: dict[str, Any]) -> Any:
    """The flow-mod of one rule of the plan."""
    parser, ofproto = datapath.ofproto_parser, datapath.ofproto
    address, length = rule["prefix"].split("/")
    mask = (0xFFFFFFFF << (32 - int(length))) & 0xFFFFFFFF
    dotted = ".".join(str(mask >> shift & 255) for shift in (24, 16, 8, 0))
    actions = [parser.OFPActionOutput(rule["port"])]
    if rule["dst_mac"]:
        actions.insert(0, parser.OFPActionSetField(eth_dst=rule["dst_mac"]))
    return parser.OFPFlowMod(
        datapath=datapath,
        priority=100 + int(length),
        match=parser.OFPMatch(eth_type=0x0800, ipv4_dst=(address, dotted)),
        instructions=[parser.OFPInstructionActions(ofproto.OFPIT_APPLY_ACTIONS, actions)],
    )
