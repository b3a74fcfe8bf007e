"""Causes of lost time that can be switched off: distance, aging, mixed hardware, and a topology's own.

A run without a factor is a run of the counterfactual: the same files, but for what the factor names. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import TypeAlias

from scenario.loading import Document, load_topology, read_document, topology_of
from scenario.text.diagnostics import (
    Diagnostic,
    InvalidInput,
    Place,
    Source,
    complain,
    nearest,
    one_of,
)
from scenario.types.achieved import USUAL_PARAMETERS, Achieved, achieved_flops
from scenario.types.topology import Campus, Host, LongHaul, Topology

Acting: TypeAlias = frozenset[str]
"""Factors that are in force."""
NEXT_DOOR_M = 100.0
NEXT_DOOR_S = 0.5e-6
"""The light of 100 m of fibre: a campus across the street."""


@dataclass(frozen=True)
class Factor:
    """A cause of loss. `without` says what a fabric is like that lacks it.

    It is switched off by `overrides` of the file, then by `change` of what the file elaborates into. One that is not
    `usual` is asked for by name: it changes more than a cause, such as how much computing there is.
    """

    name: str
    without: str
    overrides: tuple[str, ...] = ()
    change: Callable[[Topology], Topology] = lambda topology: topology
    usual: bool = True


def load_without(path: Path, overrides: Sequence[str], without: Sequence[str]) -> Topology:
    """The topology with some of its factors switched off. Raises InvalidInput."""
    document = read_document(path)
    return _changed(
        topology_of(document, overrides),
        without,
        lambda texts: topology_of(document, texts),
        overrides,
    )


def counterfactuals(
    document: Document, overrides: Sequence[str], names: Sequence[str], acting: Iterable[Acting]
) -> dict[Acting, Topology]:
    """The topology with each of some sets of its factors in force, the others of `names` switched off. Raises
    InvalidInput."""
    read = cache(lambda texts: topology_of(document, texts))
    actual = read(tuple(overrides))
    return {
        chosen: _changed(actual, [name for name in names if name not in chosen], read, overrides)
        for chosen in acting
    }


def _changed(
    actual: Topology,
    without: Sequence[str],
    read: Callable[[tuple[str, ...]], Topology],
    overrides: Sequence[str],
) -> Topology:
    """The topology without some of its factors; `read` elaborates it anew with other overrides."""
    if not without:
        return actual
    known = factors(actual)
    unknown = [name for name in without if name not in known]
    if unknown:
        raise InvalidInput([_unknown(name, known) for name in unknown])
    chosen = [known[name] for name in without]
    topology = read((*overrides, *(text for one in chosen for text in one.overrides)))
    for one in chosen:
        topology = one.change(topology)
    return topology


def factors(topology: Topology) -> dict[str, Factor]:
    """All factors by name: those built in, and those that the file declares, which come first."""
    ages = tuple(f"links.{link.name}.age=0y" for link in topology.links if link.age_s > 0)
    years = (
        *(f"links.{link.name}.generation=null" for link in topology.links if link.generation),
        *(
            f"campuses.{campus.name}.generation=null"
            for campus in topology.campuses
            if campus.generation
        ),
    )
    built_in = (
        Factor("distance", "all campuses next door to each other", change=next_door),
        Factor("aging", "all long-haul links new", overrides=ages),
        Factor(
            "generation",
            "links and campuses without the limits of their generation's equipment",
            overrides=years,
            usual=bool(years),
        ),
        Factor("hardware", "all hosts as fast as they are on average", change=levelled),
        Factor("best-hardware", "all hosts like the best one", change=uniform, usual=False),
    )
    declared = (
        Factor(name, ", ".join(texts), overrides=texts) for name, texts in topology.factors.items()
    )
    return {one.name: one for one in built_in} | {one.name: one for one in declared}


def effective(path: Path, overrides: Sequence[str], names: Sequence[str]) -> list[Factor]:
    """Those of the named factors that make a difference to this topology. Raises InvalidInput."""
    actual = load_topology(path, overrides)
    without = {name: load_without(path, overrides, [name]) for name in names}
    return [factors(actual)[name] for name, other in without.items() if other != actual]


def next_door(topology: Topology) -> Topology:
    """The same links, as long as a street is wide; what their age does to packets stays."""
    return replace(topology, links=tuple(_shortened(link) for link in topology.links))


def levelled(topology: Topology) -> Topology:
    """Every host with as many GPUs, each as fast, as all are on average: together they compute as much as before, and
    none waits for another, whether work is shared per GPU or per host. NICs and memory stay as they are."""
    hosts = [host for campus in topology.campuses for host in campus.hosts]
    gpus = max(1, round(sum(host.gpus for host in hosts) / len(hosts)))
    mean = _mean_achieved(hosts, gpus)
    campuses = tuple(
        replace(campus, hosts=tuple(_alike(host, gpus, mean) for host in campus.hosts))
        for campus in topology.campuses
    )
    return replace(topology, campuses=campuses)


def _mean_achieved(hosts: Sequence[Host], gpus: int) -> tuple[Achieved, ...]:
    """What each of so many GPUs a host must achieve, at every precision and size that any of them was measured at."""
    sizes = sorted({(p.precision, p.parameters) for h in hosts for p in h.accelerator.achieved})
    return tuple(
        Achieved(precision, size, fmean(_achieves(h, precision, size) for h in hosts) / gpus)
        for precision, size in sizes
    )


def _achieves(host: Host, precision: str, parameters: float) -> float:
    """FLOP/s of all GPUs of a host together."""
    flops = achieved_flops(host.accelerator.achieved, precision, parameters)
    return flops * host.gpus / host.slowdown


def _alike(host: Host, gpus: int, achieved: tuple[Achieved, ...]) -> Host:
    chip = host.accelerator
    memory = chip.memory_bytes * host.gpus / gpus if chip.memory_bytes else None
    alike = replace(chip, achieved=achieved, memory_bytes=memory)
    return replace(host, accelerator=alike, gpus=gpus, slowdown=1.0)


def uniform(topology: Topology) -> Topology:
    """Every host with the accelerators and NICs of the one that computes fastest."""
    best = max((host for campus in topology.campuses for host in campus.hosts), key=_flops)
    campuses = tuple(_with_hosts_like(campus, best) for campus in topology.campuses)
    return replace(topology, campuses=campuses)


def _shortened(link: LongHaul) -> LongHaul:
    ways = (
        replace(way, delay_s=min(way.delay_s, NEXT_DOOR_S)) for way in (link.forward, link.backward)
    )
    forward, backward = ways
    length_m = min(link.distance_m, NEXT_DOOR_M)
    return replace(link, distance_m=length_m, forward=forward, backward=backward)


def _with_hosts_like(campus: Campus, best: Host) -> Campus:
    hosts = (
        replace(
            host,
            accelerator=best.accelerator,
            gpus=best.gpus,
            nic_bps=best.nic_bps,
            intra_Bps=best.intra_Bps,
            slowdown=best.slowdown,
        )
        for host in campus.hosts
    )
    return replace(campus, hosts=tuple(hosts))


def _flops(host: Host) -> float:
    return _achieves(host, "bf16", USUAL_PARAMETERS)


def _unknown(name: str, known: dict[str, Factor]) -> Diagnostic:
    place = Place(Source("--without", (name,)), length=len(name))
    hint = nearest(name, known)
    return complain(place, "there is no such factor", expected=one_of(known), hint=hint)
