"""Does the emulation keep the real cluster's proportion between computing and communicating? One number, κ. Pure.

κ = 2F/(3TB): the time to pass a step's gradients (2 bytes each) over a long-haul link both ways of a ring or between
campuses, 2·2N/B, over the time to compute the step, 6NT/F. N falls out: what decides is F, the FLOP/s achieved by all
hosts, T, the tokens of a step, and B, the bytes per second of the thinnest long-haul link. Under 1 computing can hide
communication; far over 1 nothing does. A host that stands for many in the real cluster makes κ there so many times as
large, unless the batch or the links grow as much.
"""

from __future__ import annotations

from dataclasses import dataclass

from scenario.plan.types import Plan
from scenario.types.achieved import achieved_flops
from scenario.types.topology import Training


@dataclass(frozen=True)
class Proportion:
    """κ as emulated and at full scale, for the same batch over the same links; and the rate that a link would need
    there to keep what is emulated. Rates are the real world's."""

    kappa: float
    full_kappa: float
    scale_hosts: float
    flops: float
    tokens: float
    thinnest_bps: float
    needed_bps: float


def proportion(plan: Plan, workload: Training) -> Proportion | None:
    """None without long-haul links."""
    rates = [
        sum(rates)
        for members in plan.bundles().values()
        for rates in zip(*([end.shape.rate_bps for end in x.ends] for x in members), strict=True)
    ]
    if not rates:
        return None
    size = workload.active or workload.parameters
    flops = sum(
        achieved_flops(host.achieved, workload.precision, size) if host.achieved else host.flops
        for host in plan.hosts
    )
    thinnest_bps = min(rates) * plan.scale_bytes
    kappa = 2 * flops / (3 * workload.tokens * thinnest_bps / 8)
    return Proportion(
        kappa=kappa,
        full_kappa=kappa * plan.scale_hosts,
        scale_hosts=plan.scale_hosts,
        flops=flops,
        tokens=workload.tokens,
        thinnest_bps=thinnest_bps,
        needed_bps=thinnest_bps * plan.scale_hosts,
    )


def says(found: Proportion) -> str:
    """A sentence or two for people."""
    here = f"Communication over compute on the thinnest long-haul link: κ = 2F/(3TB) = {found.kappa:.2g}"
    if found.scale_hosts == 1:
        return f"{here}."
    return (
        f"{here} here. At full scale (x {found.scale_hosts:,.0f}) the same batch over the same link has κ ="
        f" {found.full_kappa:,.0f}: keeping κ takes {found.needed_bps / 1e15:.3g} Pbit/s, or a batch of"
        f" {found.tokens * found.scale_hosts / 1e9:,.3g} G tokens."
    )
