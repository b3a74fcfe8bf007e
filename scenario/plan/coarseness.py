"""How coarse scaling makes the long-haul links, in words: few packets in flight, and what mends it."""

from __future__ import annotations

import math

from scenario.plan import thresholds
from scenario.plan.thresholds import rounded_down
from scenario.plan.types import ETHERNET_HEADER, Plan, packets_per_bdp

ENOUGH_PACKETS = 20
"""Per bandwidth-delay product. With fewer, one packet is more than a twentieth of the window."""
LEAST_MTU = 576


def warnings(plan: Plan) -> list[str]:
    """Of long-haul links, and of switches' buffers."""
    return [found for found in (warning(plan), thresholds.warning(plan)) if found]


def warning(plan: Plan) -> str | None:
    """What is coarse about the plan, what that means, and what mends it; None where nothing is."""
    packets = {link.link: packets_per_bdp(link, plan.mtu_bytes) for link in plan.long_hauls()}
    few = {name: count for name, count in packets.items() if count < ENOUGH_PACKETS}
    if not few:
        return None
    least = min(few.values())
    return (
        f"only {least:.2g} packets fill {_links(list(few))} for a round trip"
        f" ({ENOUGH_PACKETS} are enough): {_ROCE if plan.rdma else _TCP}."
        f" {_remedy(plan, least / ENOUGH_PACKETS)}"
    )


_TCP = (
    "windows move in coarse steps, so what TCP does after a loss or a full queue, and the tail with it,"
    " is not what it does at full scale"
)
_ROCE = "what a loss costs a queue pair there is not meaningful"


def _links(names: list[str]) -> str:
    more = len(names) - 3
    shown = ", ".join(names[:3])
    return f"{shown} and {more} more" if more > 0 else shown


def _remedy(plan: Plan, share: float) -> str:
    """Which settings bring `1 / share` times the packets; each packet costs wall time."""
    scale = plan.scale_bytes * share
    frame_bytes = plan.frame_bytes * share
    mtu = math.floor(frame_bytes) - ETHERNET_HEADER
    ways = [f"--set scale.bytes={rounded_down(scale)}"] if scale >= 1 else []
    ways += [f"--set mtu={mtu}"] if mtu >= LEAST_MTU else []
    both = scale * plan.frame_bytes / (1500 + ETHERNET_HEADER)
    if mtu < LEAST_MTU and plan.mtu_bytes > 1500 and both >= 1:
        ways.append(f"--set mtu=1500 --set scale.bytes={rounded_down(both)}")
    if not ways:
        return "No scale reaches that on a link so short or so slow."
    return f"Enough, for {math.ceil(1 / share)} times the packets to carry: {', or '.join(ways)}."
