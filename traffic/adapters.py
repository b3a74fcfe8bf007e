"""How the queue pairs of a workload are set, from the plan of the fabric that they cross. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import permutations

from scenario.plan.types import WIDEST_WINDOW, End, PlannedHost
from scenario.types.topology import Transport
from traffic.host.registered import SLOT_BYTES
from traffic.host.transport import Path, Settings
from traffic.model.wires import Lane, Wires

FEWEST, MOST = 16, 512
"""Messages of one queue pair that may be under way, whatever its path."""
FEWEST_PACKETS = 24
"""Under way on the shortest path: an acknowledgement waits behind the few packets in its adapter's queue."""
TIMEOUT_UNIT_S = 4.096e-6
SHORTEST_TIMEOUT = 14
"""67 ms, which is perftest's, and was NCCL's until 2.13. NCCL's is 18 since, and 20 from 2.23 on (1.1 and 4.3 s);
adapters that adapt it wait for less. [NCCL's user guide, NCCL_IB_TIMEOUT]"""
LONGEST_TIMEOUT = 31
OF_PATHS = ("window", "split")
"""Congestion control that keeps each queue pair to its path."""
MARKED = Path(WIDEST_WINDOW, obeys=True)
"""A path on which marks say how much there may be."""
PATIENCE = 4.0
"""An acknowledgement may take this many times the longest round trip, beside all that may wait in queues."""


def paths(wires: Wires, host: PlannedHost) -> tuple[Path, ...]:
    """What the ways from a host to all ranks bear, where the plan's adapters keep to that; else empty.

    The window is twice what fills the way, as acknowledgements are asked for once in half of it. The
    rate is that of the slowest wire, which else builds a queue in which the others' acknowledgements
    wait [Zhang, Shenker and Clark 1991].
    """
    rdma, hosts = wires.plan.rdma, wires.plan.hosts
    if rdma is None or rdma.congestion not in OF_PATHS or rdma.window_packets < WIDEST_WINDOW:
        return ()
    split = rdma.congestion == "split"
    return tuple(
        Path() if other == host
        else MARKED if split and other.campus == host.campus
        else _path(wires, host, other.rank)
        for other in hosts
    )  # fmt: skip


def _path(wires: Wires, host: PlannedHost, sink: int) -> Path:
    slowest_bps = min(end.shape.rate_bps for end in wires.ends(Lane(host.rank, sink)))
    packets = slowest_bps * wires.rtt_s(host.rank, sink) / 8 / wires.framing.frame_bytes
    window = math.ceil(2 * packets) + FEWEST_PACKETS
    return Path(window, round(slowest_bps / 8) if slowest_bps < host.nic_bps else 0)


def longest_rtt_s(wires: Wires) -> float:
    """Of some pairs of ranks that stand for all."""
    return max((wires.rtt_s(*pair) for pair in _pairs(wires.plan.hosts)), default=0.0)


def _pairs(hosts: Sequence[PlannedHost]) -> list[tuple[int, int]]:
    """The first host of every campus and the first of every other, and the last of its own."""
    first = {host.campus: host.rank for host in reversed(hosts)}.values()
    last = {host.campus: host.rank for host in hosts}.values()
    own = ((a, b) for a, b in zip(first, last, strict=True) if a != b)
    return [*permutations(first, 2), *own]


def slots(wires: Wires) -> int:
    """Messages of kept bytes that must be under way to fill the longest path, twice over."""
    fastest_bps = max((host.nic_bps for host in wires.plan.hosts), default=0.0)
    wanted = math.ceil(2 * fastest_bps * longest_rtt_s(wires) / 8 / SLOT_BYTES)
    return min(max(wanted, FEWEST), MOST)


def roce_settings(
    wires: Wires, transport: Transport, depth: int, *, discards: bool = False
) -> Settings:
    """Of queue pairs that carry at most `depth` messages at a time. Raises ValueError where no packet of RoCE fits."""
    return Settings(
        kind="roce",
        path_mtu=wires.framing.payload_bytes,
        timeout=transport.timeout or _timeout(wires),
        depth=depth,
        discards=discards,
    )


def _timeout(wires: Wires) -> int:
    patience_s = max(
        (
            PATIENCE * wires.rtt_s(*pair) + _waiting_s(wires.ends(Lane(*pair)))
            for pair in _pairs(wires.plan.hosts)
        ),
        default=0.0,
    )
    wanted = math.ceil(math.log2(max(patience_s / TIMEOUT_UNIT_S, 1)))
    return min(max(wanted, SHORTEST_TIMEOUT), LONGEST_TIMEOUT)


def _waiting_s(ends: Sequence[End]) -> float:
    """In all the queues of a way, where one has as much of each switch's buffer as it may."""
    return sum(8 * end.shape.port.most_bytes / end.shape.rate_bps for end in ends if end.shape.port)
