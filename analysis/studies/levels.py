"""Rows of a study by the values of one thing varied: each value by itself where there are few, else parts of its range.

In: the table and what is varied. Out: labels in order, and for every row the number of its label.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from analysis.form.study import LevelMean
from analysis.series.intervals import ends, student
from scenario.types.study import Choices, Stretch, Varied

FEW = 12
PARTS = 8
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Levels:
    """`of[row]` is the number of the row's label."""

    labels: tuple[str, ...]
    of: npt.NDArray[np.int64]

    def means(self, figures: Numbers) -> list[LevelMean]:
        """The mean of a figure at every label that has rows; nan is no figure."""
        made = []
        for number, label in enumerate(self.labels):
            own = figures[(self.of == number) & ~np.isnan(figures)]
            if len(own):
                made.append(level_mean(label, own))
        return made


def level_mean(label: str, own: Numbers) -> LevelMean:
    """Mean and interval of some figures."""
    interval = ends(student(own.tolist())) if len(own) > 1 else None
    return LevelMean(label, float(own.mean()), interval, len(own))


def levels(one: Varied, table: pl.DataFrame, most: int = PARTS) -> Levels:
    """Those of one thing varied, at most so many parts of a range."""
    column = table[one.path]
    if not one.spread.measured:
        return _named(one, column)
    values = column.to_numpy()
    distinct = np.unique(values)
    if len(distinct) <= max(most, FEW if most >= PARTS else most):
        labels = tuple(_label(one, float(value)) for value in distinct)
        return Levels(labels, np.searchsorted(distinct, values))
    edges = np.unique(np.quantile(values, np.linspace(0, 1, most + 1)))
    of = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    ends_ = [_label(one, float(edge), digits=3) for edge in edges]
    return Levels(tuple(f"{a} … {b}" for a, b in itertools.pairwise(ends_)), of)


def _named(one: Varied, column: pl.Series) -> Levels:
    assert isinstance(one.spread, Choices)
    labels = [value.label for value in one.spread.values]
    labels += [label for label in column.unique().sort().to_list() if label not in labels]
    numbers = {label: number for number, label in enumerate(labels)}
    return Levels(tuple(labels), np.array([numbers[label] for label in column], dtype=np.int64))


def _label(one: Varied, value: float, digits: int = 6) -> str:
    """As the study writes it."""
    if isinstance(one.spread, Choices):
        found = [known.label for known in one.spread.values if known.number == value]
        if found:
            return found[0]
        return f"{value:.{digits}g}"
    unit = one.spread.unit
    shown = float(f"{value / unit.si:.{digits}g}")
    return f"{shown:.{max(digits, 12)}g}{unit.name}"


def over(one: Varied) -> str:
    """What it is varied over, in words."""
    spread = one.spread
    if isinstance(spread, Choices):
        return ", ".join(value.label for value in spread.values)
    if isinstance(spread, Stretch):
        by = ", by its logarithm" if spread.logarithmic else ""
        return f"{_label(one, spread.low)} to {_label(one, spread.high)}{by}"
    deviation = f"{spread.deviation / spread.unit.si:.6g}{spread.unit.name}"
    return f"normal: {_label(one, spread.mean)} ± {deviation}"
