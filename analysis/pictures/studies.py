"""The geometry of a study's page: a tornado, main effects, model against fabric. Pure arithmetic, no markup.

In: findings of a study. Out: places in a picture's own units, ready for SVG.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from analysis.form.study import CheckedFigure, Effect, FigureFound
from analysis.pictures.charts import Tick, nice_ticks
from analysis.studies.headline import shown

RIGHT, ROW, TOP = 1040.0, 34.0, 24.0
WIDE, HIGH = 380.0, 210.0
_EDGE, _FOOT = 66.0, 44.0
_FIGURE = 80.0
"""Between what a row is called and its bar: the least mean stands there."""
_LETTER, _BOLD = 7.8, 9.0
"""How wide a letter is at most, on average, in ticks and in rows' names."""
_LONGEST, _LABEL = 44, 15
"""Letters of a row's name, and of a value below a plot."""


@dataclass(frozen=True)
class TornadoRow:
    """One thing varied: from its least mean to its largest."""

    y: float
    x: float
    width: float
    path: str
    low: str
    high: str


@dataclass(frozen=True)
class Tornado:
    """Rows from the top down, the overall mean, the ticks; rows' names end at `left`."""

    left: float
    height: float
    mean_x: float
    mean: str
    rows: tuple[TornadoRow, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class Dot:
    """A mean with its whisker; both ends equal: none."""

    x: float
    y: float
    low_y: float
    high_y: float
    label: str
    says: str


@dataclass(frozen=True)
class EffectPlot:
    """A figure over one thing varied."""

    path: str
    line: str
    dots: tuple[Dot, ...]
    ticks: tuple[Tick, ...]
    width: float = WIDE
    height: float = HIGH
    left: float = _EDGE
    bottom: float = HIGH - _FOOT


@dataclass(frozen=True)
class Scatter:
    """Model across, fabric up: a dot per point, the diagonal and how far off is allowed."""

    dots: tuple[Dot, ...]
    ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    size: float
    low: float
    high: float


def tornado(found: FigureFound) -> Tornado:
    """Everything varied by how far it moves the figure's mean, the widest on top."""
    low = min(one.low for one in found.effects)
    high = max(one.high for one in found.effects)
    names = [_ending(one.path) for one in found.effects]
    left = _BOLD * max(map(len, names))
    place = _scale(low, high, left + _FIGURE, RIGHT)
    rows = tuple(
        TornadoRow(
            TOP + ROW * index, place(one.low), place(one.high) - place(one.low), names[index],
            shown(one.low, found.unit), shown(one.high, found.unit),
        )
        for index, one in enumerate(found.effects)
    )  # fmt: skip
    ticks = tuple(Tick(place(at), shown(at, found.unit)) for at in _ticks(low, high, 6))
    mean = shown(found.mean, found.unit)
    return Tornado(left, TOP + ROW * len(rows) + 6, place(found.mean), mean, rows, ticks)


def effect_plot(effect: Effect, found: FigureFound) -> EffectPlot:
    """Means over the values of one thing, with their intervals; all plots of a figure have one scale."""
    every = [level for one in found.effects for level in one.levels]
    low = min((one.interval or (one.mean,))[0] for one in every)
    high = max((one.interval or (one.mean,))[-1] for one in every)
    up = _scale(low, high, HIGH - _FOOT, 12.0)
    step = (WIDE - _EDGE - 20) / max(len(effect.levels) - 1, 1)
    dots = []
    for index, level in enumerate(effect.levels):
        ends = level.interval or (level.mean, level.mean)
        says = f"{level.label}: {shown(level.mean, found.unit)} (n={level.count})"
        x = _EDGE + 10 + step * index
        dots.append(Dot(x, up(level.mean), up(ends[0]), up(ends[1]), level.label, says))
    line = "M" + "L".join(f"{dot.x:.1f} {dot.y:.1f}" for dot in dots)
    ticks = tuple(Tick(up(at), shown(at, found.unit)) for at in _ticks(low, high, 4))
    return EffectPlot(effect.path, line, tuple(dots), ticks)


def scatter(found: CheckedFigure, size: float = 380.0) -> Scatter | None:
    """The points of a sample; None where none was carried out."""
    pairs = [(one, one.model, one.fabric) for one in found.points if one.fabric is not None]
    if not pairs:
        return None
    values = [value for _, model, fabric in pairs for value in (model, fabric or 0.0)]
    low, high = min(values), max(values)
    low, high = (
        (low, high)
        if high > low
        else (low - abs(low) * 0.05 - 1e-9, high + abs(high) * 0.05 + 1e-9)
    )
    across = _scale(low, high, _EDGE, size - 16)
    up = _scale(low, high, size - _FOOT, 16)
    dots = tuple(
        Dot(
            across(model), up(fabric or 0.0), 0.0, 0.0, str(one.point),
            f"point {one.point}: model {shown(model, found.unit)}, fabric {shown(fabric, found.unit)}",
        )
        for one, model, fabric in pairs
    )  # fmt: skip
    marks = _ticks(low, high, 4)
    return Scatter(
        dots,
        tuple(Tick(across(at), shown(at, found.unit)) for at in marks),
        tuple(Tick(up(at), shown(at, found.unit)) for at in marks),
        size,
        _EDGE,
        size - _FOOT,
    )


def _ticks(low: float, high: float, about: int) -> list[float]:
    return nice_ticks(low, high, about) if high > low else [low]


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """From values to places; equal values stand in the middle."""
    if high <= low:
        return lambda _: (start + end) / 2
    return lambda value: start + (value - low) / (high - low) * (end - start)


def written(plot: EffectPlot, most: int = 3) -> list[Tick]:
    """Values below a plot, within its edges: the first, the last, and as many between as there is room for."""
    dots, step = plot.dots, (len(plot.dots) - 1) / (most - 1)
    some = dots if len(dots) <= most else [dots[round(index * step)] for index in range(most)]
    return [Tick(_inside(dot.x, label), label) for dot in some for label in [_clipped(dot.label)]]


def _inside(x: float, label: str) -> float:
    """Where a label must have its middle, so that none of it is cut off."""
    half = _LETTER * (len(label) + 1) / 2
    return min(max(x, half), WIDE - half)


def _clipped(label: str) -> str:
    return label if len(label) <= _LABEL else label[: _LABEL - 1] + "…"


def _ending(path: str) -> str:
    """The end of a path, which tells it from others."""
    return path if len(path) <= _LONGEST else "…" + path[1 - _LONGEST :]
