"""The verdict of a point: the cause that costs most of the time lost, or whether an expression holds.

In: how long an iteration takes with each set of causes in force. Out: a word, and each cause's share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.findings.headline import NOTICEABLE
from analysis.series.shapley import Causes, shapley
from analysis.studies.measures import LOST
from scenario.expressions.terms import Term

LINKS = "links"
"""What is left when no cause acts: that campuses are joined by links at all, as thin as they are."""
NOTHING = "nothing"
"""The verdict where less than a noticeable share of the time is lost."""
YES, NO = "yes", "no"


@dataclass(frozen=True)
class CauseRuling:
    """The verdict, and what each cause costs, as a share of the iteration."""

    verdict: str
    shares: Mapping[str, float]

    def figures(self) -> dict[str, float]:
        """The shares as figures: `lost.aging`."""
        return {f"{LOST}.{name}": share for name, share in self.shares.items()}


def ruled(times: Mapping[Causes, float], causes: Sequence[str], ideal_s: float) -> CauseRuling:
    """By Shapley value; `times` holds every set of the causes, `ideal_s` is one uniform campus."""
    actual_s = times[frozenset(causes)]
    found = shapley(times, causes) | {LINKS: times[frozenset()] - ideal_s}
    shares = {name: seconds / actual_s for name, seconds in found.items()}
    if 1 - ideal_s / actual_s < NOTICEABLE:
        return CauseRuling(NOTHING, shares)
    return CauseRuling(max(shares, key=lambda name: shares[name]), shares)


def decided(verdict: Term, figures: Mapping[str, float]) -> str | None:
    """Whether the study's own expression holds; None where that hangs on a figure that is not there."""
    holds = verdict.holds(figures)
    return None if holds is None else YES if holds else NO
