"""What scaling makes of switches' buffers, in words: thresholds of fewer bytes than a few packets have, and headroom
that is enough at full scale, but not for packets that stand for many. With the scale that mends it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from scenario.plan.headroom import frames_bytes, travelling_bytes
from scenario.plan.types import End, Plan, Port

FEWEST_MARKED, FEWEST_PAUSED, FEWEST_WAITING = 4, 2, 10
"""Packets: between no mark and all marked; before a pause; that a port may hold."""


@dataclass(frozen=True)
class _Small:
    """Something of a port that is too small, and the scale at which it would not be."""

    key: str
    node: str
    bytes: float
    scale: float


def warning(plan: Plan) -> str | None:
    """What of the ports is too small for packets, and what mends it; None where nothing is, or nothing is scaled."""
    found = list(_small(plan)) if plan.scale_bytes > 1 else []
    if not found:
        return None
    worst = {one.key: one for one in sorted(found, key=lambda one: -one.scale)}
    named = "; ".join(
        f"`{one.key}` at {one.node} is {one.bytes / plan.frame_bytes:.2g} packets"
        for one in worst.values()
    )
    scale = min(one.scale for one in worst.values())
    mended = (
        f"Enough: --set scale.bytes={rounded_down(scale)}"
        if scale >= 1
        else "Packets are too large for that at any scale"
    )
    return (
        f"divided by {plan.scale_bytes:g}, buffers hold too few packets ({plan.frame_bytes} bytes each) to do what they"
        f" do at full scale: {named}. {mended}."
    )


def _small(plan: Plan) -> Iterator[_Small]:
    frame = plan.frame_bytes
    for wire in plan.wires:
        for near, far in (wire.ends, wire.ends[::-1]):
            port = near.shape.port
            if port and port.pool:
                least = {
                    "ecn.max": (port.mark_max_bytes, FEWEST_MARKED * frame),
                    "pfc.xoff": (port.xoff_bytes, FEWEST_PAUSED * frame),
                    "buffer": (port.most_bytes, FEWEST_WAITING * frame),
                }
                for key, (has, wanted) in least.items():
                    if 0 < has < wanted:
                        scale = plan.scale_bytes * has / wanted
                        yield _Small(key, near.node, has, scale)
                yield from _headroom(plan, near, far, port)


def _headroom(plan: Plan, near: End, far: End, port: Port) -> Iterator[_Small]:
    """At a scale of k it is H / k, and R / k + C is asked for. What is too small at full scale is so on purpose."""
    travelling = travelling_bytes(near.shape, far.shape)
    whole = frames_bytes(near.shape, far.shape, plan.frame_bytes)
    spare = (port.headroom_bytes - travelling) * plan.scale_bytes
    if port.lossless and whole <= spare < whole * plan.scale_bytes:
        yield _Small("pfc.headroom", near.node, port.headroom_bytes, spare / whole)


def rounded_down(scale: float) -> str:
    """Two digits, so that it is surely enough."""
    step = 10.0 ** (math.floor(math.log10(scale)) - 1)
    return f"{math.floor(scale / step) * step:.6g}"
