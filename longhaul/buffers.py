"""Switches with a known buffer and adapters for RDMA: what they make of a plan's interfaces, and of loss. Pure.

In: the topology's models and a plan's wires. Out: the same wires with ports where buffers are counted in bytes, all
sizes divided by `scale.bytes`. The formulas are in docs/rdma.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from scenario.plan.headroom import headroom_bytes
from scenario.plan.types import (
    ETHERNET_HEADER,
    WIDEST_WINDOW,
    End,
    PlannedRdma,
    PlannedSwitch,
    PlannedWire,
    Port,
    Shape,
)
from scenario.text.diagnostics import InvalidInput, Place, Source, complain
from scenario.types.impairments import IMPAIRMENTS
from scenario.types.topology import (
    Change,
    Direction,
    LongHaul,
    Pausing,
    SwitchModel,
    Topology,
)

LOSING = ("loss", "corruption")
OF_PORT = (*LOSING, "loss_correlation")
"""The impairments that a port has; what is corrupted it loses."""
ROCE_MTU = 4096
"""Bytes of payload in a full packet of RoCE: the largest that InfiniBand knows."""
LEAST_QUEUE = 10
"""Packets."""
DCQCN_BYTES = 10e6
"""The byte counter of DCQCN. [Zhu et al., SIGCOMM 2015, figure 14]"""


def rdma(topology: Topology) -> PlannedRdma | None:
    """What the adapters are set to; None where they are not for RDMA."""
    asked = topology.rdma
    if asked is None:
        return None
    window = asked.window_bytes and asked.window_bytes / topology.scale_bytes / ROCE_MTU
    return PlannedRdma(
        congestion=asked.congestion,
        window_packets=max(1, round(window)) if window else WIDEST_WINDOW,
        byte_counter=round(DCQCN_BYTES / topology.scale_bytes),
        checked=_corrupts(topology),
        iwarp=asked.iwarp,
    )


def _corrupts(topology: Topology) -> bool:
    """Whether packets may arrive with a flipped bit, so that somebody must look."""
    ways = (way for link in topology.links for way in (link.forward, link.backward))
    changes = (change for event in topology.timeline for change in event.changes)
    return any(way.corruption for way in ways) or any(
        way.get("corruption") for change in changes for way in (change.forward, change.backward)
    )


# --- loss ----------------------------------------------------------------------------------------


def of_many(share: float, packets: float) -> float:
    """The probability that at least one of many packets is met by what meets each with probability `share`."""
    return -math.expm1(packets * math.log1p(-share)) if share < 1 else 1.0


def with_loss_of_many(topology: Topology) -> Topology:
    """Every packet stands for `scale.bytes` of the real ones: it is lost if one of them would be. Go-back-N then
    costs what it costs at full scale, as p x BDP is the same."""
    scale = topology.scale_bytes
    links = (
        replace(
            link, forward=_lossier(link.forward, scale), backward=_lossier(link.backward, scale)
        )
        for link in topology.links
    )
    timeline = (
        replace(event, changes=tuple(_changed(change, scale) for change in event.changes))
        for event in topology.timeline
    )
    return replace(topology, links=tuple(links), timeline=tuple(timeline))


def _lossier(way: Direction, scale: float) -> Direction:
    return replace(way, loss=of_many(way.loss, scale), corruption=of_many(way.corruption, scale))


def _changed(change: Change, scale: float) -> Change:
    return replace(
        change, forward=_more(change.forward, scale), backward=_more(change.backward, scale)
    )


def _more(way: Mapping[str, float], scale: float) -> dict[str, float]:
    return {key: of_many(x, scale) if key in LOSING else x for key, x in way.items()}


# --- buffers -------------------------------------------------------------------------------------


def with_ports(
    topology: Topology, switches: Sequence[PlannedSwitch], wires: Sequence[PlannedWire]
) -> tuple[PlannedWire, ...]:
    """The wires with ports at the adapters, at the switches whose model is known, and where RoCE's packets may be
    torn. Raises InvalidInput."""
    if not topology.rdma and not any(x.switch_model or x.border_model for x in topology.campuses):
        return tuple(wires)
    models = _models(topology)
    pools = {switch.name: switch.dpid for switch in switches}
    built = [
        _Switch(topology, name, model, pools[name], wires)
        for name, model in models.items()
        if model
    ]
    frame_bytes = topology.mtu_bytes + ETHERNET_HEADER
    ports = dict(_tearing(topology, wires, frame_bytes)) if topology.rdma else {}
    ports |= {end.index: port for switch in built for end, port in switch.ports.items()}
    return tuple(_ported(wire, ports, frame_bytes) for wire in wires)


def _models(topology: Topology) -> dict[str, SwitchModel | None]:
    return {
        switch.name: campus.border_model if switch.name == campus.border else campus.switch_model
        for campus in topology.campuses
        for switch in campus.switches
    }


def _tearing(
    topology: Topology, wires: Sequence[PlannedWire], frame_bytes: int
) -> Iterator[tuple[int, Port]]:
    """The ends of long-haul links that lose packets: a port knows of how many only some are lost. Its queue is as
    long as netem's would be."""
    links = _only_losing(topology)
    for wire in wires:
        if wire.kind == "long-haul" and (wire.bundle or wire.name) in links:
            for end in wire.ends:
                shape = end.shape
                room = shape.limit_packets * frame_bytes - shape.rate_bps * shape.delay_s / 8
                limit = max(round(room), LEAST_QUEUE * frame_bytes)
                yield end.index, Port(limit_bytes=limit, stands_for=topology.scale_bytes)


