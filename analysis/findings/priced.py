"""What an event of the timeline costs in energy and money, for the real cluster that a fabric stands for.

While training stands still or crawls, the sites draw their power all the same, and train nothing; a campus without
power draws none. Power and prices are the topology's (`economics`), as the plan has them. GPUs that are throttled or
wait are taken to draw as much as ever: an upper bound (an idle H100 draws about a tenth of it).
"""

from __future__ import annotations

from typing import Any

from analysis.form.training import EventPrice

JOULES_PER_KWH = 3.6e6
WITHOUT_POWER = "power-loss"


def price(
    plan: dict[str, Any], cost_s: float | None, kind: str, hosts: set[str], in_force_s: float
) -> EventPrice | None:
    """Of an event of a kind that struck some hosts and cost so much time; None where nobody knows the GPUs' power."""
    campuses = plan["campuses"]
    powers_w = [campus.get("site_w") for campus in campuses]
    if cost_s is None or None in powers_w:
        return None
    off = kind == WITHOUT_POWER
    dark_w = sum(campus["site_w"] for campus in campuses if off and _struck(campus, hosts))
    kwh = (sum(powers_w) * cost_s - dark_w * in_force_s) / JOULES_PER_KWH
    computing = sum(campus["compute_usd_per_s"] for campus in campuses) * cost_s
    return EventPrice(energy_kwh=kwh, usd=computing + kwh * campuses[0]["usd_per_kwh"])


def _struck(campus: dict[str, Any], hosts: set[str]) -> bool:
    return all(host["name"] in hosts for host in campus["hosts"])
