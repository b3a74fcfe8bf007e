"""The wires between hosts, as the α–β model sees them: what a message occupies, and what it waits for.

Pure: from a plan alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from longhaul.fabric.plan import ETHERNET_HEADER, TCP_IP_HEADERS, End, Plan, PlannedHost

Pair = tuple[int, int]


@dataclass(frozen=True)
class Way:
    """From one host to another: seconds until the last frame of a message is there after it has
    left the slowest wire (α), and seconds per payload byte on that wire, or at the sender's pace (β)."""

    alpha_s: float
    beta_s_per_byte: float


@dataclass(frozen=True)
class Hop:
    """A wire at which messages may have to wait for each other, and all that comes before the next such
    wire: `onward_s` of delay, and wires that take `onward_s_per_byte` for a frame to pass.

    A byte on the wire takes `s_per_byte`; a byte of payload at least `s_per_payload_byte`, which is more
    where the sender paces.
    """

    wire: str
    s_per_byte: float
    s_per_payload_byte: float
    onward_s: float
    onward_s_per_byte: float


Route = tuple[Hop, ...]


class Wires:
    """The ways between the hosts of a plan, found once each."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.segment_bytes = plan.mtu_bytes - TCP_IP_HEADERS
        self._forwarding = plan.forwarding
        self._ends: dict[Pair, tuple[End, ...]] = {}

    def ends(self, pair: Pair) -> tuple[End, ...]:
        """The sending end of every wire from one rank to another. Raises LookupError where the rules lead
        nowhere."""
        if pair not in self._ends:
            source, sink = (self.plan.hosts[rank] for rank in pair)
            self._ends[pair] = self._forwarding.walk(source, sink)
        return self._ends[pair]

    def routes(self, pairs: Iterable[Pair]) -> dict[Pair, Route]:
        """The ways between some pairs, as hops: a sender's NIC, wires that several of the pairs share, and
        the slowest of the others, for that is where messages of one pair wait for each other."""
        ends = {pair: self.ends(pair) for pair in pairs}
        users: dict[str, set[Pair]] = defaultdict(set)
        for pair, path in ends.items():
            for end in path:
                users[end.interface].add(pair)
        return {
            pair: self._route(path, [len(users[end.interface]) > 1 for end in path])
            for pair, path in ends.items()
        }

    def _route(self, path: Sequence[End], shared: Sequence[bool]) -> Route:
        own = [i for i in range(1, len(path)) if not shared[i]]
        slowest = min(own, key=lambda i: path[i].shape.rate_bps, default=0)
        kept = [i for i in range(len(path)) if i in (0, slowest) or shared[i]]
        return tuple(
            self._hop(path[here:there])
            for here, there in zip(kept, [*kept[1:], len(path)], strict=True)
        )

    def _hop(self, path: Sequence[End]) -> Hop:
        """The first of these wires, the others behind it."""
        first = path[0].shape
        payload_Bps = first.rate_bps / 8
        source = next((h for h in self.plan.hosts if h.name == path[0].node), None)
        if source:
            payload_Bps = min(payload_Bps, pacing_Bps(self.plan, source))
        return Hop(
            wire=path[0].interface,
            s_per_byte=8 / first.rate_bps,
            s_per_payload_byte=1 / payload_Bps,
            onward_s=sum(end.shape.delay_s for end in path),
            onward_s_per_byte=sum(8 / end.shape.rate_bps for end in path[1:]),
        )

    def on_wire_bytes(self, payload_bytes: int) -> int:
        """A message with the headers of its packets."""
        packets = -(-payload_bytes // self.segment_bytes)
        return payload_bytes + packets * (ETHERNET_HEADER + TCP_IP_HEADERS)


def path(plan: Plan, source: PlannedHost, sink: PlannedHost) -> Way:
    """Along the plan's rules. A frame is received whole before it is sent on, so each wire but the
    slowest adds one frame's time. Raises LookupError where the rules lead nowhere."""
    ends = Wires(plan).ends((source.rank, sink.rank))
    frame_bits = 8 * plan.frame_bytes
    slowest_bps = min(end.shape.rate_bps for end in ends)
    frames_s = sum(frame_bits / end.shape.rate_bps for end in ends) - frame_bits / slowest_bps
    delay_s = sum(end.shape.delay_s for end in ends)
    slowest_Bps = min(slowest_bps / 8 * plan.payload_share, pacing_Bps(plan, source))
    return Way(delay_s + frames_s, 1 / slowest_Bps)


def pacing_Bps(plan: Plan, host: PlannedHost) -> float:
    """Payload per second that a host's NIC has room for, beside an acknowledgement of every packet
    that comes in meanwhile.

    Agents pace their connections at it. A NIC holds its host back; netem takes whatever it is
    given, and what the host acknowledges would wait behind a whole chunk.
    """
    acknowledgement = (ETHERNET_HEADER + TCP_IP_HEADERS) / plan.frame_bytes
    return host.nic_bps / 8 * plan.payload_share * (1 - acknowledgement)