def _only_losing(topology: Topology) -> set[str]:
    """The links that lose packets, from the start or later, and never do to them what a port does not."""
    ways = {link.name: [*_impairments(link)] for link in topology.links}
    for event in topology.timeline:
        for change in event.changes:
            ways[change.link] += [change.forward, change.backward]
    hit = {
        name: {key for way in met for key, x in way.items() if x and key in IMPAIRMENTS}
        for name, met in ways.items()
    }
    return {name for name, keys in hit.items() if keys & set(LOSING) and keys <= set(OF_PORT)}


def _impairments(link: LongHaul) -> Iterator[Mapping[str, float]]:
    yield link.forward.impairments
    yield link.backward.impairments


def _ported(wire: PlannedWire, ports: Mapping[int, Port], frame_bytes: int) -> PlannedWire:
    near = Port() if wire.kind == "host" else ports.get(wire.a.index)
    far = ports.get(wire.b.index)
    return replace(wire, a=_queued(wire.a, near, frame_bytes), b=_queued(wire.b, far, frame_bytes))


def _queued(end: End, port: Port | None, frame_bytes: int) -> End:
    if port is None:
        return end
    shape = end.shape
    limit = shape.limit_packets
    if port.pool:
        in_flight = shape.rate_bps * shape.delay_s / 8
        limit = max(1, math.ceil((port.most_bytes + in_flight) / frame_bytes))
    lost = 1 - (1 - shape.loss) * (1 - shape.corruption)
    return replace(
        end, shape=replace(shape, limit_packets=limit, loss=lost, corruption=0.0, port=port)
    )


@dataclass(frozen=True)
class _Switch:
    """One switch with its model and its wires."""

    topology: Topology
    name: str
    model: SwitchModel
    pool: int
    wires: Sequence[PlannedWire]

    @property
    def ports(self) -> dict[End, Port]:
        """The port at each of its ends. Raises InvalidInput where headroom takes more than the buffer."""
        ends = dict(self._ends())
        pausing = {end: self._pausing(end, other) for end, other in ends.items()}
        for end in ends:
            self._check_even(end.shape)
        reserved = sum(
            lossless.bit_count() * (xoff + headroom)
            for lossless, xoff, _, headroom in pausing.values()
        )
        buffer = self.model.buffer_bytes / self.topology.scale_bytes
        if reserved >= buffer:
            taken = _megabytes(reserved * self.topology.scale_bytes)
            self._complain(
                f"the headroom of {self.name}'s {len(ends)} ports takes {taken}"
                f" of a buffer of {_megabytes(self.model.buffer_bytes)} ({self.model.name})",
                "a larger buffer, less headroom, shorter links or fewer lossless classes",
            )
        return {end: self._port(round(buffer - reserved), *pausing[end]) for end in ends}

    def _ends(self) -> Iterable[tuple[End, End]]:
        """Its ends, each with the other end of the link."""
        for wire in self.wires:
            a, b = wire.ends
            if a.node == self.name:
                yield a, b
            if b.node == self.name:
                yield b, a

    def _port(self, shared: int, lossless: int, xoff: int, xon: int, headroom: int) -> Port:
        scale, marking = self.topology.scale_bytes, self.model.marking
        return Port(
            pool=self.pool,
            pool_bytes=shared,
            alpha=self.model.alpha,
            mark_min_bytes=round(marking.min_bytes / scale) if marking else 0,
            mark_max_bytes=max(1, round(marking.max_bytes / scale)) if marking else 0,
            mark_probability=of_many(marking.probability, scale) if marking else 0.0,
            lossless=lossless,
            xoff_bytes=xoff,
            xon_bytes=xon,
            headroom_bytes=headroom,
            stands_for=scale if self.topology.rdma else 1.0,
        )

    def _pausing(self, end: End, other: End) -> tuple[int, int, int, int]:
        """The lossless classes as bits, XOFF, XON and headroom of one port."""
        asked, scale = self.model.pausing, self.topology.scale_bytes
        if asked is None:
            return 0, 0, 0, 0
        lossless = sum(1 << one for one in set(asked.classes))
        xoff, xon = round(asked.xoff_bytes / scale), round(asked.xon_bytes / scale)
        return lossless, xoff, xon, math.ceil(self._headroom(asked, end, other))

    def _headroom(self, asked: Pausing, end: End, other: End) -> float:
        frame = self.topology.mtu_bytes + ETHERNET_HEADER
        if asked.headroom_bytes is not None:
            return asked.headroom_bytes / self.topology.scale_bytes
        return headroom_bytes(end.shape, other.shape, frame)

    def _check_even(self, shape: Shape) -> None:
        """Complain of impairments that a port, unlike netem, knows nothing of."""
        others = {name: value for name, value in shape.impairments.items() if name not in OF_PORT}
        if named := [name.removesuffix("_s") for name, value in others.items() if value]:
            self._complain(
                f"a link of {self.name} has {' and '.join(named)}, which a switch with a known buffer"
                f" ({self.model.name}) is not emulated with",
                f"no {' and no '.join(f'`{name}`' for name in named)} there, or no model of switch",
            )

    def _complain(self, message: str, expected: str) -> None:
        place = Place(Source(self.topology.source))
        raise InvalidInput([complain(place, message, expected=expected)])


def _megabytes(size: float) -> str:
    return f"{size / 1e6:.3g} MB"
