"""How large TCP's windows come to be on a course, and so the pace of each connection.

Windows grow to twice what was ever under way, which the course itself says.

Pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from traffic.model.course import Course, Tolls
from traffic.model.execution import Execution
from traffic.model.pacing import pace
from traffic.model.wires import Route

Moment: TypeAlias = Callable[[int], float]
"""Of an operation: the time at which something of it happens."""


def paced(
    course: Course, tolls: Tolls, starts_s: Sequence[float], pauses_s: Sequence[float] | None = None
) -> Tolls:
    """The same with the paces that follow from what is under way of each connection, if none is paced.

    So the course is run for it, if that may matter.
    """
    if not slow(tolls):
        return tolls
    run = Execution(course, tolls, starts_s, pauses_s)
    run.run()
    return grown(course, tolls, run.begun_s, run.last_s.__getitem__)


def slow(tolls: Tolls) -> Mapping[int, float]:
    """The paces of connections if there was never more under way than the largest message of each: none is slower."""
    return _paces(tolls, dict(enumerate(tolls.largest))) if tolls.wires.windowed else {}


def grown(course: Course, tolls: Tolls, begun_s: Moment, arrived_s: Moment) -> Tolls:
    """The same with paces, after a run without any in which messages began and arrived like this."""
    most = {own: tolls.largest[own] for own in slow(tolls)}
    back_s = {own: sum(hop.onward_s for hop in tolls.routes[own]) for own in most}
    out: dict[int, deque[tuple[float, int]]] = defaultdict(deque)
    out_bytes: Counter[int] = Counter()
    for op, sent in enumerate(course.sent):
        if sent is None or sent.connection not in most:
            continue
        own = sent.connection
        while out[own] and out[own][0][0] <= begun_s(op):
            out_bytes[own] -= out[own].popleft()[1]
        out[own].append((arrived_s(op) + back_s[own], sent.size_bytes))
        out_bytes[own] += sent.size_bytes
        most[own] = max(most[own], out_bytes[own])
    return replace(tolls, paces=_paces(tolls, most))


def _paces(tolls: Tolls, under_way: Mapping[int, int]) -> dict[int, float]:
    """Of those connections whose every wire is faster than their pace, by their bytes that are under way at most."""
    packets = tolls.wires.framing
    found = {}
    for connection, most_bytes in under_way.items():
        rtt_s, slowest = _way(tolls.routes[connection], packets.frame_bytes)
        own = pace(most_bytes, rtt_s, packets.payload_bytes)
        if own > slowest:
            found[connection] = own
    return found


def _way(route: Route, frame_bytes: int) -> tuple[float, float]:
    """A round trip of a full packet and its acknowledgement that meet nobody; seconds per byte on the slowest wire."""
    rtt_s = slowest = 0.0
    for hop in route:
        rtt_s += 2 * hop.onward_s + frame_bytes * (hop.s_per_byte + hop.onward_s_per_byte)
        slowest = max(slowest, hop.s_per_byte, hop.s_per_payload_byte)
    return rtt_s, slowest
