"""Whether the clocks of ranks agree, told by their collectives: all ranks of one are done at nearly one instant.

In: a trace, and when by its own clock each rank's times begin. Out: by how much each rank's times are to
be moved, and what is to be said of it. Where clocks agree they are kept; else each is corrected by how late
it shows the ends of its collectives.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from traffic.traces.form import Trace, TracedCollective
from traffic.traces.matching import instances

AGREE_NS = 100_000
"""Ends of one collective that lie closer are one instant: what is left of NTP or PTP within a cluster is less."""
_ROUNDS = 10
_TOGETHER = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all", "barrier")
"""Collectives of which no rank can be done before all have entered."""

Ends = list[tuple[int, int]]
"""(rank, nanoseconds by its own file) of a collective's ends."""


def offsets_ns(trace: Trace, origins_ns: Sequence[int]) -> tuple[tuple[int, ...], str]:
    """What to add to each rank's times, the least 0, and a note (or none)."""
    ends = _ends(trace)
    late = _late(ends, origins_ns)
    if not ends:
        moved, note = list(origins_ns), "no collective tells whether the ranks' clocks agree"
    elif max(map(abs, late)) <= AGREE_NS:
        worst = max(map(abs, late)) / 1000
        moved = list(origins_ns)
        note = f"the ranks' clocks agree within {worst:.3g} µs at the ends of collectives: kept"
    else:
        worst = max(map(abs, late)) / 1e6
        moved = [origin - round(skew) for origin, skew in zip(origins_ns, late, strict=True)]
        note = f"the ranks' clocks differ by up to {worst:.3g} ms at the ends of collectives: corrected"
    least = min(moved)
    if ends and max(moved) > least:
        note += f"; they begin up to {(max(moved) - least) / 1e6:.3g} ms apart, and so they do in a replay"
    return tuple(one - least for one in moved), note


def begins_ns(trace: Trace) -> list[tuple[int, int]]:
    """How long each rank waits before it begins: in the first iteration its offset, in others as much as it was at work
    for less long than the longest, so that an iteration begins as the one before. Empty where no collective tells that
    clocks agree, or by how much they do not."""
    if not trace.offsets_ns or not _ends(trace):
        return []
    lasting = [
        max((node.measured.end_ns for node in nodes if node.measured), default=0)
        for nodes in trace.ranks
    ]
    return [
        (offset, max(lasting) - own) for offset, own in zip(trace.offsets_ns, lasting, strict=True)
    ]


def _ends(trace: Trace) -> list[Ends]:
    found = []
    for _, parts in instances(trace):
        nodes = [(rank, trace.ranks[rank][index]) for rank, index in parts]
        work = nodes[0][1].work
        if isinstance(work, TracedCollective) and work.op in _TOGETHER:
            found.append([(rank, node.measured.end_ns) for rank, node in nodes if node.measured])
    return [ends for ends in found if len(ends) > 1]


def _late(ends: Sequence[Ends], origins_ns: Sequence[int]) -> list[float]:
    """By how much each rank's clock shows ends later than the others', in the median."""
    late = [0.0] * len(origins_ns)
    for _ in range(_ROUNDS):
        apart: dict[int, list[float]] = {}
        for collective in ends:
            corrected = [(rank, origins_ns[rank] + end - late[rank]) for rank, end in collective]
            middle = median(end for _, end in corrected)
            for rank, end in corrected:
                apart.setdefault(rank, []).append(end - middle)
        for rank, found in apart.items():
            late[rank] += median(found)
    return late
