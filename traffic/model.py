"""What a schedule should cost on a planned fabric: the α–β model, with the pipelining that the
schedule's own dependencies allow. Pure; printed beside what was measured.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from longhaul.fabric.plan import ETHERNET_HEADER, TCP_IP_HEADERS, Plan, PlannedHost
from longhaul.fabric.forwarding import walk
from traffic.schedule import Op, Schedule, matches


@dataclass(frozen=True)
class Way:
    """From one host to another: seconds until the last frame of a message is there after it has
    left the slowest wire (α), and seconds per payload byte on that wire, or at the sender's pace (β)."""

    alpha_s: float
    beta_s_per_byte: float


def path(plan: Plan, source: PlannedHost, sink: PlannedHost) -> Way:
    """Along the plan's rules. A frame is received whole before it is sent on, so each wire but the
    slowest adds one frame's time. Raises LookupError where the rules lead nowhere."""
    ends = walk(plan, source, sink)
    frame_bits = 8 * plan.frame_bytes
    slowest_bps = min(end.shape.rate_bps for end in ends)
    frames_s = sum(frame_bits / end.shape.rate_bps for end in ends) - frame_bits / slowest_bps
    delay_s = sum(end.shape.delay_s for end in ends)
    slowest_Bps = min(slowest_bps / 8 * plan.payload_share, pacing_Bps(plan, source))
    return Way(delay_s + frames_s, 1 / slowest_Bps)


def pacing_Bps(plan: Plan, host: PlannedHost) -> float:
    """Payload per second that a host's NIC has room for, beside an acknowledgement of every packet
    that comes in meanwhile.

    Agents pace their connections at it. A NIC holds its host back; netem takes whatever it is
    given, and what the host acknowledges would wait behind a whole chunk.
    """
    acknowledgement = (ETHERNET_HEADER + TCP_IP_HEADERS) / plan.frame_bytes
    return host.nic_bps / 8 * plan.payload_share * (1 - acknowledgement)


def ends_s(plan: Plan, schedule: Schedule, starts_s: Sequence[float]) -> list[float]:
    """When each rank is done with a collective that the ranks enter at `starts_s`.

    Ranks that start early get ahead as far as the schedule lets them. A send starts when it may and
    its sender's wire is free; it frees the wire after size·β, and its last byte is there α later. For
    the sender it is done when TCP has it, at once.
    Raises ValueError for a schedule that cannot finish.
    """
    return _Execution(plan, schedule, starts_s).run()


def collective_s(
    plan: Plan, schedule: Schedule, compute_s: Sequence[float], iterations: int = 4
) -> float:
    """Seconds from the last rank's entry to the last rank's end, once iterations of compute and
    collective have settled: who ends early also enters the next one early."""
    ends = [0.0] * len(schedule)
    duration_s = 0.0
    for _ in range(iterations):
        starts = [end + own for end, own in zip(ends, compute_s, strict=True)]
        ends = ends_s(plan, schedule, starts)
        duration_s = max(ends) - max(starts)
    return duration_s


class _Execution:
    """Runs a schedule against the model, earliest operation first."""

    def __init__(self, plan: Plan, schedule: Schedule, starts_s: Sequence[float]) -> None:
        self.plan = plan
        self.schedule = schedule
        self.paths: dict[tuple[int, int], Way] = {}
        self.wire_free = [0.0] * len(schedule)
        self.receivers = matches(schedule)
        self.left = {
            (rank, index): len(op.after) + (op.kind != "send")
            for rank, ops in enumerate(schedule)
            for index, op in enumerate(ops)
        }
        self.unlocks: dict[tuple[int, int], list[tuple[int, int]]] = {at: [] for at in self.left}
        for rank, index in self.left:
            for before in schedule[rank][index].after:
                self.unlocks[rank, before].append((rank, index))
        self.ready_s = {at: starts_s[at[0]] for at in self.left}
        self.queue = [(self.ready_s[at], at) for at, left in self.left.items() if not left]
        heapq.heapify(self.queue)

    def run(self) -> list[float]:
        """The time at which each rank is done."""
        done_s = [0.0] * len(self.schedule)
        count = 0
        while self.queue:
            ready_s, at = heapq.heappop(self.queue)
            done_s[at[0]] = max(done_s[at[0]], self._carry_out(ready_s, at))
            count += 1
        if count < len(self.left):
            raise ValueError(f"{len(self.left) - count} operations wait for each other")
        return done_s

    def _carry_out(self, ready_s: float, at: tuple[int, int]) -> float:
        rank, index = at
        op = self.schedule[rank][index]
        if op.kind == "send":
            way = self._path(rank, op)
            start_s = max(ready_s, self.wire_free[rank])
            self.wire_free[rank] = start_s + op.size * way.beta_s_per_byte
            self._unlock(self.receivers[at], self.wire_free[rank] + way.alpha_s)
        for other in self.unlocks[at]:
            self._unlock(other, ready_s)
        return ready_s

    def _unlock(self, at: tuple[int, int], when_s: float) -> None:
        self.left[at] -= 1
        self.ready_s[at] = max(self.ready_s[at], when_s)
        if not self.left[at]:
            heapq.heappush(self.queue, (self.ready_s[at], at))

    def _path(self, rank: int, op: Op) -> Way:
        pair = (rank, op.peer)
        if pair not in self.paths:
            self.paths[pair] = path(self.plan, self.plan.hosts[rank], self.plan.hosts[op.peer])
        return self.paths[pair]


def ring_textbook_s(plan: Plan, size_bytes: int) -> float:
    """2(n−1)α + 2(n−1)/n·Sβ with the worst α and β of the ring: no pipelining. [Thakur 2005]"""
    hosts = plan.hosts
    count = len(hosts)
    ways = [path(plan, host, hosts[(host.rank + 1) % count]) for host in hosts] if count > 1 else []
    alpha_s = max((way.alpha_s for way in ways), default=0.0)
    beta = max((way.beta_s_per_byte for way in ways), default=0.0)
    return 2 * (count - 1) * (alpha_s + size_bytes / count * beta)
