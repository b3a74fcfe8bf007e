"""DCQCN at rest: which share of packets is marked, and so how many bytes wait, when flows through one wire have found
their fair shares.

Pure. The fixed point of the fluid model, from its cubic approximation [Zhu, Ghobadi, Misra and Padhye, ECN or Delay,
CoNEXT 2016, section 3]; constants as docs/rdma.md has them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scenario.plan.types import Port

TIMER_S = 55e-6
"""T, after which a rate is raised; alpha decays as often."""
ADDITIVE = 1e-3
"""R_AI, as a share of the line's rate."""


@dataclass(frozen=True)
class Bottleneck:
    """A wire that flows share: its rate, the packets that they send, and B, the bytes after which a rate is raised."""

    rate_bps: float
    packet_bytes: int
    byte_counter: float

    def marked_share(self, flows: int) -> float:
        """Of packets, at rest: more flows need more marks to be held to their shares."""
        packets_per_s = self.rate_bps / 8 / self.packet_bytes
        raised = ADDITIVE * packets_per_s * flows**2 / (TIMER_S * packets_per_s**2)
        events = self.packet_bytes / self.byte_counter + flows / (TIMER_S * packets_per_s)
        return math.cbrt(raised * events**2)


def waiting_bytes(marked_share: float, port: Port) -> float:
    """Where a port marks that share; beyond its probability at `max` it marks all, and nothing rests."""
    if not port.mark_probability:
        return 0.0
    share = min(marked_share / port.mark_probability, 1.0)
    return port.mark_min_bytes + share * (port.mark_max_bytes - port.mark_min_bytes)
