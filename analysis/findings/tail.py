"""How long the tail is: nearest-rank quantiles, always with the number of samples behind them.

In: durations. Out: a `Tail`, or an empirical distribution to draw. A quantile that the samples
cannot support (p99 of fewer than 100) is given, but marked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from analysis.form.parts import Tail, TailKey

QUANTILES: dict[TailKey, float] = {"p50_s": 0.50, "p90_s": 0.90, "p99_s": 0.99, "p999_s": 0.999}


def nearest_rank(ascending: Sequence[float] | pl.Series, quantile: float) -> float:
    """The smallest sample with at least `quantile` of all samples at or below it.

    The nearest-rank definition: sample number ceil(q·n), counted from 1. Never interpolates.
    """
    position = math.ceil(round(quantile * len(ascending), 9))
    return float(ascending[max(position, 1) - 1])


def tail(durations_s: pl.Series) -> Tail:
    """The tail of one or more durations in seconds."""
    ascending = durations_s.cast(pl.Float64).sort()
    values = {name: nearest_rank(ascending, q) for name, q in QUANTILES.items()}
    return Tail(
        count=len(ascending),
        mean_s=math.fsum(ascending) / len(ascending),
        p50_s=values["p50_s"],
        p90_s=values["p90_s"],
        p99_s=values["p99_s"],
        p999_s=values["p999_s"],
        max_s=float(ascending[-1]),
        notes=weak_quantiles(len(ascending)),
    )


def weak_quantiles(count: int) -> dict[str, str]:
    """Marks for quantiles with less than one sample expected above them: {"p99_s": "n<100"}."""
    needed = {name: round(1 / (1 - q)) for name, q in QUANTILES.items()}
    return {name: f"n<{n}" for name, n in needed.items() if count < n}


def distribution(durations_s: pl.Series, points: int = 400) -> list[tuple[float, float]]:
    """The empirical CDF as (seconds, share of samples at or below), thinned to about `points`.

    Thinning keeps evenly spaced samples and always the first and the last: nothing is interpolated.
    """
    ascending = durations_s.cast(pl.Float64).sort()
    count = len(ascending)
    kept = sorted({round(i * (count - 1) / (points - 1)) for i in range(points)})
    return [(float(ascending[i]), (i + 1) / count) for i in kept]


def survival(durations_s: pl.Series, points: int = 200) -> list[tuple[float, float]]:
    """The complementary distribution as (seconds, share of samples at or above), ascending.

    Of many samples the longest are all kept, the others thinned ever more towards the shortest.
    """
    ascending = durations_s.cast(pl.Float64).sort()
    count = len(ascending)
    above = {round(count ** (step / (points - 1))) for step in range(points)}
    return [(float(ascending[count - n]), n / count) for n in sorted(above, reverse=True)]
