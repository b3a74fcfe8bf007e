"""Bandwidths of collectives as nccl-tests prints them (its doc/PERFORMANCE.md; GB = 1e9 bytes).

In: size and time of a collective. Out: algorithm bandwidth S/t and bus bandwidth, which compares
with the speed of the hardware whatever the number of ranks.
"""

from __future__ import annotations

from collections.abc import Callable

_FACTORS: dict[str, Callable[[int], float]] = {
    "all_reduce": lambda n: 2 * (n - 1) / n,
    "reduce_scatter": lambda n: (n - 1) / n,
    "all_gather": lambda n: (n - 1) / n,
    "all_to_all": lambda n: (n - 1) / n,
    "broadcast": lambda _: 1.0,
    "reduce": lambda _: 1.0,
}


def algbw(size_bytes: float, time_s: float) -> float:
    """Algorithm bandwidth S/t in bytes per second; 0 where nothing took any time."""
    return size_bytes / time_s if time_s > 0 else 0.0


def bus_factor(op: str, world_size: int) -> float:
    """busbw / algbw of a collective over `world_size` ranks; 1 for one that nccl-tests lacks."""
    factor = _FACTORS.get(op)
    return factor(world_size) if factor else 1.0
