"""How large TCP's windows come to be on a course, and so the pace of each connection.

Windows grow to twice what was ever under way, which the course itself says.

Pure.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import replace

from traffic.model.course import Course, Tolls
from traffic.model.execution import Execution
from traffic.model.pacing import pace
from traffic.model.wires import Route


def paced(
    course: Course, tolls: Tolls, starts_s: Sequence[float], pauses_s: Sequence[float] | None = None
) -> Tolls:
    """The same with the paces that follow from what is under way of each connection, if none is paced.

    So the course is run for it; not where a single message of each connection is known to fill its way.
    """
    if not tolls.wires.windowed or not _paces(tolls, tolls.largest):
        return tolls
    run = Execution(course, tolls, starts_s, pauses_s)
    run.run()
    return replace(tolls, paces=_paces(tolls, _under_way(run, tolls)))


def _paces(tolls: Tolls, under_way: Sequence[int]) -> dict[int, float]:
    """Of those connections whose every wire is faster than their pace, by their bytes that are under way at most."""
    packets = tolls.wires.framing
    found = {}
    for connection, (route, most_bytes) in enumerate(zip(tolls.routes, under_way, strict=True)):
        rtt_s = _rtt_s(route, packets.frame_bytes)
        own = pace(most_bytes, rtt_s, packets.payload_bytes)
        if own > max(max(hop.s_per_byte, hop.s_per_payload_byte) for hop in route):
            found[connection] = own
    return found


def _rtt_s(route: Route, frame_bytes: int) -> float:
    """For a full packet and its acknowledgement that meet nobody."""
    frame_s = sum(frame_bytes * (hop.s_per_byte + hop.onward_s_per_byte) for hop in route)
    return frame_s + 2 * sum(hop.onward_s for hop in route)


def _under_way(run: Execution, tolls: Tolls) -> list[int]:
    """Bytes of each connection that were sent and not yet acknowledged, at most."""
    back_s = [sum(hop.onward_s for hop in route) for route in tolls.routes]
    most = list(tolls.largest)
    out_bytes: dict[int, int] = defaultdict(int)
    out: dict[int, deque[tuple[float, int]]] = defaultdict(deque)
    for op, sent in enumerate(run.course.sent):
        if sent is None:
            continue
        own = sent.connection
        while out[own] and out[own][0][0] <= run.begun_s(op):
            out_bytes[own] -= out[own].popleft()[1]
        out[own].append((run.last_s[op] + back_s[own], sent.size_bytes))
        out_bytes[own] += sent.size_bytes
        most[own] = max(most[own], out_bytes[own])
    return most
