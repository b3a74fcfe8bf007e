"""How long a ring all-reduce takes at the least, exactly, with all its pipelining: for any number of ranks at once.

In: the hops of the ring, in runs of equal ones. Out: seconds. Of n ranks each passes on 2(n - 1) pieces of 1/n of the
data. A piece leaves a rank when it has come and the piece before it has left, so that times are a max-plus product:

    left[r, k] = max(came[r - 1, k - 1], left[r, k - 1] + b)      came[r, k] = left[r, k] + b + a

with a the latency and b the time on the wire of a piece over hop r. The longest way through that walks from hop to hop
(a + b each) or stays at a slow one (b each), in 2(n - 1) steps altogether. The best walk begins and ends where one run
of equal hops meets the next, so that 100,000 ranks cost as much as three campuses do. (Thakur et al. 2005 charge every
step the slowest hop's a + b: an upper bound, too high by the number of ranks where distance is long.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np


@dataclass(frozen=True)
class Hops:
    """So many hops alike, one after the other: seconds of latency, and seconds per byte on the wire."""

    count: int
    alpha_s: float
    beta_s_per_byte: float


def ring_all_reduce_s(ring: Sequence[Hops], size_bytes: float) -> float:
    """Seconds from the common start to the last rank's end, of data that all ranks hold."""
    ranks = sum(hops.count for hops in ring)
    if ranks < 2:
        return 0.0
    steps, piece = 2 * (ranks - 1), size_bytes / ranks
    walks = _Walks([hops for hops in ring if hops.count], piece)
    return max(walks.longest_s(start, end, steps) for start, end in _windows(walks, steps))


def entered_s(ring: Sequence[Hops], size_bytes: float, starts_s: Sequence[float]) -> float:
    """The same from the last rank's start to the last rank's end, of ranks that start when they do: piece by piece."""
    count = len(starts_s)
    alpha, beta = (
        np.array([value for hops in ring for value in [getattr(hops, name)] * hops.count])
        for name in ("alpha_s", "beta_s_per_byte")
    )
    busy = beta * (size_bytes / count)
    came, left = np.array(starts_s, dtype=float), np.full(count, -np.inf)
    for _ in range(2 * (count - 1)):
        # A rank passes a piece on no sooner than it has entered itself.
        left = np.maximum(np.roll(came, 1), left + busy)
        came = np.maximum(left + busy + alpha, starts_s)
    return float(came.max() - max(starts_s))


class _Walks:
    """The ring unrolled thrice: where runs begin, and what walking to there costs."""

    def __init__(self, ring: Sequence[Hops], piece: float) -> None:
        self.runs = [*ring, *ring, *ring]
        self.busy_s = [hops.beta_s_per_byte * piece for hops in self.runs]
        self.hop_s = [b + hops.alpha_s for b, hops in zip(self.busy_s, self.runs, strict=True)]
        self.begins = [0, *accumulate(hops.count for hops in self.runs)]
        costs = (hop * run.count for hop, run in zip(self.hop_s, self.runs, strict=True))
        self.cost_s = [0.0, *accumulate(costs)]

    def until_s(self, place: int) -> float:
        """The cost of all hops before a place."""
        index = max(i for i, begin in enumerate(self.begins[:-1]) if begin <= place)
        return self.cost_s[index] + (place - self.begins[index]) * self.hop_s[index]

    def longest_s(self, start: int, end: int, steps: int) -> float:
        """Over the hops from a place to another, with what is left of the steps spent at the busiest of them."""
        between = zip(self.begins, self.begins[1:], self.busy_s, strict=False)
        busiest = max(b for first, last, b in between if first < end and last > start)
        return self.until_s(end) - self.until_s(start) + (steps - (end - start)) * busiest


def _windows(walks: _Walks, steps: int) -> Iterator[tuple[int, int]]:
    """Walks of at most so many steps that can be the longest: ends at the runs' borders, or as far as steps lead; or
    a single hop, where one stays."""
    last = walks.begins[-1]
    for start in walks.begins[:-1]:
        yield start, start + 1
        yield from ((start, end) for end in walks.begins if start < end <= start + steps)
        if start + steps <= last:
            yield start, start + steps
        if start >= steps:
            yield start - steps, start
