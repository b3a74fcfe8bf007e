"""The verdict of a study: what it usually is, how likely another one is, and what turns it.

In: the rows that are done. Out: shares of rows with another verdict, in all and by the values of what is varied.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import sqrt

import numpy as np
import numpy.typing as npt
import polars as pl

from analysis.form.study import Boundary, Turn, VerdictFound
from analysis.studies.levels import Numbers, levels
from analysis.studies.measures import VERDICT
from scenario.types.study import Study

DRAWN = ("random", "latin-hypercube", "sobol")
CELLS = 6
_Z = 1.96


def verdict_found(study: Study, done: pl.DataFrame) -> VerdictFound | None:
    """All about it; None where no row has one."""
    own = done.filter(pl.col(VERDICT).is_not_null())
    if not own.height:
        return None
    counts = Counter(own[VERDICT].to_list())
    usual = _usual(study, own, counts)
    other = (own[VERDICT] != usual).to_numpy().astype(float)
    free = other[_independent(study, own)]
    turns = sorted(
        (_turn(study, own, other, n) for n in range(len(study.varied))), key=lambda t: -t.span
    )
    drawn = study.design in DRAWN
    return VerdictFound(
        asked=study.verdict[0] if study.verdict else "the cause that costs most",
        usual=usual,
        counts=dict(counts.most_common()),
        flips=float(free.mean()),
        independent=len(free),
        interval=wilson(int(free.sum()), len(free)) if drawn else None,
        drawn=drawn,
        turns=turns,
        boundary=_boundary(study, own, other, turns) if other.any() else None,
    )


def _independent(study: Study, own: pl.DataFrame) -> npt.NDArray[np.bool_]:
    """Rows whose points were drawn by themselves: of a block of Saltelli's design the first and the last, as the others
    are mixed of these two. Where none of them has a verdict, all."""
    if study.design != "sobol":
        return np.ones(own.height, dtype=bool)
    block = 2 * len(study.varied) + 2
    place = own["point"].to_numpy() % block
    found: npt.NDArray[np.bool_] = (place == 0) | (place == block - 1)
    return found if found.any() else np.ones(own.height, dtype=bool)


def wilson(count: int, of: int) -> tuple[float, float]:
    """95 % confidence interval of a share [Wilson 1927]."""
    share, z2 = count / of, _Z**2
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z / (1 + z2 / of) * sqrt(share * (1 - share) / of + z2 / (4 * of**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def _usual(study: Study, own: pl.DataFrame, counts: Counter[str]) -> str:
    """The verdict where everything has its usual value, if there is such a point; else the most frequent one."""
    known = own
    for one in study.varied:
        value = one.usual.number if one.spread.measured else one.usual.label
        known = known.filter(pl.col(one.path) == value)
    if known.height:
        return str(known[VERDICT][0])
    return sorted(counts, key=lambda verdict: (-counts[verdict], verdict))[0]


def _turn(study: Study, own: pl.DataFrame, other: Numbers, number: int) -> Turn:
    one = study.varied[number]
    means = levels(one, own).means(other)
    found = [
        type(mean)(
            mean.label, mean.mean, wilson(round(mean.mean * mean.count), mean.count), mean.count
        )
        for mean in means
    ]
    shares = [mean.mean for mean in means]
    return Turn(one.path, found, max(shares) - min(shares))


def _boundary(
    study: Study, own: pl.DataFrame, other: Numbers, turns: Sequence[Turn]
) -> Boundary | None:
    if len(turns) < 2:
        return None
    chosen = {one.path: one for one in study.varied}
    across, down = (chosen[one.path] for one in turns[:2])
    columns, rows = levels(across, own, CELLS), levels(down, own, CELLS)
    inside = [
        [other[(rows.of == i) & (columns.of == j)] for j in range(len(columns.labels))]
        for i in range(len(rows.labels))
    ]
    return Boundary(
        across=across.path,
        down=down.path,
        columns=list(columns.labels),
        rows=list(rows.labels),
        flipped=[[float(np.mean(cell)) if len(cell) else None for cell in row] for row in inside],
        counts=[[len(cell) for cell in row] for row in inside],
    )
