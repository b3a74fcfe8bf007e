"""Shares of a whole among causes that act together: Shapley values and Harsanyi dividends.

In: the value of every set of causes. Out: what each cause, and each set of causes beyond its parts,
adds. Both sum to the value of all causes less that of none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from math import factorial

Causes = frozenset[str]


def subsets(causes: Sequence[str]) -> Iterator[Causes]:
    """All sets of causes, the empty one first, by size and then in the order given."""
    for size in range(len(causes) + 1):
        for chosen in combinations(causes, size):
            yield frozenset(chosen)


def shapley(value: Mapping[Causes, float], causes: Sequence[str]) -> dict[str, float]:
    """What each cause adds, averaged over all orders in which the causes can come [Shapley 1953].

    `value` holds every subset. Exact: 2^k values, no sampling.
    """
    return {cause: _average_gain(value, cause, causes) for cause in causes}


def dividends(value: Mapping[Causes, float], causes: Sequence[str]) -> dict[Causes, float]:
    """What each set of causes adds that no smaller set within it explains [Harsanyi 1963].

    For two causes: v(ab) − v(a) − v(b) + v(∅). Positive: together worse than one by one.
    """
    found: dict[Causes, float] = {}
    for chosen in subsets(causes):
        if chosen:
            parts = sum(found[part] for part in found if part < chosen)
            found[chosen] = value[chosen] - value[frozenset()] - parts
    return found


def _average_gain(value: Mapping[Causes, float], cause: str, causes: Sequence[str]) -> float:
    others = [other for other in causes if other != cause]
    count = len(causes)
    gains = (
        _orders(len(before), count) * (value[before | {cause}] - value[before])
        for before in subsets(others)
    )
    return sum(gains)


def _orders(before: int, count: int) -> float:
    """The share of all orders in which a given set of so many comes just before the cause."""
    return factorial(before) * factorial(count - before - 1) / factorial(count)
