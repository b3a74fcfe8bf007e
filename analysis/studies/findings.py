"""What the points of a study say together: effects, indices, the verdict and what turns it, whether the model is right.

In: a study, its design, the table of its rows. Out: `StudyFindings`. A function of these alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import msgspec
import numpy as np
import polars as pl

from analysis.form.study import (
    AtPoint,
    Effect,
    FigureFound,
    Heat,
    HeatCell,
    StudyFindings,
    Together,
    VariedThing,
)
from analysis.studies import indices
from analysis.studies.checking import Picked, sample_found
from analysis.studies.headline import headline
from analysis.studies.levels import Levels, Numbers, level_mean, levels, over
from analysis.studies.measures import LOST, VERDICT, unit
from analysis.studies.turning import verdict_found
from scenario.study.designs import problem
from scenario.types.study import DOWN, Design, Study, StudyPoint

Folders = Callable[[int], str | None]
"""The run folder that was kept of a point, from the study's; None where none was."""
CELLS = 6
"""Parts of a range in a heat map."""


def findings(
    study: Study, design: Design, table: pl.DataFrame, why: Mapping[int, str], folders: Folders
) -> StudyFindings:
    """All of it. `why` says of each point carried out beside the model why it was chosen."""
    main = table.filter(pl.col("depth") == study.depth)
    done = main.filter(pl.col("status") == "done")
    down = main.filter(pl.col("status") == DOWN)
    names = [name for name in study.measure if name != VERDICT]
    measured = [
        _measured(study, design, (done, down), name, folders)
        for name in (*names, *_causes(table))
        if done[name].null_count() < done.height
    ]
    chosen = Picked(why, lambda index: says(study, design.points[index]), folders)
    found = StudyFindings(
        headline="",
        name=study.name,
        description=study.description,
        design=study.design,
        depth=study.depth,
        seeds=study.seeds,
        points=len(design.points),
        excluded=design.excluded,
        done=done.height,
        failed=_reasons(table),
        down=down.height,
        missing=table.filter(pl.col("status") == "missing").height,
        varied=[VariedThing(one.path, one.usual.label, over(one)) for one in study.varied],
        measured=measured,
        verdict=verdict_found(study, pl.concat([done, down])) if study.rules_verdict else None,
        sample=sample_found(study, table, chosen) if study.depth == "model" else None,
        notes=[*_notes(table, measured), *_left_out(design, done, names)],
    )
    return _with_headline(found)


def _with_headline(found: StudyFindings) -> StudyFindings:
    return msgspec.structs.replace(found, headline=headline(found))


def _causes(table: pl.DataFrame) -> list[str]:
    return [name for name in table.columns if name.startswith(f"{LOST}.")]


def _reasons(table: pl.DataFrame) -> dict[str, int]:
    failed = table.filter(pl.col("status") == "failed")["reason"].fill_null("no reason told")
    return dict(sorted(Counter(failed.to_list()).items(), key=lambda pair: (-pair[1], pair[0])))


def _notes(table: pl.DataFrame, measured: Sequence[FigureFound]) -> list[str]:
    notes = []
    unfaithful = table.filter(pl.col("faithful").not_()).height
    if unfaithful:
        notes.append(
            f"{unfaithful} runs were UNFAITHFUL: their networks were not what was asked for"
        )
    down = table.filter(pl.col("status") == DOWN).height
    if down:
        notes.append(f"in {down} of {table.height} rows a link is down: they are in no mean")
    missing = table.filter(pl.col("status") == "missing").height
    if missing:
        notes.append(f"{missing} of {table.height} rows are still missing")
    flat = [one.name for one in measured if one.least.value == one.most.value]
    return [*notes, *(f"{name} is the same at every point" for name in flat)]


def _measured(
    study: Study,
    design: Design,
    rows: tuple[pl.DataFrame, pl.DataFrame],
    name: str,
    folders: Folders,
) -> FigureFound:
    """A figure over the rows that are done; `rows` are these, and those in which a link is down."""
    done, down = rows
    own = done.filter(pl.col(name).is_not_null())
    figures = own[name].to_numpy()
    every = {one.path: levels(one, own) for one in study.varied}
    effects = [_effect(path, each, figures) for path, each in every.items()]
    effects.sort(key=lambda one: -one.span)
    by_index, pairs = _sobol(study, design, own, name)
    return FigureFound(
        name=name,
        unit="1" if name.startswith(LOST) else unit(name) or "",
        mean=float(figures.mean()),
        least=_at(study, design, own.sort(name, "point"), name, folders),
        most=_at(study, design, own.sort(name, "point", descending=[True, False]), name, folders),
        effects=effects,
        indices=by_index,
        elementary=_morris(study, design, own, name),
        together=pairs or _cells_together(study, every, figures),
        heat=_heat(study, pl.concat([own, down]), name, effects),
    )


