"""Avoid the sick link, unless the way around costs more than its losses.

The cost of a path is the time that one TCP connection needs for a message of S bytes over it:

    cost = RTT + S / min(rate, MSS/RTT · 1.22/√p)

where `rate` is of the bottleneck, RTT twice the path's delay, and p the share of packets lost. The
second term of the minimum is what loss leaves of a connection. [Mathis et al. 1997] A long message
minds loss, a short one distance: `message` in the topology says how long they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice

from controller.policies.campuses import (
    MOST_PATHS,
    CampusGraph,
    Path,
    delay_s,
    loss,
    rank,
    rate_bps,
    simple_paths,
)
from controller.policies.policy import Policy, Share

MATHIS = 1.22
"""√(3/2): one loss at a time, an acknowledgement of every packet."""
TCP_IP_HEADERS = 52


class LossAware(Policy):
    """One path: that of least cost among the 16 of least delay."""

    def paths(self, graph: CampusGraph, source: str, sink: str) -> Sequence[Share]:
        """Of equals, the shortest."""
        candidates = list(islice(simple_paths(graph, source, sink), MOST_PATHS))
        if not candidates:
            return []
        return [Share(min(candidates, key=lambda path: (self.cost_s(path), rank(path))))]

    def cost_s(self, path: Path) -> float:
        """Seconds for one message."""
        rtt_s = 2 * delay_s(path)
        return rtt_s + 8 * self.routing.message_bytes / self._goodput_bps(path, rtt_s)

    def _goodput_bps(self, path: Path, rtt_s: float) -> float:
        share = loss(path)
        if not share or not rtt_s:
            return rate_bps(path)
        segment_bits = 8 * (self.routing.mtu_bytes - TCP_IP_HEADERS)
        return min(rate_bps(path), MATHIS * segment_bits / (rtt_s * math.sqrt(share)))
