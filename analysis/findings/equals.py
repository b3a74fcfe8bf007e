"""Why ranks that compute equally long are waited for unequally: a sentence, where there are such.

In: the ranks of a summary. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from analysis import units
from analysis.form.stalls import Rank

EQUALLY = 1e-3
"""Two compute equally long if their means differ by less than this share."""
NOTICEABLE = 0.01
"""Of all waiting: smaller shares, and smaller differences between shares, are not spoken of."""


def unequal_shares(ranks: Sequence[Rank]) -> str | None:
    """What is said below the shares; of several groups of equals, about the one that is waited for most."""
    found = [group for group in _equals(ranks) if _spread(group) >= NOTICEABLE]
    if not found:
        return None
    group = max(found, key=lambda equals: sum(rank.blamed_share for rank in equals))
    most, least = group[0], group[-1]
    begins_s = [rank.late_begin_s for rank in group]
    apart = units.time(max(begins_s) - min(begins_s))
    return (
        f"{most.name} ({units.percent(most.blamed_share)}) and {least.name} "
        f"({units.percent(least.blamed_share)}) compute equally long on average, but do not come at one instant: "
        f"the {len(group)} such ranks begin up to {apart} apart, and {most.name} was last {most.last_to_enter} times, "
        f"{least.name} {least.last_to_enter}. Each stretch of waiting is divided among those still missing; "
        "the last stretch is the last one's alone."
    )


def _equals(ranks: Sequence[Rank]) -> list[list[Rank]]:
    """Groups of ranks that are waited for, by equal compute, the most waited for first in each."""
    groups: list[list[Rank]] = []
    blamed = (rank for rank in ranks if rank.blamed_share >= NOTICEABLE and rank.compute_s > 0)
    for rank in sorted(blamed, key=lambda rank: rank.compute_s):
        if groups and rank.compute_s <= groups[-1][0].compute_s * (1 + EQUALLY):
            groups[-1].append(rank)
        else:
            groups.append([rank])
    return [sorted(group, key=lambda rank: (-rank.blamed_share, rank.rank)) for group in groups]


def _spread(group: Sequence[Rank]) -> float:
    return group[0].blamed_share - group[-1].blamed_share
