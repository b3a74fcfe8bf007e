"""What remedies are worth in money, from the runs that were made: the real cluster's flows, at the topology's prices.

In: a trial and the tokens per second that it reached. Out: capital, present value, tokens per dollar and kWh; where
nobody said what an accelerator costs, nothing. The definitions are those of `longhaul worth` (docs/dsl.md, Economics).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.form.attribution import Money, Remedied, Turning
from analysis.series.worth import (
    Worth,
    best,
    pays_back_after_years,
    turning_compute,
    turning_rent,
    worth,
)
from longhaul.trials.series import Trial
from longhaul.trials.worth import Alternative, Unpriced, capital_usd, h100_flops, used
from scenario.types.topology import Topology, Training


@dataclass(frozen=True)
class Weighing:
    """The cluster as it is, and what trains on it: what all remedies are held against."""

    topology: Topology
    workload: Training
    as_is: Worth

    @property
    def h100_flops(self) -> float:
        """What tokens are priced by."""
        return h100_flops(self.workload.active or self.workload.parameters, self.workload.precision)

    def of(self, trial: Trial, name: str, tokens_per_s: float) -> Worth:
        """What the cluster comes to as a trial has it."""
        topology, workload = _read(trial)
        on = workload.on or _campuses(topology)
        case = Alternative(name, topology, self.workload, on, capital_usd(self.topology, topology))
        option = used(case, tokens_per_s * topology.scale_hosts)
        return worth(option, self.h100_flops, self.topology.economics)

    def money(self, found: Worth) -> Money:
        """The same for `attribution.json`."""
        return Money(
            capital_usd=found.option.capital_usd,
            npv_usd=found.npv_usd,
            gained_usd=found.npv_usd - self.as_is.npv_usd,
            pays_back_years=pays_back_after_years(found, self.as_is)
            if found.option.capital_usd
            else None,
            tokens_per_usd=found.tokens_per_usd,
            tokens_per_kwh=found.tokens_per_kwh,
        )

    def turning(self, found: Sequence[tuple[Remedied, Worth]]) -> Turning | None:
        """Where the best lease is worth as much as the best that keeps all, of what learns alike; None without both."""
        kept = [one for remedy, one in found if not remedy.leases and remedy.learns_alike]
        leases = [one for remedy, one in found if remedy.leases]
        if not leases:
            return None
        train, lease, prices = best([self.as_is, *kept]), best(leases), self.topology.economics
        return Turning(
            train=train.option.name,
            lease=lease.option.name,
            horizon_years=prices.horizon_years,
            rent_usd=prices.lease_usd_per_gpu_hour,
            turning_rent_usd=turning_rent(lease, train, prices),
            compute_usd=prices.compute_usd_per_h100_hour,
            turning_compute_usd=turning_compute(lease, train, self.h100_flops, prices),
        )


def weighing(actual: Trial, tokens_per_s: float) -> Weighing | None:
    """None where an accelerator has no price."""
    topology, workload = _read(actual)
    case = Alternative("as it is", topology, workload, _campuses(topology))
    try:
        option = used(case, tokens_per_s * topology.scale_hosts)
    except Unpriced:
        return None
    flops = h100_flops(workload.active or workload.parameters, workload.precision)
    return Weighing(topology, workload, worth(option, flops, topology.economics))


def _campuses(topology: Topology) -> tuple[str, ...]:
    return tuple(campus.name for campus in topology.campuses)


def _read(trial: Trial) -> tuple[Topology, Training]:
    topology, workload = trial.read()
    assert isinstance(workload, Training)
    return topology, workload
