"""Whether a run's links are fine enough for what its page says of the tail. In: a plan. Out: the coarsest link."""

from __future__ import annotations

from typing import Any

from scenario.plan.coarseness import ENOUGH_PACKETS

Data = dict[str, Any]


def coarsest(plan: Data) -> Data | None:
    """Of the long-haul links that too few packets fill for a round trip, the one that fewest fill."""
    filled: list[Data] = [one for one in plan["links"] if one.get("packets_per_bdp") is not None]
    least = min(filled, key=lambda one: one["packets_per_bdp"], default=None)
    return least if least and least["packets_per_bdp"] < ENOUGH_PACKETS else None
