"""How runs differ, and whether the differences are real.

In: runs. Runs of the same files with other seeds are samples of one thing. Out: for each thing against the first,
the difference of every figure with a 95 % interval, and whether it is real: by Holm's correction over all figures
[Holm 1979], so that of a table without any difference one in twenty at most calls any real.

The interval is a bootstrap in two stages: seeds are drawn anew, then iterations within each. Where both ran with the
same seeds, they are drawn in pairs. With one seed only iterations are drawn: what that seed alone brings about cannot
be told from a difference. All of it is the emulator's spread over seeds, not that of real clusters.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from analysis.findings.stalls import collectives, iterations
from analysis.run import Run
from analysis.series.intervals import Interval
from analysis.tables import NS, digest

FIGURES = ("iteration", "compute", "sync wait", "transfer")
"""What is compared: seconds per iteration, the last three as means over ranks."""
QUANTILES = {"iteration p50": 0.5, "iteration p99": 0.99}
"""And of all iterations together."""
LEAST = {"iteration p50": 6, "iteration p99": 368}
"""Iterations from which a quantile q has a 95 % interval without assumptions: ln 0.025 / ln max(q, 1 − q)."""
LEVEL = 0.05
DRAWS = 2000
Samples = npt.NDArray[np.float64]
Data = dict[str, Any]


@dataclass(frozen=True)
class Thing:
    """Runs that differ in their seed alone. `samples[i]` are run i's: an iteration a row, FIGURES across."""

    name: str
    runs: tuple[Run, ...]
    samples: tuple[Samples, ...]
    digests: tuple[str, ...]

    def figures(self) -> Samples:
        """Means of FIGURES, every run weighing the same, and QUANTILES of all iterations."""
        return _figures(self.samples)

    @property
    def seeds(self) -> list[int | None]:
        """The seed of each run."""
        return [run.manifest.get("seed") for run in self.runs]

    def resampled(self, random: np.random.Generator, drawn: Sequence[int] | None = None) -> Samples:
        """The figures of one resample: of runs (those `drawn`), then of the iterations of each."""
        count = len(self.samples)
        if drawn is None:
            drawn = list(random.integers(count, size=count)) if count > 1 else [0]
        rows = [self.samples[index] for index in drawn]
        return _figures([one[random.integers(len(one), size=len(one))] for one in rows])

    @property
    def count(self) -> int:
        """Measured iterations of all runs."""
        return sum(len(one) for one in self.samples)


@dataclass(frozen=True)
class Difference:
    """Of one figure: seconds before, seconds after, the 95 % interval of after − before, and how probable so large a
    difference is by chance; `real` after Holm's correction over all figures."""

    figure: str
    before_s: float
    after_s: float
    interval: Interval
    p_value: float
    real: bool

    def as_dict(self) -> Data:
        """As `--format json` has it."""
        return {
            "figure": self.figure,
            "before_s": self.before_s,
            "after_s": self.after_s,
            "difference_s": self.after_s - self.before_s,
            "interval_s": self.interval.as_list(),
            "p_value": self.p_value,
            "real": self.real,
        }


@dataclass(frozen=True)
class Comparison:
    """A thing against the first one. `identical`: every event is, to the nanosecond."""

    before: Thing
    after: Thing
    identical: bool
    differences: tuple[Difference, ...]

    def as_dict(self) -> Data:
        """As `--format json` has it."""
        return {
            "before": [str(run.path) for run in self.before.runs],
            "after": [str(run.path) for run in self.after.runs],
            "identical": self.identical,
            "differences": [one.as_dict() for one in self.differences],
        }


def compare(runs: Sequence[Run]) -> list[Comparison]:
    """Each thing against the first; with one thing alone, its other runs against its first run."""
    found = things(runs)
    if len(found) == 1:
        found = [_thing([run]) for run in runs]
    return [_compared(found[0], other) for other in found[1:]]


def things(runs: Sequence[Run]) -> list[Thing]:
    """Runs of the same inputs together, in the order in which the first of each came."""
    alike: dict[str, list[Run]] = {}
    for run in runs:
        alike.setdefault(_inputs(run), []).append(run)
    return [_thing(group) for group in alike.values()]


