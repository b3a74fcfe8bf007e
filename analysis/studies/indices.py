"""How much of a figure's variance each thing varied is to blame for: Sobol' and Morris, by SALib.

In: a problem as SALib has it, and a figure at every point of the design, in its order. Out: indices with intervals.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from analysis.form.study import Elementary, Index, Together

RESAMPLES = 200
SEED = 1
LEVELS = 8
"""Of a Morris design."""


def sobol(problem: dict[str, Any], figures: Sequence[float]) -> tuple[list[Index], list[Together]]:
    """First and total order, and second order by pairs, strongest first. Nothing where the figure never varies."""
    values = np.asarray(figures, dtype=float)
    if not len(values) or np.ptp(values) == 0:
        return [], []
    from SALib.analyze import sobol as analysis  # noqa: PLC0415 - a second of CPU, for those who ask for it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of divisions by variances near 0, which show as they are
        found = analysis.analyze(problem, values, num_resamples=RESAMPLES, seed=SEED)
    names = problem["names"]
    indices = [
        Index(name, *(float(found[key][i]) for key in ("S1", "S1_conf", "ST", "ST_conf")))
        for i, name in enumerate(names)
    ]
    pairs = [
        Together(names[i], names[j], float(found["S2"][i, j]), float(found["S2_conf"][i, j]))
        for i, j in combinations(range(len(names)), 2)
    ]
    return sorted(indices, key=lambda one: -one.total), sorted(pairs, key=lambda one: -one.share)


def morris(
    problem: dict[str, Any], chances: Sequence[Sequence[float]], figures: Sequence[float]
) -> list[Elementary]:
    """Mean size and spread of elementary effects, the largest first."""
    values = np.asarray(figures, dtype=float)
    if not len(values) or np.ptp(values) == 0:
        return []
    from SALib.analyze import morris as analysis  # noqa: PLC0415 - as above

    found = analysis.analyze(
        problem, np.asarray(chances, dtype=float), values, num_levels=LEVELS,
        num_resamples=RESAMPLES, seed=SEED,
    )  # fmt: skip
    rows = zip(
        problem["names"], found["mu_star"], found["mu_star_conf"], found["sigma"], strict=True
    )
    made = [
        Elementary(name, float(mu), float(half), float(sigma)) for name, mu, half, sigma in rows
    ]
    return sorted(made, key=lambda one: -one.mu_star)
