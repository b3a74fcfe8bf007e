"""Linux's pace: what a connection sends leaves packet by packet, where that is less than fills its way.

TCP itself paces a socket that was given a rate, as agents' are (SO_MAX_PACING_RATE): at two windows a round trip while
no packet was ever lost [net/ipv4/tcp_input.c: tcp_update_pacing_rate; sysctl tcp_pacing_ss_ratio], each packet by
itself, as wires have gso_max_segs 1. A window is ten packets, or twice what was ever under way [include/net/tcp.h:
tcp_is_cwnd_limited]. So who has little to send takes up to a quarter of a round trip for it. After a silence the first
packet counts half [net/ipv4/tcp_output.c: tcp_update_skb_after_send].

Pure.
"""

from __future__ import annotations

from typing import NamedTuple

from scenario.plan.types import FIRST_WINDOW_PACKETS

WINDOWS = 2
"""That leave in a round trip."""
GROWTH = 2
"""A window over what was ever under way."""


class Departure(NamedTuple):
    """How long a message takes to set out: until its last packet does, and until the connection's next one may. Both
    are shorter by up to `forgiven_s`, if the connection was silent for so long before."""

    last_s: float
    whole_s: float
    forgiven_s: float

    def out_s(self, begin_s: float, clear_s: float) -> tuple[float, float]:
        """When its last packet sets out, and when the next may, if it begins where it could have since `clear_s`."""
        forgiven_s = min(self.forgiven_s, begin_s - clear_s)
        return begin_s + max(0.0, self.last_s - forgiven_s), begin_s + (self.whole_s - forgiven_s)


def pace(under_way_bytes: int, rtt_s: float, packet_bytes: int) -> float:
    """Seconds per byte of a connection of which so much is under way at most."""
    packets = max(FIRST_WINDOW_PACKETS, GROWTH * -(-under_way_bytes // packet_bytes))
    return rtt_s / (WINDOWS * packets * packet_bytes)


def counted(size_bytes: int, packet_bytes: int) -> tuple[float, float, float]:
    """Bytes of a message whose times at a pace are a departure: all before its last packet, all, half of the first."""
    packets = max(1, -(-size_bytes // packet_bytes))
    return (packets - 1) * packet_bytes, size_bytes, min(size_bytes, packet_bytes) / 2
