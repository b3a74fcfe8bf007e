"""Which points of a study by the model are carried out in the fabric: where the verdict turns, the extremes, a spread.

In: the points and what the model says of them. Out: some of the points, and why each was chosen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from analysis.studies.measures import VERDICT
from scenario.types.study import Choices, Stretch, Study, StudyPoint

Places: TypeAlias = npt.NDArray[np.float64]
TURNS_SHARE = 1 / 3
"""Of the sample, at most so much is where the verdict turns."""


def places(study: Study, points: Sequence[StudyPoint]) -> Places:
    """Points in the unit cube: by value, or by its logarithm; of choices by their order."""
    columns = []
    for number, one in enumerate(study.varied):
        values = np.array([point.values[number].number for point in points], dtype=float)
        spread = one.spread
        if isinstance(spread, Stretch) and spread.logarithmic:
            values = np.log(values)
        if isinstance(spread, Choices) and spread.measured:
            order = sorted({value.number for value in spread.values})
            values = np.searchsorted(order, values).astype(float)
        low, high = values.min(), values.max()
        columns.append((values - low) / (high - low) if high > low else np.zeros_like(values))
    return np.array(columns).T


def sample(study: Study, points: Sequence[StudyPoint], modelled: pl.DataFrame) -> dict[int, str]:
    """By index of the point, why it is carried out; as many as the study asks for, if there are so many of different
    settings. `modelled` has a row per point."""
    done = _once(study, points, modelled.filter(pl.col("status") == "done"))
    where = places(study, points)
    chosen: dict[int, str] = {}
    for index, why in (*_extremes(study, done), *_turning(study, done, where)):
        if len(chosen) < study.sample.points:
            chosen.setdefault(index, why)
    for index in _farthest(done, where, list(chosen)):
        if len(chosen) >= study.sample.points:
            break
        chosen.setdefault(index, "spread")
    return chosen


def _once(study: Study, points: Sequence[StudyPoint], done: pl.DataFrame) -> pl.DataFrame:
    """Of points with equal settings, of which designs by blocks have many, the first."""
    seen = {points[index].settings(study): index for index in reversed(done["point"].to_list())}
    return done.filter(pl.col("point").is_in(list(seen.values())))


def _extremes(study: Study, done: pl.DataFrame) -> Iterator[tuple[int, str]]:
    for name in study.measure:
        if name != VERDICT and done[name].null_count() < done.height:
            ordered = done.sort(name, "point", nulls_last=True)["point"]
            last = done.filter(pl.col(name).is_not_null()).sort(name, "point")["point"]
            yield int(ordered[0]), f"least {name}"
            yield int(last[-1]), f"most {name}"


def _turning(study: Study, done: pl.DataFrame, where: Places) -> Iterator[tuple[int, str]]:
    """Points nearest to one of another verdict, nearest first."""
    if VERDICT not in done.columns or done[VERDICT].n_unique() < 2:
        return
    from scipy.spatial import cKDTree  # noqa: PLC0415 - not everybody who has longhaul has it

    indices, verdicts = done["point"].to_numpy(), done[VERDICT].to_numpy()
    near = np.full(len(indices), np.inf)
    for verdict in sorted(set(verdicts) - {None}):
        own = verdicts == verdict
        near[own] = cKDTree(where[indices[~own]]).query(where[indices[own]])[0]
    order = np.lexsort((indices, near))
    for place in order[: max(1, round(study.sample.points * TURNS_SHARE))]:
        yield int(indices[place]), "the verdict turns nearby"


def _farthest(done: pl.DataFrame, where: Places, chosen: Sequence[int]) -> Iterator[int]:
    """Each as far as can be from all before."""
    indices = done["point"].to_numpy()
    if not len(indices):
        return
    own = where[indices]
    near = np.full(len(indices), np.inf)
    for index in chosen:
        near = np.minimum(near, np.linalg.norm(own - where[index], axis=1))
    while True:
        place = int(np.argmax(near))
        if near[place] <= 0:
            return
        yield int(indices[place])
        near = np.minimum(near, np.linalg.norm(own - own[place], axis=1))
