"""Connections dealt over equal ways: source ports with which switches' hashes lead them there.

As clusters do that know their switches' hash: the sender picks the entropy, no switch is told anything. The
connections of one rank after another go over the ways in turn, and so does each further one between the same two:
in a ring, a halving or a permutation no two that begin at one switch meet there. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from scenario.plan.forwarding import Ends, Forwarding
from scenario.plan.hashing import FiveTuple
from scenario.plan.types import Plan
from traffic.host.ports import COUNT

MOST_WAYS = 256
"""From one host to another."""
STRIDE = 64
"""Between the numbers that are tried: so many connections between the same two hosts have ports of their own."""


class Pins:
    """The numbers that connections leave by, of a plan with equal ways."""

    def __init__(self, plan: Plan, forwarding: Forwarding) -> None:
        self._plan = plan
        self._forwarding = forwarding
        self._ways: dict[tuple[int, int, int], list[Ends]] = {}

    def number(
        self, source: int, sink: int, dscp: int, nth: int, leaving: Callable[[int], FiveTuple]
    ) -> int:
        """The number that has the `nth` connection between two ranks leave from a port (`leaving` says what
        switches see of it) with which it takes the way whose turn it is; `nth` itself, where none does."""
        ways = self._between(source, sink, dscp)
        if len(ways) < 2 or nth >= STRIDE:
            return nth
        wanted = ways[(source + nth) % len(ways)]
        numbers = range(nth, COUNT, STRIDE)
        fitting = (one for one in numbers if self._forwarding.take(leaving(one), dscp) == wanted)
        return next(fitting, nth)

    def _between(self, source: int, sink: int, dscp: int) -> list[Ends]:
        key = (source, sink, dscp)
        if key not in self._ways:
            one, other = (self._plan.hosts[rank] for rank in (source, sink))
            found = islice(self._forwarding.ways(one, other, dscp), MOST_WAYS)
            self._ways[key] = sorted(
                (ends for _, ends in found), key=lambda ends: [end.interface for end in ends]
            )
        return self._ways[key]