def per_iteration(run: Run) -> Samples:
    """FIGURES of each measured iteration, seconds: a row an iteration."""
    waits = (
        collectives(run.measured)
        .group_by("iteration", "rank")
        .agg(pl.col("sync_wait_ns", "transfer_ns").sum())
    )
    computes = run.measured.filter(pl.col("kind") == "compute")
    computed = computes.group_by("iteration", "rank").agg(
        compute_ns=(pl.col("end_ns") - pl.col("start_ns")).sum()
    )
    means = (
        waits.join(computed, on=["iteration", "rank"], how="left")
        .group_by("iteration")
        .agg(pl.col("compute_ns", "sync_wait_ns", "transfer_ns").fill_null(0).mean())
    )
    table = iterations(run).join(means, on="iteration", how="left").sort("iteration")
    columns = ["duration_ns", "compute_ns", "sync_wait_ns", "transfer_ns"]
    found: Samples = table.select(pl.col(columns).fill_null(0).cast(pl.Float64)).to_numpy() * NS
    return found


def _inputs(run: Run) -> str:
    """What a run is a function of, but for the seed."""
    manifest = run.manifest
    keys = ("inputs", "overrides", "workload_overrides", "without", "time", "longhaul")
    return json.dumps([manifest.get("name"), *(manifest.get(key) for key in keys)], sort_keys=True)


def _thing(runs: Sequence[Run]) -> Thing:
    name = str(runs[0].path.name)
    name += f" and {len(runs) - 1} more" if len(runs) > 1 else ""
    samples = tuple(per_iteration(run) for run in runs)
    return Thing(name, tuple(runs), samples, tuple(digest(run.recorded) for run in runs))


def _compared(before: Thing, after: Thing) -> Comparison:
    first, second = before.figures(), after.figures()
    random = np.random.default_rng(0)
    pairs = _pairs(before, after)
    drawn = np.array([_difference(before, after, pairs, random) for _ in range(DRAWS)])
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    named = [*FIGURES, *QUANTILES]
    count = min(before.count, after.count)
    kept = [n for n, figure in enumerate(named) if count >= LEAST.get(figure, 0)]
    chance = [_p_value(drawn[:, n]) for n in kept]
    differences = tuple(
        Difference(
            named[n],
            float(first[n]),
            float(second[n]),
            Interval(float(low[n]), float(high[n])),
            p,
            real,
        )
        for n, p, real in zip(kept, chance, holm(chance), strict=True)
    )
    return Comparison(before, after, before.digests == after.digests, differences)


def holm(p_values: Sequence[float], level: float = LEVEL) -> list[bool]:
    """Which of several hypotheses fall, the chance of any wrong one being at most `level` [Holm 1979]."""
    falls = [False] * len(p_values)
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda n: p_values[n])):
        if p_values[index] > level / (len(p_values) - rank):
            break
        falls[index] = True
    return falls


def _pairs(before: Thing, after: Thing) -> list[tuple[int, int]] | None:
    """The runs of both with equal seeds, where all have one; else nothing can be paired."""
    if sorted(map(str, before.seeds)) != sorted(map(str, after.seeds)):
        return None
    return [(n, after.seeds.index(seed)) for n, seed in enumerate(before.seeds)]


def _difference(
    before: Thing, after: Thing, pairs: list[tuple[int, int]] | None, random: np.random.Generator
) -> Samples:
    """Of one resample, in pairs where there are any."""
    if pairs is None:
        return after.resampled(random) - before.resampled(random)
    count = len(pairs)
    drawn = [pairs[n] for n in (random.integers(count, size=count) if count > 1 else [0])]
    found: Samples = after.resampled(random, [b for _, b in drawn])
    return found - before.resampled(random, [a for a, _ in drawn])


def _p_value(drawn: Samples) -> float:
    """Two-sided, of the difference being 0: twice the smaller share of resamples on either side of it."""
    count = len(drawn)
    if not np.any(drawn):
        return 1.0
    below, above = (np.sum(drawn <= 0) + 1) / (count + 1), (np.sum(drawn >= 0) + 1) / (count + 1)
    return float(min(1.0, 2 * min(below, above)))


def _figures(rows: Sequence[Samples]) -> Samples:
    means = np.mean([one.mean(axis=0) for one in rows], axis=0)
    together = np.concatenate([one[:, 0] for one in rows])
    # Nearest-rank, as everywhere.
    tails = np.quantile(together, list(QUANTILES.values()), method="inverted_cdf")
    found: Samples = np.concatenate([means, tails])
    return found
