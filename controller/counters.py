"""Asks switches for the counters of their ports and rules, over OpenFlow.

Answers come in parts, by os-ken's thread; whoever asks waits for the last part.
"""

from __future__ import annotations

from typing import Any

from controller.base import Empty, Queue
from controller.switches import ANSWER_WITHIN_S, ConnectedSwitch
from scenario.plan.rules import generation_of_cookie

Data = dict[str, Any]
_PORT = ("rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_dropped", "tx_dropped")
LAST_PORT = 0xFFFFFF00
"""Numbers beyond are no wires. [OpenFlow 1.5.1, OFPP_MAX]"""


class CounterQuestions:
    """Questions, and the answers that have come to them."""

    def __init__(self) -> None:
        self._answers: dict[tuple[int, int], Queue[Any]] = {}

    def answered(self, message: Any) -> None:
        """A part of an answer, maybe to somebody else's question."""
        if answers := self._answers.get((message.datapath.id, message.xid)):
            answers.put(message)

    def of(self, switch: ConnectedSwitch) -> Data:
        """Of all ports and rules of a switch, since they were made; `error` where it does not answer."""
        parser, ofproto = switch.datapath.ofproto_parser, switch.datapath.ofproto
        ports = parser.OFPPortStatsRequest(switch.datapath, 0, ofproto.OFPP_ANY)
        rules = parser.OFPFlowDescStatsRequest(switch.datapath)
        try:
            return {
                "ports": [_port(x) for x in self._ask(switch, ports) if x.port_no < LAST_PORT],
                "rules": [_rule(x) for x in self._ask(switch, rules)],
            }
        except Empty:
            return {"error": f"no answer within {ANSWER_WITHIN_S:g} s"}

    def _ask(self, switch: ConnectedSwitch, request: Any) -> list[Any]:
        """Raises Empty."""
        datapath = switch.datapath
        question = (datapath.id, datapath.set_xid(request))
        answers = self._answers[question] = Queue()
        try:
            datapath.send_msg(request)
            body, more = [], True
            while more:
                part = answers.get(timeout=ANSWER_WITHIN_S)
                body += part.body
                more = bool(part.flags & datapath.ofproto.OFPMPF_REPLY_MORE)
            return body
        finally:
            del self._answers[question]


def _port(found: Any) -> Data:
    return {"port": found.port_no} | {name: getattr(found, name) for name in _PORT}


def _rule(found: Any) -> Data:
    return {
        "generation": generation_of_cookie(found.cookie),
        "priority": found.priority,
        "match": {name: _masked(value) for name, value in found.match.items()},
        "packets": found.stats["packet_count"],
        "bytes": found.stats["byte_count"],
    }


def _masked(value: Any) -> Any:
    """A value with its mask, as VALUE/MASK."""
    return "/".join(map(str, value)) if isinstance(value, tuple) else value
