"""The options that `longhaul worth` weighs, for a topology and a workload: how fast each would train, by the model.

In: files. Out: options of the real cluster (a host here stands for `scale.hosts` of them). Nothing is run: the time of
an iteration is the α–β forecast, which the runs of `longhaul attribute` agree with within a few per cent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from analysis.series.worth import Option
from longhaul.planning import make_plan
from scenario.errors import WrongInput
from scenario.factors import factors
from scenario.topology.catalogue import catalogued
from scenario.types.achieved import FLOP_PER_PARAMETER, achieved_flops
from scenario.types.topology import Host, LongHaul, Topology, Training
from traffic.kind import place
from traffic.training.kind import prepare, steps


class Unpriced(WrongInput):
    """An accelerator has no price."""


@dataclass(frozen=True)
class Alternative:
    """A topology and what it trains on which campuses; `bought_usd` is what had to be paid for it."""

    name: str
    topology: Topology
    workload: Training
    campuses: tuple[str, ...]
    bought_usd: float = 0.0


def options(topology: Topology, aged: Topology, workload: Training) -> list[Option]:
    """As it is; mended without buying, then by buying; each campus leased out while the others train as well as they
    can. `topology` is without aging, `aged` as it is."""
    every = tuple(campus.name for campus in aged.campuses)
    shared = replace(workload, shares="proportional")
    as_is = Alternative("train as it is", aged, workload, every)
    new_gpus = factors(aged)["best-hardware"].change(aged)
    cases = [
        as_is,
        Alternative("proportional shares", aged, shared, every),
        Alternative("new fibre", topology, workload, every, fibre_usd(topology.links, topology)),
        Alternative("new GPUs", new_gpus, workload, every, _new_gpus_usd(aged, new_gpus)),
    ]
    leases = [
        Alternative(f"lease {name}", aged, shared, tuple(one for one in every if one != name))
        for name in every
        if _hosts(aged, [one for one in every if one != name]) > 1
    ]
    return [_option(case) for case in (*cases, *leases)]


def h100_flops(parameters: float, precision: str) -> float:
    """What one H100 achieves in training such a model."""
    return achieved_flops(catalogued("H100").achieved, precision, parameters)


def capital_usd(before: Topology, after: Topology) -> float:
    """What has to be paid at once for one topology in place of another, at the real cluster's numbers: GPUs of another
    kind less what the old ones bring; new cable for links that are younger or faster; optics and switch ports at both
    ends for what is faster, for new cable, and for equipment of another year."""
    pairs = list(zip(before.links, after.links, strict=True))
    laid = [new for old, new in pairs if new.age_s < old.age_s or _bps(new) > _bps(old)]
    kept = [(old, new) for old, new in pairs if new not in laid]
    relit = sum(_bps(new) for old, new in kept if new.generation != old.generation)
    return fibre_usd(laid, after) + _ends_usd(relit, after) + _new_gpus_usd(before, after)


def fibre_usd(links: Iterable[LongHaul], topology: Topology) -> float:
    """New cable, optics and ports for some links, at the real cluster's rates."""
    chosen = list(links)
    metres = sum(link.distance_m for link in chosen)
    cable = metres * topology.economics.fibre_usd_per_m
    return cable + _ends_usd(sum(map(_bps, chosen)), topology)


def _ends_usd(rate_bps: float, topology: Topology) -> float:
    """Optics and switch ports at both ends of links of so much in all, as emulated."""
    prices = topology.economics
    per_bps = 2 * (prices.optics_usd_per_bps + prices.switching_usd_per_bps)
    return rate_bps * topology.scale_hosts * per_bps


def _bps(link: LongHaul) -> float:
    """When it was new: transponders that stepped down are there nevertheless."""
    return link.forward.rate_bps / link.rate_share


def _option(case: Alternative) -> Option:
    took = _iteration_s(case)
    tokens_per_s = case.workload.tokens * steps(case.workload) / took * case.topology.scale_hosts
    return used(case, tokens_per_s)


def used(case: Alternative, tokens_per_s: float) -> Option:
    """A cluster that trains so many tokens per second on some campuses; the others are leased. Raises Unpriced."""
    topology, workload = case.topology, case.workload
    hosts = [host for campus in topology.campuses for host in campus.hosts]
    prices, scale = topology.economics, topology.scale_hosts
    leased = [host for host in hosts if host.campus not in case.campuses]
    return Option(
        name=case.name,
        iteration_s=workload.tokens * steps(workload) / (tokens_per_s / scale),
        tokens_per_s=tokens_per_s,
        trained_flops=FLOP_PER_PARAMETER * (workload.active or workload.parameters) * tokens_per_s,
        leased_gpus=scale * sum(host.gpus for host in leased),
        power_w=scale * sum(host.gpus * (host.accelerator.tdp_w or 0.0) for host in hosts),
        capital_usd=case.bought_usd,
        hardware_usd=scale * _gpus_usd(hosts, prices.gpu_usd),
    )


def _iteration_s(case: Alternative) -> float:
    """By the model, on the hosts of these campuses."""
    plan = make_plan(case.topology)
    kept = {host.name for host in plan.hosts if host.campus in case.campuses}
    prepared = prepare(case.workload, place(case.workload, plan, kept).plan, seed=1)
    return float(prepared.about["prediction"]["iteration_s"])


def _gpus_usd(hosts: Sequence[Host], prices: Mapping[str, float]) -> float:
    unpriced = sorted({host.accelerator.name for host in hosts} - set(prices))
    if unpriced:
        names = ", ".join(unpriced)
        raise Unpriced(f"nobody said what {names} costs: set economics.gpus.{unpriced[0]}")
    return float(sum(host.gpus * prices[host.accelerator.name] for host in hosts))


def _new_gpus_usd(before: Topology, after: Topology) -> float:
    """New ones where others were, less what those bring; at the real cluster's numbers."""
    prices = before.economics
    pairs = [
        (old, new)
        for a, b in zip(before.campuses, after.campuses, strict=True)
        for old, new in zip(a.hosts, b.hosts, strict=True)
        if old.accelerator.name != new.accelerator.name
    ]
    paid = _gpus_usd([new for _, new in pairs], prices.gpu_usd)
    brings = prices.resale * _gpus_usd([old for old, _ in pairs], prices.gpu_usd)
    return (paid - brings) * before.scale_hosts


def _hosts(topology: Topology, campuses: Sequence[str]) -> int:
    return sum(len(campus.hosts) for campus in topology.campuses if campus.name in campuses)
