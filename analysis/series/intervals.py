"""How sure a number is: confidence intervals from few independent samples, and from many.

In: samples. Out: an `Interval`, or None where the samples say nothing of their spread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]

# Student's t, two-sided 95 %, by degrees of freedom from 1; the normal quantile beyond.
_T95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
_NORMAL95 = 1.960


@dataclass(frozen=True)
class Interval:
    """A 95 % confidence interval."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether the value lies within, ends included."""
        return self.low <= value <= self.high

    def as_list(self) -> list[float]:
        """As JSON has it."""
        return [self.low, self.high]


def ends(interval: Interval | None) -> tuple[float, float] | None:
    """Low and high, as JSON has them; None where nothing is known of the spread."""
    return (interval.low, interval.high) if interval else None


def student(samples: Sequence[float]) -> Interval | None:
    """Of the mean of a few independent samples, such as one per seed, by Student's t.

    None for fewer than two.
    """
    count = len(samples)
    if count < 2:
        return None
    quantile = _T95[count - 2] if count - 2 < len(_T95) else _NORMAL95
    half, middle = quantile * stdev(samples) / sqrt(count), fmean(samples)
    return Interval(middle - half, middle + half)


def bootstrap(
    samples: Samples,
    statistic: Callable[[Samples], Samples],
    *,
    draws: int = 2000,
    seed: int = 0,
) -> Interval | None:
    """Of a statistic of many samples: percentiles of its values on resamples [Efron 1979].

    `statistic` takes resamples as rows and returns a value for each. The same seed gives the same
    interval. None for fewer than two samples.
    """
    if len(samples) < 2:
        return None
    random = np.random.default_rng(seed)
    drawn = random.integers(len(samples), size=(draws, len(samples)))
    low, high = np.quantile(statistic(samples[drawn]), [0.025, 0.975])
    return Interval(float(low), float(high))


def mean(rows: Samples) -> Samples:
    """The mean of each row."""
    found: Samples = rows.mean(axis=1)
    return found


def nearest_rank(quantile: float) -> Callable[[Samples], Samples]:
    """The nearest-rank quantile of each row."""

    def of(rows: Samples) -> Samples:
        found: Samples = np.quantile(rows, quantile, axis=1, method="inverted_cdf")
        return found

    return of
