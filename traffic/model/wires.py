"""The wires between hosts, as the α–β model sees them: what a message occupies, and what it waits for.

Pure: from a plan alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scenario.plan import forwarding
from scenario.plan.bridging import Bridged
from scenario.plan.forwarding import Fork, Forwarding
from scenario.plan.hashing import UDP, FiveTuple
from scenario.plan.types import End, Plan, PlannedHost
from scenario.types.topology import Transport
from traffic.framing import TCP, framing
from traffic.host.ports import PORT, ROCE_PORT, source_port
from traffic.host.transport import EXPEDITED, SMALL_BYTES
from traffic.model.pinning import Pins
from traffic.model.queue_pairs import ALONE, PairCost, pair_cost
from traffic.schedule import Op, Pause

Connection = tuple[int, int, int]
"""From a rank to a rank, on a channel."""


class Lane(NamedTuple):
    """From a rank to a rank, with a DSCP: connections of one lane take the same wires.

    `number`: the how manieth connection between the two it is, where a hash of its ports decides on wires that are told
    apart; None: whichever, and then the likeliest wires.
    """

    source: int
    sink: int
    dscp: int = 0
    number: int | None = None


Schedules = Iterable[Sequence[Sequence[Op | Pause]]]


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
    """The ways between the hosts of a plan, found once each, for the packets of a transport."""

    def __init__(self, plan: Plan, transport: Transport = TCP) -> None:
        self.plan = plan
        self.framing = framing(plan, transport)
        self._roce = transport.kind == "roce"
        self._rdma = plan.rdma if self._roce else None
        self.hashed = bool(plan.groups) and not plan.bridged
        """Whether equal ways are told apart."""
        self.windowed = not self._roce
        """Whether connections that compete for a wire share it as TCP does."""
        self._forwarding = forwarding.of(plan)
        self._ends: dict[Lane, tuple[End, ...]] = {}
        self._numbers: dict[Lane, int] = {}
        self._pins: Pins | None = None
        if plan.routing.pinned and self.hashed and isinstance(self._forwarding, Forwarding):
            self._pins = Pins(plan, self._forwarding)

    def ends(self, lane: Lane) -> tuple[End, ...]:
        """The sending end of every wire of a lane. Raises LookupError where the rules lead nowhere."""
        if lane not in self._ends:
            if lane.number is None or isinstance(self._forwarding, Bridged):
                source, sink = (self.plan.hosts[rank] for rank in lane[:2])
                self._ends[lane] = self._forwarding.walk(source, sink, lane.dscp)
            else:
                self._ends[lane] = self._forwarding.take(self.connection(lane), lane.dscp)
        return self._ends[lane]

    def connection(self, lane: Lane) -> FiveTuple:
        """What switches' hashes see of the agents' connection. Queue pairs leave from the port of the line over
        which they were made."""
        return self._leaving(lane, self.number(lane))

    def number(self, lane: Lane) -> int:
        """Of the source port that the rule gives its connection: the how manieth between the two it is, unless
        connections are pinned."""
        nth = lane.number or 0
        if self._pins is None:
            return nth
        if lane not in self._numbers:
            self._numbers[lane] = self._pins.number(
                *lane[:3], nth, lambda number: self._leaving(lane, number)
            )
        return self._numbers[lane]

    def _leaving(self, lane: Lane, number: int) -> FiveTuple:
        source, sink = (self.plan.hosts[rank].ip for rank in lane[:2])
        port = source_port(source, sink, PORT, number)
        if self._roce:
            return FiveTuple(source, sink, port, ROCE_PORT, UDP)
        return FiveTuple(source, sink, port, PORT)

    def choices(self, lane: Lane) -> list[Fork]:
        """Where several ways were open to the connection, and which it takes."""
        if isinstance(self._forwarding, Bridged):
            return []
        return list(self._forwarding.choices(self.connection(lane), lane.dscp))

    def lanes(self, largest: Mapping[Connection, int]) -> dict[Connection, Lane]:
        """The lanes of connections by their largest messages; one for those between the same hosts that go the
        same way."""
        if not self.hashed:
            return {connection: lane(connection, size) for connection, size in largest.items()}
        first: dict[tuple[object, ...], Lane] = {}
        return {
            connection: first.setdefault((*at[:3], self.ends(at)), at)
            for connection, at in opened(largest).items()
        }

    def routes(self, lanes: Iterable[Lane]) -> dict[Lane, Route]:
        """The ways of some lanes, as hops: a sender's NIC, wires that several of the lanes share, and the
        slowest of the others, for that is where messages of one lane wait for each other."""
        ends = {lane: self.ends(lane) for lane in lanes}
        users: dict[str, set[Lane]] = defaultdict(set)
        for lane, path in ends.items():
            for end in path:
                users[end.interface].add(lane)
        return {
            lane: self._route(lane, path, [users[end.interface] for end in path])
            for lane, path in ends.items()
        }

    def rtt_s(self, source: int, sink: int) -> float:
        """There and back between two ranks, for a full packet and its acknowledgement that meet nobody."""
        there, back = self.ends(Lane(source, sink)), self.ends(Lane(sink, source))
        frame_s = sum(8 * self.framing.frame_bytes / end.shape.rate_bps for end in there)
        return frame_s + sum(end.shape.delay_s for end in (*there, *back))

    def pair_cost(self, lane: Lane, share_bps: float) -> PairCost:
        """What carries a lane over RDMA, with a share of its slowest wire; TCP is expected to lose nothing."""
        if self._rdma is None:
            return ALONE
        rtt_s = self.rtt_s(*lane[:2])
        return pair_cost(self.ends(lane), rtt_s, share_bps, self.framing, self._rdma)

    def _route(self, lane: Lane, path: Sequence[End], users: Sequence[set[Lane]]) -> Route:
        shared = [len(lanes) > 1 for lanes in users]
        own = [i for i in range(1, len(path)) if not shared[i]]
        slowest = min(own, key=lambda i: path[i].shape.rate_bps, default=0)
        kept = [i for i in range(len(path)) if i in (0, slowest) or shared[i]]
        pair = self.pair_cost(lane, _share_bps(path, users))
        return tuple(
            self._hop(path[here:there], pair)
            for here, there in zip(kept, [*kept[1:], len(path)], strict=True)
        )

    def _hop(self, path: Sequence[End], pair: PairCost) -> Hop:
        """The first of these wires, the others behind it."""
        first = path[0].shape
        payload_Bps = first.rate_bps / 8
        source = next((h for h in self.plan.hosts if h.name == path[0].node), None)
        if source:
            payload_Bps = min(payload_Bps, self.framing.pace_Bps(source), pair.most_Bps)
        return Hop(
            wire=path[0].interface,
            s_per_byte=pair.sent * 8 / first.rate_bps,
            s_per_payload_byte=pair.sent / payload_Bps,
            onward_s=sum(end.shape.delay_s for end in path),
            onward_s_per_byte=sum(8 / end.shape.rate_bps for end in path[1:]),
        )

    def on_wire_bytes(self, payload_bytes: int) -> int:
        """A message with the headers of its packets."""
        return self.framing.on_wire_bytes(payload_bytes)


def _share_bps(path: Sequence[End], users: Sequence[set[Lane]]) -> float:
    """What is left to one host on the wires between switches that several send over; a host sends to one at a time."""
    hosts = [1, *(len({lane[0] for lane in lanes}) for lanes in users[1:-1]), 1]
    shares = (end.shape.rate_bps / count for end, count in zip(path, hosts, strict=False))
    return min(shares)


def largest_bytes(schedules: Schedules) -> dict[Connection, int]:
    """The largest message of every connection that any of some schedules sends over."""
    largest: dict[Connection, int] = {}
    for schedule in schedules:
        for rank, ops in enumerate(schedule):
            for op in ops:
                if isinstance(op, Op) and op.kind == "send":
                    connection = (rank, op.peer, op.channel)
                    largest[connection] = max(op.size, largest.get(connection, 0))
    return largest


def lane(connection: Connection, largest: int) -> Lane:
    """The lane of a connection by its largest message: agents mark those whose messages are all small."""
    return Lane(*connection[:2], EXPEDITED if largest <= SMALL_BYTES else 0)


def opened(largest: Mapping[Connection, int]) -> dict[Connection, Lane]:
    """Connections as agents open them: those from one host to another in the order of their channels."""
    count: Counter[tuple[int, ...]] = Counter()
    found: dict[Connection, Lane] = {}
    for connection in sorted(largest):
        pair = connection[:2]
        found[connection] = lane(connection, largest[connection])._replace(number=count[pair])
        count[pair] += 1
    return found


def path(wires: Wires, source: PlannedHost, sink: PlannedHost) -> Way:
    """Along the plan's rules, in bulk. A frame is received whole before it is sent on, so each wire but the
    slowest adds one frame's time. Raises LookupError where the rules lead nowhere."""
    packets = wires.framing
    ends = wires.ends(Lane(source.rank, sink.rank))
    frame_bits = 8 * packets.frame_bytes
    slowest_bps = min(end.shape.rate_bps for end in ends)
    frames_s = sum(frame_bits / end.shape.rate_bps for end in ends) - frame_bits / slowest_bps
    delay_s = sum(end.shape.delay_s for end in ends)
    pair = wires.pair_cost(Lane(source.rank, sink.rank), slowest_bps)
    slowest_Bps = min(
        slowest_bps / 8 * packets.payload_share, packets.pace_Bps(source), pair.most_Bps
    )
    return Way(delay_s + frames_s, pair.sent / slowest_Bps)
