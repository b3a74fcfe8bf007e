"""When a rank's GPU was busy, as a trace measured it: what computes, and what communicates.

Computing are kernels, communicating those of NCCL and its like; copies and fills are neither, and what lies between
is a gap. So Holistic Trace Analysis counts it [hta/utils/utils.py, get_kernel_type]. Streams are laid over each other:
what runs beside its like counts once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from traffic.traces.form import Busy, TimeSpan
from traffic.traces.kineto_calls import Activity


def busy(activities: Iterable[Activity]) -> Busy:
    """What of it computed, and what communicated."""
    kernels = [one for one in activities if one.kernel]
    return Busy(
        union(one.span for one in kernels if not one.communicates),
        union(one.span for one in kernels if one.communicates),
    )


def union(spans: Iterable[TimeSpan]) -> tuple[TimeSpan, ...]:
    """What is covered by any of them, in order and without overlap."""
    found: list[TimeSpan] = []
    for span in sorted(spans, key=lambda one: (one.start_ns, one.end_ns)):
        if found and span.start_ns <= found[-1].end_ns:
            found[-1] = TimeSpan(found[-1].start_ns, max(found[-1].end_ns, span.end_ns))
        else:
            found.append(span)
    return tuple(found)


def without(spans: Sequence[TimeSpan], others: Sequence[TimeSpan]) -> list[TimeSpan]:
    """What of a union another union does not cover."""
    found = []
    first = 0
    for span in spans:
        start = span.start_ns
        while first < len(others) and others[first].end_ns <= start:
            first += 1
        for other in others[first:]:
            if other.start_ns >= span.end_ns:
                break
            found.append(TimeSpan(start, other.start_ns))
            start = max(start, other.end_ns)
        found.append(TimeSpan(start, span.end_ns))
    return [one for one in found if one.start_ns < one.end_ns]


def total_s(spans: Iterable[TimeSpan]) -> float:
    """How long they are together."""
    return sum(span.end_ns - span.start_ns for span in spans) / 1e9
