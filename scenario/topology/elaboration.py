"""A checked topology model to the frozen objects of `types`: defaults filled in, names given."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import NormalDist

from scenario.checks.claims import Names, check_names, claims
from scenario.text.diagnostics import InvalidInput
from scenario.text.overrides import EXPECTED, parse
from scenario.text.tree import Problems, Steps
from scenario.topology import buffering, fabrics
from scenario.topology.catalogue import accelerator
from scenario.topology.economics import economics
from scenario.topology.happenings import happenings
from scenario.topology.links import long_haul, nominal_bps
from scenario.topology.models import HostException, HostGroup, TopologyModel, Variation
from scenario.topology.routing import routing
from scenario.topology.scene import Scene
from scenario.types.topology import Campus, Event, Host, LongHaul, Topology
from scenario.workload.placement import known_places, placed_workloads

LONGEST_HOST_NAME = 10
LONGEST_INTERFACE_NAME = 15


def elaborate(written: TopologyModel, problems: Problems, files: tuple[Path, ...]) -> Topology:
    """The topology. What makes no sense on the way is added to `problems`."""
    links = tuple(long_haul(name, written, problems) for name in written.links)
    campuses = tuple(_campus(name, written, problems) for name in written.campuses)
    _check_interfaces(campuses, links, problems)
    _check_unique(campuses, problems)
    timeline = happenings(Scene(written, campuses, links, problems))
    workloads = placed_workloads(written.workloads, campuses, problems, files)
    checks = claims(written.checks, problems, ("checks",))
    names = names_of(campuses, links, timeline)
    check_names(checks, names, problems, ("checks",))
    for one in workloads:
        check_names(one.checks, names, problems, ("workloads", one.name, "checks"))
    return Topology(
        name=written.name,
        description=written.description,
        scale_bytes=written.scale.bytes,
        scale_hosts=written.scale.hosts,
        economics=economics(written.economics),
        mtu_bytes=written.mtu,
        campuses=campuses,
        links=links,
        source=str(files[-1]),
        files=tuple(str(file) for file in files),
        timeline=timeline,
        routing=routing(written.routing, written.mtu, links, problems),
        workloads=workloads,
        factors=_factors(written, problems),
        rdma=buffering.rdma(written.rdma),
        checks=checks,
    )


def names_of(
    campuses: Sequence[Campus], links: Sequence[LongHaul], timeline: Sequence[Event]
) -> Names:
    """What checks may speak of."""
    places = known_places([host for campus in campuses for host in campus.hosts])
    return Names([link.name for link in links], places, [event.name for event in timeline])


def _factors(written: TopologyModel, problems: Problems) -> dict[str, tuple[str, ...]]:
    """What switches each factor off; each text must have the form of an override."""
    for name, texts in written.factors.items():
        if not texts:
            problems.add(("factors", name), "a factor that nothing switches off", EXPECTED)
        for index, text in enumerate(texts):
            try:
                parse(text)
            except InvalidInput as error:
                message = error.diagnostics[0].message
                problems.add(("factors", name, index), message, EXPECTED)
    return {name: tuple(texts) for name, texts in written.factors.items()}


def _campus(name: str, written: TopologyModel, problems: Problems) -> Campus:
    campus = written.campuses[name]
    for index, group in enumerate(campus.hosts):
        _check_host_name(("campuses", name, "hosts", index), name, group, problems)
    hosts = tuple(host for group in campus.hosts for host in _group(name, group, written))
    wiring = fabrics.wire(name, campus.fabric, hosts, campus.oversubscription)
    rate_bps = campus.fabric.border_rate or _border_bps(name, written, hosts)
    switches, links = fabrics.with_border(name, wiring, rate_bps, campus.fabric.link_delay)
    return Campus(
        name=name,
        site=campus.site,
        latitude=campus.latitude,
        longitude=campus.longitude,
        kind=campus.fabric.kind,
        switches=switches,
        fabric_links=links,
        hosts=hosts,
        leaf_of=fabrics.deal(hosts, wiring.leaves),
        host_delay_s=campus.fabric.host_delay,
        border=f"{name}-b",
        switch_model=buffering.switch_model(campus.switch, written.switches),
        border_model=buffering.switch_model(
            campus.border_switch or campus.switch, written.switches
        ),
        generation=campus.generation,
    )


def _border_bps(name: str, written: TopologyModel, hosts: tuple[Host, ...]) -> float:
    """Enough for all long-haul links of the campus, so that its border is no bottleneck unless it is oversubscribed."""
    here = [link for link in written.links.values() if name in link.between]
    rates = [
        max(nominal_bps(link, link.forward), nominal_bps(link, link.backward)) for link in here
    ]
    whole_bps = sum(rates) or max(host.nic_bps for host in hosts)
    return whole_bps / written.campuses[name].border_oversubscription


def _label(campus: str, group: HostGroup) -> str:
    """What the names of a group's hosts have in the middle: `h100`, or short, `h1`, where they must."""
    label = group.name or group.accelerator.lower()
    if group.name or len(f"{campus}-{label}-{group.count}") <= LONGEST_HOST_NAME:
        return label
    short = re.match(r"[a-z]+[0-9]?", label)
    return short[0] if short else label


