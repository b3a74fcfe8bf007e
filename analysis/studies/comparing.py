"""How two studies differ where both have the same points: figure by figure, and in their verdicts.

In: the findings and rows of two studies that vary the same things. Out: paired differences with their intervals.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from analysis.form.study import StudyFindings
from analysis.series.intervals import ends, student
from analysis.studies.measures import VERDICT
from scenario.errors import WrongInput


class NotAlike(WrongInput):
    """Studies that vary different things, or have no point in common."""


@dataclass(frozen=True)
class PairedDifference:
    """A figure at the points that both have: its means, the mean of the differences, and their 95 % interval."""

    name: str
    unit: str
    before: float
    after: float
    difference: float
    interval: tuple[float, float] | None
    count: int

    @property
    def real(self) -> bool:
        """Whether the interval leaves out 0; equal everywhere is not."""
        low, high = self.interval or (0.0, 0.0)
        return not low <= 0 <= high


@dataclass(frozen=True)
class StudyComparison:
    """Two studies, by the rows that both have done."""

    before: str
    after: str
    rows: int
    alone: tuple[int, int]
    figures: list[PairedDifference]
    verdicts: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def compare_studies(
    before: tuple[StudyFindings, pl.DataFrame], after: tuple[StudyFindings, pl.DataFrame]
) -> StudyComparison:
    """The second held against the first. Raises NotAlike."""
    paths = [one.path for one in before[0].varied]
    other = [one.path for one in after[0].varied]
    if sorted(paths) != sorted(other):
        raise NotAlike(f"one varies {', '.join(paths)}, the other {', '.join(other)}")
    keys = ["depth", "seed", *paths]
    done = [
        rows.filter(pl.col("status") == "done").unique(keys, keep="first")
        for _, rows in (before, after)
    ]
    both = done[0].join(done[1], on=keys, how="inner", suffix=" after", nulls_equal=True)
    if not both.height:
        raise NotAlike("they have no point in common")
    units = {one.name: one.unit for one in before[0].measured}
    return StudyComparison(
        before[0].name,
        after[0].name,
        both.height,
        (done[0].height - both.height, done[1].height - both.height),
        [
            _paired(name, unit, both)
            for name, unit in units.items()
            if f"{name} after" in both.columns
        ],
        _verdicts(both),
    )


def _paired(name: str, unit: str, both: pl.DataFrame) -> PairedDifference:
    own = both.select(before=name, after=f"{name} after").drop_nulls()
    differences = (own["after"] - own["before"]).to_list()
    count = len(differences)
    columns = (own["before"].to_list(), own["after"].to_list(), differences)
    before, after, difference = (sum(column) / count for column in columns)
    interval = ends(student(differences))
    return PairedDifference(name, unit, before, after, difference, interval, count)


def _verdicts(both: pl.DataFrame) -> dict[str, int]:
    if f"{VERDICT} after" not in both.columns:
        return {}
    pairs = both.select(VERDICT, f"{VERDICT} after").drop_nulls().iter_rows()
    found = Counter(a if a == b else f"{a} → {b}" for a, b in pairs)
    return dict(found.most_common())
