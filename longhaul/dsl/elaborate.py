"""A checked topology model to the frozen objects of `types`: defaults filled in, names given."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from . import fabrics
from .aging import Aged, Span, aged, oldest_age_s
from .catalogue import accelerator
from .models import CampusModel, Effects, HostGroup, Link, TopologyModel
from .tree import Problems, Steps
from .types import Campus, Direction, Host, LongHaul, Topology

# Light in standard fibre: group index 1.4682 over c.
FIBRE_S_PER_M = 1.4682 / 299_792_458
LONGEST_HOST_NAME = 10
LONGEST_INTERFACE_NAME = 15
# A link that loses more than this is down, whatever its rate.
MOST_LOSS = 0.5
# Less than one packet in a billion: no run is long enough to meet it.
NEGLIGIBLE_LOSS = 1e-9


def elaborate(written: TopologyModel, problems: Problems, path: Path) -> Topology:
    """The topology. What makes no sense on the way is added to `problems`."""
    links = tuple(
        _long_haul(name, link, written.mtu, problems) for name, link in written.links.items()
    )
    campuses = tuple(
        _campus(name, campus, written, problems) for name, campus in written.campuses.items()
    )
    _check_interfaces(campuses, links, problems)
    _check_unique(campuses, problems)
    return Topology(
        name=written.name,
        description=written.description,
        scale_bytes=written.scale.bytes,
        mtu_bytes=written.mtu,
        campuses=campuses,
        links=links,
        source=str(path),
    )


def _campus(name: str, campus: CampusModel, written: TopologyModel, problems: Problems) -> Campus:
    hosts = tuple(
        host
        for index, group in enumerate(campus.hosts)
        for host in _group(("campuses", name, "hosts", index), group, written, problems)
    )
    wiring = fabrics.wire(name, campus.fabric, hosts)
    rate_bps = campus.fabric.border_rate or _border_bps(name, written, hosts)
    switches, links = fabrics.with_border(name, wiring, rate_bps, campus.fabric.link_delay)
    return Campus(
        name=name,
        site=campus.site,
        latitude=None,
        longitude=None,
        kind=campus.fabric.kind,
        switches=switches,
        fabric_links=links,
        hosts=hosts,
        leaf_of=fabrics.deal(hosts, wiring.leaves),
        host_delay_s=campus.fabric.host_delay,
        border=f"{name}-b",
    )


def _border_bps(name: str, written: TopologyModel, hosts: tuple[Host, ...]) -> float:
    """Enough for all long-haul links of the campus, so that its border is never the bottleneck."""
    here = [link for link in written.links.values() if name in link.between]
    rates = [
        max(_nominal_bps(link, link.forward), _nominal_bps(link, link.backward)) for link in here
    ]
    return sum(rates) or max(host.nic_bps for host in hosts)


def _group(
    steps: Steps, group: HostGroup, written: TopologyModel, problems: Problems
) -> tuple[Host, ...]:
    campus = str(steps[1])
    model = written.accelerators[group.accelerator]
    gpus = group.gpus or model.per_host
    name = group.name or group.accelerator.lower()
    _check_host_name(steps, f"{campus}-{name}-{group.count}", group, problems)
    return tuple(
        Host(
            name=f"{campus}-{name}-{index}",
            campus=campus,
            group=name,
            accelerator=accelerator(group.accelerator, model),
            gpus=gpus,
            nic_bps=(group.nic or model.nic) * (group.nics or gpus),
            intra_Bps=group.nvlink or model.nvlink,
            slowdown=group.slowdown,
        )
        for index in range(1, group.count + 1)
    )


def _check_host_name(steps: Steps, longest: str, group: HostGroup, problems: Problems) -> None:
    over = len(longest) - LONGEST_HOST_NAME
    if over <= 0:
        return
    name = group.name or group.accelerator.lower()
    message = f"the host name {longest} is too long"
    expected = f"at most {LONGEST_HOST_NAME} characters, so that its interfaces have names"
    short = name[: max(0, len(name) - over)].rstrip("-")
    hint = f"give the group a shorter name, such as `name: {short}`" if short else ""
    problems.add((*steps, "name") if group.name else steps, message, expected, hint)


def _long_haul(name: str, link: Link, mtu_bytes: int, problems: Problems) -> LongHaul:
    distance_m = link.distance or (link.delay or 0.0) / FIBRE_S_PER_M
    span = Span(distance_m, link.age, link.condition, link.margin)
    state = aged(span, link.aging, mtu_bytes)
    directions = [_direction(link, way, distance_m, state) for way in (link.forward, link.backward)]
    if state.packet_loss > MOST_LOSS and any(way.loss > MOST_LOSS for way in directions):
        _complain_down(("links", name), link, span, state, problems)
    return LongHaul(
        name=name,
        a=link.between[0],
        b=link.between[1],
        distance_m=distance_m,
        age_s=link.age,
        condition=link.condition,
        forward=directions[0],
        backward=directions[1],
    )


def _complain_down(steps: Steps, link: Link, span: Span, state: Aged, problems: Problems) -> None:
    oldest = round(oldest_age_s(span, link.aging) / 31557600, 1)
    message = f"a link this old is down: it loses {state.packet_loss:.0%} of its packets"
    hint = "less age, more margin, a drier cable" + (", or `aging: step`" * (link.aging == "loss"))
    problems.add((*steps, "age"), message, f"an age under {oldest:g}y for this span", hint)


def _direction(link: Link, way: Effects, distance_m: float, state: Aged) -> Direction:
    """What is said of the direction, else of the link, else by physics and age."""
    modelled_loss = state.packet_loss if state.packet_loss >= NEGLIGIBLE_LOSS else 0.0
    return Direction(
        rate_bps=_nominal_bps(link, way) * state.rate_share,
        delay_s=_first(way.delay, link.delay, distance_m * FIBRE_S_PER_M),
        jitter_s=_first(way.jitter, link.jitter, 0.0),
        loss=_first(way.loss, link.loss, modelled_loss),
        loss_correlation=_first(way.loss_correlation, link.loss_correlation, 0.0),
        corruption=_first(way.corruption, link.corruption, 0.0),
        reorder=_first(way.reorder, link.reorder, 0.0),
        queue_bytes=way.queue if way.queue is not None else link.queue,
    )


def _nominal_bps(link: Link, way: Effects) -> float:
    return _first(way.rate, link.rate, 0.0)


def _first(*choices: float | None) -> float:
    """The first choice that was made."""
    return next(choice for choice in choices if choice is not None)


def _check_interfaces(
    campuses: tuple[Campus, ...], links: tuple[LongHaul, ...], problems: Problems
) -> None:
    """`<switch>-eth<port>` must fit into Linux's 15 characters."""
    for campus in campuses:
        ports = Counter(campus.leaf_of.values())
        ports.update(end for link in campus.fabric_links for end in (link.a, link.b))
        ports.update(campus.border for link in links if campus.name in (link.a, link.b))
        for switch in campus.switches:
            longest = f"{switch.name}-eth{ports[switch.name]}"
            if len(longest) > LONGEST_INTERFACE_NAME:
                message = f"the interface name {longest} is too long"
                expected = f"at most {LONGEST_INTERFACE_NAME} characters"
                hint = "a shorter campus name, or a shorter switch name"
                problems.add_key(("campuses", campus.name), message, expected, hint)
                break


def _check_unique(campuses: tuple[Campus, ...], problems: Problems) -> None:
    owner: dict[str, str] = {}
    for campus in campuses:
        for name in [switch.name for switch in campus.switches] + [h.name for h in campus.hosts]:
            if owner.setdefault(name, campus.name) != campus.name:
                message = f"{name} is a name in campus {owner[name]} too"
                problems.add_key(("campuses", campus.name), message, hint="rename the campus")
                break