def _group(campus: str, group: HostGroup, written: TopologyModel) -> Iterator[Host]:
    model = written.accelerators[group.accelerator]
    for index in range(1, group.count + 1):
        name = f"{campus}-{_label(campus, group)}-{index}"
        own = group.exceptions.get(index, HostException())
        gpus = own.gpus or group.gpus or model.per_host
        nic_bps = own.nic or group.nic or model.nic
        yield Host(
            name=name,
            campus=campus,
            group=group.name or group.accelerator.lower(),
            accelerator=accelerator(group.accelerator, model),
            gpus=gpus,
            nic_bps=nic_bps * (own.nics or group.nics or gpus),
            intra_Bps=own.nvlink or group.nvlink or model.nvlink,
            slowdown=own.slowdown or group.slowdown * variation(name, group.variation),
        )


def variation(host: str, written: Variation | None) -> float:
    """The host's factor on top of its group's slowdown, 1 or more: drawn by the seed and its name."""
    if written is None:
        return 1.0
    # Seeded with a text, random() is the same on every machine and version of Python.
    drawn = random.Random(f"{written.seed}/{host}").random()
    if written.distribution == "half-normal":
        drawn = NormalDist().inv_cdf(0.5 + drawn / 2)
    return 1.0 + written.spread * drawn


def _check_host_name(steps: Steps, campus: str, group: HostGroup, problems: Problems) -> None:
    name = _label(campus, group)
    longest = f"{campus}-{name}-{group.count}"
    over = len(longest) - LONGEST_HOST_NAME
    if over <= 0:
        return
    message = f"the host name {longest} is too long"
    expected = f"at most {LONGEST_HOST_NAME} characters, so that its interfaces have names"
    short = name[: max(0, len(name) - over)].rstrip("-")
    named = f"give the group a shorter name, such as `name: {short}`"
    hint = named if short else "a shorter campus name, or fewer hosts in the group"
    problems.add((*steps, "name") if group.name else steps, message, expected, hint)


def _check_interfaces(
    campuses: tuple[Campus, ...], links: tuple[LongHaul, ...], problems: Problems
) -> None:
    """`<switch>-eth<port>` must fit into Linux's 15 characters."""
    for campus in campuses:
        ports = Counter(campus.leaf_of.values())
        ports.update(end for link in campus.fabric_links for end in (link.a, link.b))
        here = [link for link in links if campus.name in (link.a, link.b)]
        ports[campus.border] += sum(link.members for link in here)
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
        for name in [s.name for s in campus.switches] + [h.name for h in campus.hosts]:
            if name in owner:
                message = f"the name {name} is there twice"
                hint = f"campus {owner[name]} has it first; name a group or a campus otherwise"
                problems.add_key(("campuses", campus.name), message, hint=hint)
                break
            owner[name] = campus.name
