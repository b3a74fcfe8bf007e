"""The geometry of a study's page: a tornado, main effects, model against fabric. Pure arithmetic, no markup.

In: findings of a study. Out: places in a picture's own units, ready for SVG.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from analysis.form.study import CheckedFigure, Effect, FigureFound
from analysis.pictures.charts import Tick, nice_ticks
from analysis.studies.headline import shown

LEFT, RIGHT, ROW, TOP = 260.0, 1040.0, 34.0, 24.0
WIDE, HIGH = 380.0, 210.0
_EDGE, _FOOT = 66.0, 44.0


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
    """Rows from the top down, the overall mean, the ticks."""

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
    place = _scale(low, high, LEFT, RIGHT)
    rows = tuple(
        TornadoRow(
            TOP + ROW * index, place(one.low), place(one.high) - place(one.low), one.path,
            shown(one.low, found.unit), shown(one.high, found.unit),
        )
        for index, one in enumerate(found.effects)
    )  # fmt: skip
    ticks = tuple(Tick(place(at), shown(at, found.unit)) for at in _ticks(low, high, 6))
    mean = shown(found.mean, found.unit)
    return Tornado(TOP + ROW * len(rows) + 6, place(found.mean), mean, rows, ticks)


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


def thinned(dots: Sequence[Dot], most: int = 3) -> list[Dot]:
    """Those whose label is written: the first, the last, and as many between as there is room for."""
    if len(dots) <= most:
        return list(dots)
    step = (len(dots) - 1) / (most - 1)
    return [dots[round(index * step)] for index in range(most)]
