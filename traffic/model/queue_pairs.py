"""What a queue pair makes of a way between hosts: how much it may have under way, and what each loss has sent again.

Pure. Go-back-N sends again whatever was under way, so that for each packet that comes 1 + p (N + n) are sent
[Mittal et al., SIGCOMM 2018]. Not in it: a message's last packet, whose loss nobody notices before the timeout.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scenario.plan.types import WIDEST_WINDOW, End, PlannedRdma
from traffic.framing import Framing

QUEUED_PACKETS = 4
"""Of a queue pair in its adapter's queue, sent in vain after a loss, too (`longhaul.emulation.rdma`)."""
MOST_UNACKNOWLEDGED = 64
"""Packets after which Soft-RoCE asks for an acknowledgement; earlier where half a window is less."""


@dataclass(frozen=True)
class PairCost:
    """On its way: packets `sent` for each that comes, at least 1; payload per second that its window lets through."""

    sent: float = 1.0
    most_Bps: float = math.inf


ALONE = PairCost()
"""What loses nothing, and has no window."""


def pair_cost(
    ends: Sequence[End], rtt_s: float, share_bps: float, framing: Framing, rdma: PlannedRdma
) -> PairCost:
    """That of the way over some wires, of whose slowest it has a fair share, as DCQCN would have it."""
    window = acknowledged(rdma.window_packets)
    filling = share_bps / 8 * rtt_s / framing.frame_bytes
    return PairCost(
        sent=1 + losses(ends) * (min(filling, window) + QUEUED_PACKETS),
        most_Bps=window * framing.payload_bytes / rtt_s,
    )


def losses(ends: Sequence[End]) -> float:
    """Per packet, along some wires; a burst is one, as all that was under way is sent again anyway."""
    kept = math.prod(1 - end.shape.loss * (1 - end.shape.loss_correlation) for end in ends)
    return 1 - kept


def acknowledged(window_packets: int) -> float:
    """Packets that a window lets through in a round trip: as many as are asked to be acknowledged in one."""
    if window_packets >= WIDEST_WINDOW:
        return math.inf
    step = min(MOST_UNACKNOWLEDGED, window_packets // 2) + 2
    return max(1, (window_packets + 1) // step) * step
