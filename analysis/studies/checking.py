"""Is the model to be believed? The sample that was carried out in the fabric, held against what the model said of it.

In: the rows of both depths. Out: each figure's differences, and whether the study may conclude.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from analysis.form.study import CheckedFigure, CheckedPoint, SampleFound
from analysis.studies.measures import VERDICT, shares, unit
from scenario.types.study import Study


@dataclass(frozen=True)
class Picked:
    """The points that were to be carried out: by number, why; what each has for values, and where its folder is."""

    why: Mapping[int, str]
    says: Callable[[int], str]
    folder: Callable[[int], str | None]


def sample_found(study: Study, table: pl.DataFrame, chosen: Picked) -> SampleFound:
    """All figures that are checked."""
    names = study.sample.measure or tuple(n for n in study.measure if n != VERDICT)
    figures = [_figure(study, table, name, chosen) for name in names]
    fabric = table.filter((pl.col("depth") == "fabric") & (pl.col("status") == "done"))
    done = fabric["point"].n_unique()
    faithful = all(point.faithful for one in figures for point in one.points)
    whole = done == len(chosen.why) and done > 0
    return SampleFound(
        differ=study.sample.differ,
        wanted=len(chosen.why),
        done=done,
        concludes=whole and faithful and all(one.within for one in figures),
        figures=figures,
    )


def _figure(study: Study, table: pl.DataFrame, name: str, chosen: Picked) -> CheckedFigure:
    points = list(_points(table, name, chosen))
    differences = [abs(one.differ) for one in points if one.differ is not None]
    worst = max(differences, default=None)
    within = worst is not None and worst <= study.sample.differ
    return CheckedFigure(name, unit(name) or "", worst, within, points)


def _points(table: pl.DataFrame, name: str, chosen: Picked) -> Iterator[CheckedPoint]:
    absolute = shares(name)
    for index, reason in sorted(chosen.why.items()):
        here = table.filter(pl.col("point") == index)
        said = here.filter(pl.col("depth") == "model")[name][0]
        runs = here.filter((pl.col("depth") == "fabric") & (pl.col("status") == "done"))
        values = runs[name].drop_nulls().to_list()
        found = sum(values) / len(values) if values else None
        differ = None
        if found is not None and said is not None:
            differ = found - said if absolute else found / said - 1
        yield CheckedPoint(
            index, reason, chosen.says(index), said, found, differ, bool(runs["faithful"].all()),
            chosen.folder(index),
        )  # fmt: skip