def _effect(path: str, each: Levels, figures: Numbers) -> Effect:
    means = each.means(figures)
    return Effect(path, means, min(m.mean for m in means), max(m.mean for m in means))


def _at(
    study: Study, design: Design, ordered: pl.DataFrame, name: str, folders: Folders
) -> AtPoint:
    row = ordered.row(0, named=True)
    point = design.points[row["point"]]
    return AtPoint(row["point"], row[name], says(study, point), folders(row["point"]))


def says(study: Study, point: StudyPoint) -> str:
    """What is varied and its value there."""
    pairs = zip(study.varied, point.values, strict=True)
    return ", ".join(f"{one.path} {value.label}" for one, value in pairs)


def _whole_blocks(design: Design, own: pl.DataFrame, name: str) -> list[tuple[int, float]]:
    """The points of all blocks in which every point has the figure, and the figure there, in their order. Blocks are
    drawn apart from each other, so that any of them can be left out; a part of one says nothing."""
    known = dict(own.select("point", name).iter_rows())
    found: list[tuple[int, float]] = []
    for first in range(0, len(design.points) - design.block + 1, design.block):
        block = [(place, known.get(place)) for place in range(first, first + design.block)]
        whole = [(place, float(value)) for place, value in block if value is not None]
        found += whole if len(whole) == design.block else []
    return found


def _sobol(
    study: Study, design: Design, own: pl.DataFrame, name: str
) -> tuple[list[Any], list[Together]]:
    if study.design != "sobol":
        return [], []
    found = _whole_blocks(design, own, name)
    enough = len(found) >= 2 * design.block
    return indices.sobol(problem(study), [value for _, value in found] if enough else [])


def _morris(study: Study, design: Design, own: pl.DataFrame, name: str) -> list[Any]:
    if study.design != "morris":
        return []
    found = _whole_blocks(design, own, name)
    chances = [design.chances[place] for place, _ in found]
    return indices.morris(problem(study), chances, [value for _, value in found])


def _left_out(design: Design, done: pl.DataFrame, names: Sequence[str]) -> Iterator[str]:
    """Of a design of blocks, which of them the indices do without."""
    wanted = len(design.points) // design.block
    for name in names if design.block > 1 else ():
        whole = len(_whole_blocks(design, done, name)) // design.block
        if 0 < whole < wanted:
            yield (
                f"indices of {name} are of {whole} of {wanted} blocks of {design.block} points: the others lack a "
                "point, so what moves points to failure is not in them"
            )


def _cells_together(study: Study, every: Mapping[str, Levels], figures: Numbers) -> list[Together]:
    """Of a whole grid: the variance of the cells of two things that their own effects leave, of all variance."""
    whole = float(figures.var())
    if study.design != "grid" or whole == 0:
        return []
    found = []
    for a, b in combinations(every, 2):
        rest = 0.0
        for i in range(len(every[a].labels)):
            for j in range(len(every[b].labels)):
                cell = figures[(every[a].of == i) & (every[b].of == j)]
                if not len(cell):
                    return []
                mine, other = figures[every[a].of == i].mean(), figures[every[b].of == j].mean()
                rest += len(cell) * (cell.mean() - mine - other + figures.mean()) ** 2
        found.append(Together(a, b, float(rest) / len(figures) / whole, None))
    return sorted(found, key=lambda one: -one.share)


def _heat(study: Study, own: pl.DataFrame, name: str, effects: Sequence[Effect]) -> Heat | None:
    if len(effects) < 2:
        return None
    chosen = {one.path: one for one in study.varied}
    across, down = (chosen[one.path] for one in effects[:2])
    columns, rows = levels(across, own, CELLS), levels(down, own, CELLS)
    figures = own[name].fill_null(np.nan).to_numpy()
    cells = [
        [_cell(figures[(rows.of == i) & (columns.of == j)]) for j in range(len(columns.labels))]
        for i in range(len(rows.labels))
    ]
    return Heat(across.path, down.path, list(columns.labels), list(rows.labels), cells)


def _cell(figures: Numbers) -> HeatCell:
    """Of rows in which a link is down the figure is not a number."""
    own = figures[~np.isnan(figures)]
    down = len(figures) - len(own)
    if not len(own):
        return HeatCell(None, None, 0, down)
    found = level_mean("", own)
    return HeatCell(found.mean, found.interval, found.count, down)
