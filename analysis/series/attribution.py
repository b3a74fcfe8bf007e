"""How much of the lost time each cause is to blame for: the runs of all combinations, divided fairly.

In: the iteration time of every combination of causes and seed. Out: shares with intervals, what
causes do together, and a waterfall from the ideal to the actual, as plain data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from analysis.form.attribution import CauseShare, Combination, Interaction, Shares
from analysis.series.intervals import ends, student
from analysis.series.shapley import Causes, dividends, shapley, subsets


@dataclass(frozen=True)
class Cause:
    """A cause of lost time by name, and what a fabric without it is like."""

    name: str
    without: str


@dataclass(frozen=True)
class Trials:
    """Seconds per iteration by set of causes that act; one for each seed, always in the same order."""

    causes: tuple[Cause, ...]
    seconds: Mapping[Causes, Sequence[float]]

    @property
    def names(self) -> list[str]:
        """The causes' names."""
        return [cause.name for cause in self.causes]

    @property
    def seeds(self) -> int:
        """How many seeds each combination ran with."""
        return len(self.seconds[frozenset()])

    def of_seed(self, index: int) -> dict[Causes, float]:
        """The value of each combination under one seed."""
        return {chosen: seconds[index] for chosen, seconds in self.seconds.items()}


def attribute(trials: Trials) -> Shares:
    """Shares of the lost time.

    Shares are worked out seed by seed, on equal randomness; what is given is their mean, with
    Student's interval over the seeds.
    """
    by_seed = [trials.of_seed(index) for index in range(trials.seeds)]
    shares = [shapley(value, trials.names) for value in by_seed]
    together = [dividends(value, trials.names) for value in by_seed]
    ideal_s = fmean(trials.seconds[frozenset()])
    actual_s = fmean(trials.seconds[frozenset(trials.names)])
    lost_s = actual_s - ideal_s
    return Shares(
        ideal_s=ideal_s,
        actual_s=actual_s,
        lost_s=lost_s,
        seeds=trials.seeds,
        causes=[
            _share(cause, [one[cause.name] for one in shares], lost_s) for cause in trials.causes
        ],
        interactions=[
            _together(chosen, [one[chosen] for one in together])
            for chosen in subsets(trials.names)
            if len(chosen) > 1
        ],
        combinations=[
            _combination(chosen, trials.seconds[chosen]) for chosen in subsets(trials.names)
        ],
    )


def _share(cause: Cause, seconds: Sequence[float], lost_s: float) -> CauseShare:
    mean_s = fmean(seconds)
    return CauseShare(
        name=cause.name,
        without=cause.without,
        lost_s=mean_s,
        interval_s=ends(student(seconds)),
        share=mean_s / lost_s if lost_s else 0.0,
    )


def _together(chosen: Causes, seconds: Sequence[float]) -> Interaction:
    return Interaction(sorted(chosen), fmean(seconds), ends(student(seconds)))


def _combination(chosen: Causes, seconds: Sequence[float]) -> Combination:
    return Combination(sorted(chosen), fmean(seconds), ends(student(seconds)), list(seconds))
