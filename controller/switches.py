"""The switches as the controller knows them: who is connected, which ports are down, what they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from controller.base import Empty, Queue
from controller.messages import generation_of_group
from scenario.plan.rules import generation_of_cookie

ANSWER_WITHIN_S = 5.0


@dataclass
class ConnectedSwitch:
    """A connected switch. `flows` are the generations of its rules, `groups` the numbers of its
    groups; both are None until it has told what it held when it connected."""

    name: str
    datapath: Any
    flows: set[int] | None = None
    groups: set[int] | None = None

    @property
    def known(self) -> bool:
        """Has it told what it holds?"""
        return self.flows is not None and self.groups is not None

    def send(self, messages: Iterable[Any]) -> None:
        """Send messages in order."""
        for message in messages:
            self.datapath.send_msg(message)

    def ask(self, answers: Answers) -> None:
        """Ask what it holds; `answers` remember which questions these were."""
        parser = self.datapath.ofproto_parser
        every_group = self.datapath.ofproto.OFPG_ALL
        requests = (parser.OFPFlowDescStatsRequest(self.datapath),
                    parser.OFPGroupStatsRequest(self.datapath, 0, every_group))  # fmt: skip
        answers.asked |= {self.datapath.set_xid(request) for request in requests}
        self.send(requests)

    def ports(self) -> Iterator[tuple[str, bool]]:
        """Interfaces by name, and whether each is up."""
        for port in self.datapath.ports.values():
            yield port.name.decode(), is_up(port, self.datapath.ofproto)


def is_up(port: Any, ofproto: Any) -> bool:
    """Has a port its carrier, and has nobody set it down?"""
    return not (port.state & ofproto.OFPPS_LINK_DOWN or port.config & ofproto.OFPPC_PORT_DOWN)


@dataclass
class Answers:
    """Collects what a switch holds from the parts of its answers, to the questions `asked`."""

    asked: set[int] = field(default_factory=set)
    flows: set[int] = field(default_factory=set)
    groups: set[int] = field(default_factory=set)

    def take_flows(self, body: Iterable[Any]) -> None:
        """A part of the rules."""
        found = (generation_of_cookie(flow.cookie) for flow in body)
        self.flows |= {generation for generation in found if generation is not None}

    def take_groups(self, body: Iterable[Any]) -> None:
        """A part of the groups."""
        self.groups |= {group.group_id for group in body}


def generations(switches: Iterable[ConnectedSwitch]) -> set[int]:
    """All generations that switches hold anything of."""
    found: set[int] = set()
    for switch in switches:
        found |= switch.flows or set()
        found |= {generation_of_group(number) for number in switch.groups or ()}
    return found


class Barriers:
    """Waits until switches have carried out all that was sent to them."""

    def __init__(self) -> None:
        self._passed: Queue[tuple[str, int]] = Queue()

    def passed(self, switch: str, xid: int) -> None:
        """A switch has answered a barrier."""
        self._passed.put((switch, xid))

    def everywhere(
        self,
        switches: Iterable[ConnectedSwitch],
        messages: Callable[[ConnectedSwitch], Iterable[Any]],
    ) -> list[str]:
        """Send each switch its messages and wait for all; the names of those that did not answer."""
        waiting = {}
        for switch in switches:
            switch.send(messages(switch))
            barrier = switch.datapath.ofproto_parser.OFPBarrierRequest(switch.datapath)
            switch.datapath.set_xid(barrier)
            waiting[switch.name] = barrier.xid
            switch.send([barrier])
        while waiting:
            try:
                name, xid = self._passed.get(timeout=ANSWER_WITHIN_S)
            except Empty:
                break
            if waiting.get(name) == xid:
                del waiting[name]
        return list(waiting)
