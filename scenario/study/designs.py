"""The points of a study: SALib's samples for Sobol' and Morris, SciPy's hypercubes, all combinations, one at a time.

In: a study. Out: its points in order, the most informative first, so that a study that is cut short has seen the whole
space. A function of the file alone: the same study always has the same points.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from scenario.errors import WrongInput
from scenario.types.study import Design, Study, StudyPoint, Value

Chances: TypeAlias = npt.NDArray[np.float64]
FARTHEST = 2000
"""Points of a grid that are put in order by their distance; of more, by a random draw."""
MORRIS_LEVELS = 8


class NoPoints(WrongInput):
    """A design that has no point: too few were asked for, or constraints leave none."""


def design(study: Study) -> Design:
    """All points of a study. Raises NoPoints."""
    made = _DESIGNS[study.design](study)
    if not study.constraints:
        return made
    kept = [point for point in made.points if _allowed(study, point)]
    if not kept:
        raise NoPoints(f"{study.file}: no point of {len(made.points)} fulfils the constraints")
    numbered = tuple(StudyPoint(index, point.values) for index, point in enumerate(kept))
    return Design(numbered, excluded=len(made.points) - len(kept))


def problem(study: Study) -> dict[str, Any]:
    """The study as SALib has it, in the unit cube."""
    names = [one.path for one in study.varied]
    return {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}


def blocks(study: Study) -> int:
    """Points in a block of Sobol' (with second order) or Morris; of others 1."""
    count = len(study.varied)
    return {"sobol": 2 * count + 2, "morris": count + 1}.get(study.design, 1)


def _allowed(study: Study, point: StudyPoint) -> bool:
    known = point.known(study)
    return all(term.holds(known) for _, term in study.constraints)


def _grid(study: Study) -> Design:
    levels = [one.spread.levels() for one in study.varied]
    rows = list(itertools.product(*levels))
    return Design(_points(rows[place] for place in _spread_out([len(one) for one in levels])))


def _spread_out(sizes: Sequence[int]) -> list[int]:
    """Places in the product of lists of these sizes: the first and the last, then each far from all before."""
    cells = np.array(list(itertools.product(*(np.linspace(0, 1, size) for size in sizes))))
    if len(cells) > FARTHEST:
        order: list[int] = np.random.default_rng(1).permutation(len(cells)).tolist()
        return order
    order = [0]
    nearest = np.linalg.norm(cells - cells[0], axis=1)
    while len(order) < len(cells):
        nearest[order[-1]] = -1.0
        order.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, np.linalg.norm(cells - cells[order[-1]], axis=1))
    return order


def _one_at_a_time(study: Study) -> Design:
    usual = tuple(one.usual for one in study.varied)
    rows = [usual]
    for place, one in enumerate(study.varied):
        levels = one.spread.levels()
        for value in sorted(levels, key=lambda v: -abs(levels.index(v) - (len(levels) - 1) / 2)):
            if value.text != one.usual.text:
                rows.append((*usual[:place], value, *usual[place + 1 :]))
    return Design(_points(rows))


def _random(study: Study) -> Design:
    shape = (study.points or 0, len(study.varied))
    return _drawn(study, np.random.default_rng(study.draw).random(shape))


def _latin_hypercube(study: Study) -> Design:
    from scipy.stats import qmc  # noqa: PLC0415 - a second of CPU, for those who ask for it

    sampler = qmc.LatinHypercube(len(study.varied), seed=study.draw)
    return _drawn(study, sampler.random(study.points or 0))


def _sobol(study: Study) -> Design:
    base = 1 << (max(1, (study.points or 0) // blocks(study)).bit_length() - 1)
    _check_room(study, 2)
    from SALib.sample import sobol as sampler  # noqa: PLC0415 - as above

    return _drawn(study, sampler.sample(problem(study), base, seed=study.draw))


def _morris(study: Study) -> Design:
    trajectories = (study.points or 0) // blocks(study)
    _check_room(study, 2)
    from SALib.sample import morris as sampler  # noqa: PLC0415 - as above

    sampled = sampler.sample(problem(study), trajectories, MORRIS_LEVELS, seed=study.draw)
    return _drawn(study, sampled)


def _check_room(study: Study, least: int) -> None:
    if (study.points or 0) < least * blocks(study):
        needed = f"{study.design} of {len(study.varied)} things needs {least * blocks(study)} points at least"
        raise NoPoints(f"{study.file}: {needed}")


def _drawn(study: Study, chances: Chances) -> Design:
    rows = [_values(study, row) for row in chances.tolist()]
    return Design(_points(rows), chances=tuple(map(tuple, chances.tolist())), block=blocks(study))


def _values(study: Study, chances: Sequence[float]) -> tuple[Value, ...]:
    return tuple(one.spread.at(u) for one, u in zip(study.varied, chances, strict=True))


def _points(rows: Iterable[tuple[Value, ...]]) -> tuple[StudyPoint, ...]:
    return tuple(_numbered(rows))


def _numbered(rows: Iterable[tuple[Value, ...]]) -> Iterator[StudyPoint]:
    for index, values in enumerate(rows):
        yield StudyPoint(index, values)


_DESIGNS = {
    "grid": _grid,
    "random": _random,
    "latin-hypercube": _latin_hypercube,
    "sobol": _sobol,
    "morris": _morris,
    "one-at-a-time": _one_at_a_time,
}
