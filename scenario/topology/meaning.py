"""Does a well-formed topology make sense? Checks that need no elaboration, each a function.

References (a campus, an accelerator that is named) are checked on the tree itself, so that they are
told together with what is wrong in the form. The rest needs the model.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import partial

from scenario.text.diagnostics import Diagnostic, nearest, one_of
from scenario.text.tree import Listing, Mapping, Node, Problems, Scalar, Steps, at, texts
from scenario.topology import buffering
from scenario.topology.fabrics import leaf_count, port_count
from scenario.topology.geography import straight_line_m
from scenario.topology.models import (
    MOST_HOSTS,
    MOST_HOSTS_PER_LEAF,
    MOST_LEAVES,
    MOST_PORTS,
    CampusModel,
    Explicit,
    Fabric,
    FatTree,
    LeafSpine,
    TopologyModel,
)
from scenario.topology.scene import matching


def check_references(problems: Problems) -> None:
    """Names of accelerators, campuses, templates and kinds that nothing defines."""
    _check_nesting(problems)
    root = problems.root
    accelerators = texts(at(root, "accelerators"))
    for campus in texts(at(root, "campuses")):
        groups = at(root, "campuses", campus, "hosts")
        for index in range(len(groups.items) if isinstance(groups, Listing) else 0):
            steps: Steps = ("campuses", campus, "hosts", index, "accelerator")
            _known(problems, steps, "accelerator", accelerators)
        for key in ("switch", "border-switch"):
            known = texts(at(root, "switches"))
            _known(problems, ("campuses", campus, key), "model of switch", known)
        _known(problems, ("campuses", campus, "template"), "template", texts(at(root, "templates")))
        _known_year(problems, ("campuses", campus, "generation"))
    campuses = texts(at(root, "campuses"))
    kinds = texts(at(root, "kinds", "links"))
    if isinstance(at(root, "links"), Mapping) and campuses:
        for link in texts(at(root, "links")):
            _check_ends(problems, ("links", link, "between"), campuses)
            _known(problems, ("links", link, "kind"), "kind of link", kinds)
            _known_year(problems, ("links", link, "generation"))
    _check_events(problems, campuses)


def _check_events(problems: Problems, campuses: list[str]) -> None:
    """Events of links and campuses that are not there. (Hosts have no names yet.)"""
    events = at(problems.root, "timeline")
    links = texts(at(problems.root, "links"))
    for index in range(len(events.items) if isinstance(events, Listing) else 0):
        _known(problems, ("timeline", index, "campus"), "campus", campuses)
        steps: Steps = ("timeline", index, "link")
        named = at(problems.root, *steps)
        if isinstance(named, Scalar) and not matching(named.text, links):
            hint = partial(nearest, named.text, links)
            problems.add(steps, "no link is called so", one_of(links) or "a link", hint)


def _check_nesting(problems: Problems) -> None:
    """What is inherited does not itself inherit, so it may not say from what."""
    sections: list[tuple[Steps, str]] = [
        (("templates",), "template"),
        (("kinds", "links"), "kind"),
        (("kinds", "hosts"), "accelerator"),
    ]
    for section, key in sections:
        for name in texts(at(problems.root, *section)):
            if at(problems.root, *section, name, key) is not None:
                message = f"`{key}` cannot be said here"
                hint = "this is inherited from, and does not itself inherit"
                problems.add_key((*section, name, key), message, hint=hint)


def without_consequences(found: list[Diagnostic]) -> list[Diagnostic]:
    """Less what is missing only because the template or kind that should bring it is unknown."""
    causes = ("unknown template", "unknown kind of link")
    owners = {d.path.rpartition(".")[0] for d in found if d.message in causes}
    return [d for d in found if "is missing" not in d.message or owners.isdisjoint(_above(d.path))]


def _above(path: str) -> Iterator[str]:
    """The paths of the mappings that a path goes through."""
    while path:
        path = path.rpartition(".")[0]
        yield path


def _check_ends(problems: Problems, steps: Steps, campuses: list[str]) -> None:
    ends = at(problems.root, *steps)
    for index in range(len(ends.items) if isinstance(ends, Listing) else 0):
        _known(problems, (*steps, index), "campus", campuses)
    names = texts(ends)
    if len(names) == 2 and names[0] == names[1] and names[0] in campuses:
        problems.add(steps, "a link from a campus to itself", "two campuses")


def _known(problems: Problems, steps: Steps, what: str, known: list[str]) -> None:
    node: Node | None = at(problems.root, *steps)
    if isinstance(node, Scalar) and isinstance(node.value, str) and node.value not in known:
        name = node.value
        problems.add(
            steps, f"unknown {what}", lambda: one_of(sorted(known)), lambda: nearest(name, known)
        )


def _known_year(problems: Problems, steps: Steps) -> None:
    known = texts(at(problems.root, "generations"))
    node = at(problems.root, *steps)
    if isinstance(node, Scalar) and node.value is not None and node.text not in known:
        problems.add(steps, "unknown generation", one_of(sorted(known)), "`generations` has them")


def check_model(written: TopologyModel, problems: Problems) -> None:
    """Everything else that can be told from the model alone."""
    for name, campus in written.campuses.items():
        if (campus.latitude is None) != (campus.longitude is None):
            message = "half a pair of coordinates"
            problems.add(("campuses", name), message, "both `latitude` and `longitude`")
        _check_hosts(name, campus, problems)
        _check_fabric(("campuses", name, "fabric"), campus, problems)
    for name, chip in written.accelerators.items():
        if chip.mfu is None and not any(one.precision == "bf16" for one in chip.measured):
            message = "nothing says how fast it trains in bf16"
            problems.add_key(("accelerators", name), message, "`mfu`, or `measured` with bf16")
    total = sum(_hosts(campus) for campus in written.campuses.values())
    if total > MOST_HOSTS:
        expected = f"at most {MOST_HOSTS:,} hosts"
        problems.add(("campuses",), f"{total:,} hosts in all", expected)
    _check_ports(written, total, problems)
    buffering.check(written.switches, problems)
    _check_links(written, problems)
    _check_reach(written, problems)


def _check_ports(written: TopologyModel, hosts: int, problems: Problems) -> None:
    """Told of the campus that needs the most, with what would do if all that are alike had it."""
    ports = {name: port_count(campus.fabric) for name, campus in written.campuses.items()}
    others = hosts + 2 * len(written.links)
    total = sum(ports.values()) + others
    if total <= MOST_PORTS:
        return
    largest = max(ports, key=lambda name: ports[name])
    share = max(MOST_PORTS - others, 0) / sum(ports.values())
    steps = ("campuses", largest, "fabric")
    message = f"{total:,} ports of switches in all"
    expected = f"at most {MOST_PORTS:,}, which is what one Open vSwitch holds"
    problems.add(steps, message, expected, _smaller(written.campuses[largest].fabric, share))


def _smaller(fabric: Fabric, share: float) -> str:
    """A hint: a fabric of the kind with such a share of its ports."""
    match fabric:
        case LeafSpine():
            leaves = math.floor((fabric.leaves + 1) * share) - 1
            return f"`leaves: {leaves}`" if leaves > 0 else "fewer spines or campuses, too"
        case FatTree():
            k = math.floor(fabric.k * share ** (1 / 3)) // 2 * 2
            return f"`k: {k}`" if k > 0 else "fewer campuses"
    return "fewer campuses, hosts or links"


def _hosts(campus: CampusModel) -> int:
    return sum(group.count for group in campus.hosts)


def _check_hosts(name: str, campus: CampusModel, problems: Problems) -> None:
    leaves, hosts = leaf_count(campus.fabric), _hosts(campus)
    most = leaves * MOST_HOSTS_PER_LEAF
    if isinstance(campus.fabric, FatTree):
        most = campus.fabric.k**3 // 4
    if leaves and hosts > most:
        per = f"{leaves} leaves" if leaves > 1 else "one leaf"
        hint = "more leaves, or fewer hosts"
        problems.add(
            ("campuses", name, "hosts"), f"{hosts:,} hosts", f"at most {most:,} on {per}", hint
        )
    for index, group in enumerate(campus.hosts):
        for number in group.exceptions:
            if number > group.count:
                steps = ("campuses", name, "hosts", index, "exceptions", str(number))
                problems.add_key(steps, "no such host in the group", f"1 to {group.count}")
    names = [group.name or group.accelerator.lower() for group in campus.hosts]
    for index in _repeated(names):
        message = f"a second group called {names[index]}"
        hint = "give it a name of its own with `name`"
        problems.add(("campuses", name, "hosts", index), message, hint=hint)


def _repeated(names: list[str]) -> Iterable[int]:
    return [index for index, name in enumerate(names) if name in names[:index]]


def _check_fabric(steps: Steps, campus: CampusModel, problems: Problems) -> None:
    fabric = campus.fabric
    if isinstance(fabric, LeafSpine) and fabric.uplink and fabric.oversubscription:
        message = "both `uplink` and `oversubscription`"
        problems.add((*steps, "oversubscription"), message, "one of the two decides the rate")
    if isinstance(fabric, Explicit):
        _check_explicit(steps, fabric, problems)


def _check_explicit(steps: Steps, fabric: Explicit, problems: Problems) -> None:
    before = len(problems.found)
    leaves = leaf_count(fabric)
    if not 1 <= leaves <= MOST_LEAVES:
        expected = f"1 to {MOST_LEAVES} switches with `role: leaf`"
        problems.add((*steps, "switches"), f"{leaves} leaves", expected)
    if "b" in fabric.switches:
        problems.add_key(
            (*steps, "switches", "b"), "`b` is the border switch's name", "another name"
        )
    for index, link in enumerate(fabric.links):
        ends: Steps = (*steps, "links", index, "between")
        for position in range(2):
            _known(problems, (*ends, position), "switch", list(fabric.switches))
        if link.between[0] == link.between[1]:
            problems.add(ends, "a link from a switch to itself", "two switches")
    if len(problems.found) == before:
        _check_whole(steps, fabric, problems)


def _check_whole(steps: Steps, fabric: Explicit, problems: Problems) -> None:
    """Every switch has a path to the border, which all spines (or leaves) are linked with."""
    roles = {name: switch.role for name, switch in fabric.switches.items()}
    top = "spine" if "spine" in roles.values() else "leaf"
    edges = [(a, b) for link in fabric.links for a, b in [link.between]]
    edges += [("b", name) for name, role in roles.items() if role == top]
    for name in _unreachable("b", ["b", *roles], edges):
        message = "no link leads to this switch"
        problems.add_key((*steps, "switches", name), message, "a path to the border")


def _check_links(written: TopologyModel, problems: Problems) -> None:
    for name, link in written.links.items():
        steps = ("links", name)
        ends = [written.campuses[end] for end in link.between]
        if not (link.distance or link.delay or straight_line_m(*ends)):
            message = "no `distance`, no `delay`, and no coordinates to measure between"
            problems.add(steps, message, "how long the link is, such as distance: 10mi")
        if link.medium == "hollow-core" and link.age:
            hint = "leave `age` out, or give `loss`"
            message = "how hollow-core fibre ages is not known"
            problems.add((*steps, "age"), message, "no age", hint)
        if link.rate is None and not (link.forward.rate and link.backward.rate):
            problems.add((*steps, "rate"), "`rate` is missing", "a rate such as 400Gbit/s")


def _check_reach(written: TopologyModel, problems: Problems) -> None:
    names = list(written.campuses)
    edges = [(a, b) for link in written.links.values() for a, b in [link.between]]
    for name in _unreachable(names[0], names, edges):
        message = "no long-haul link leads to this campus"
        expected = f"a path to {names[0]}"
        hint = f"add under `links`: {names[0]}-{name}: {{between: [{names[0]}, {name}], …}}"
        problems.add_key(("campuses", name), message, expected, hint)


def _unreachable(start: str, names: list[str], edges: Iterable[tuple[str, str]]) -> list[str]:
    """Names to which no path of edges leads from `start`."""
    neighbours: dict[str, list[str]] = {name: [] for name in names}
    for a, b in edges:
        neighbours[a].append(b)
        neighbours[b].append(a)
    reached, waiting = {start}, [start]
    while waiting:
        new = set(neighbours[waiting.pop()]) - reached
        reached |= new
        waiting += sorted(new)
    return [name for name in names if name not in reached]
