"""Curves over sizes, both axes logarithmic: what was measured as points on a line, the model beside it.

In: points of (bytes, value) above 0. Out: a `Chart` in a picture's own units.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from analysis import units
from analysis.pictures.charts import Chart, Curve, Points, Tick

_POINT = 3.2


@dataclass(frozen=True)
class SizeCurve:
    """What was measured and, beside it, what was expected; `colour` is its place in the palette."""

    label: str
    points: Points
    model: Points
    colour: int


def scaling(
    series: Sequence[SizeCurve],
    text: Callable[[float], str],
    width: float = 560,
    height: float = 320,
) -> Chart:
    """One line with points for each, and its model as a thin one; `text` says a value of the y axis."""
    every = [point for one in series for point in (*one.points, *one.model)]
    left, right, top, bottom = 78.0, width - 16, 16.0, height - 34
    low_x, high_x = _range([x for x, _ in every])
    low_y, high_y = _range([y for _, y in every])

    def place(point: tuple[float, float]) -> tuple[float, float]:
        x = left + (math.log10(point[0]) - low_x) / (high_x - low_x) * (right - left)
        return x, bottom - (math.log10(point[1]) - low_y) / (high_y - low_y) * (bottom - top)

    curves = []
    for one in series:
        model = [place(point) for point in one.model]
        curves.append(Curve(_line(model), f"{one.label}: model", one.colour, model=True))
        measured = [place(point) for point in one.points]
        path = _line(measured) + "".join(_dot(*at) for at in measured)
        curves.append(Curve(path, one.label, one.colour))
    return Chart(
        width, height, left, right, top, bottom,
        x_ticks=_sizes(low_x, high_x, lambda x: place((x, 10**low_y))[0]),
        y_ticks=tuple(
            Tick(place((10**low_x, y))[1], text(y)) for y in _round(low_y, high_y)
        ),
        curves=tuple(curves),
        markers=(),
    )  # fmt: skip


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Logarithms with some air to either side."""
    low, high = math.log10(min(values)), math.log10(max(values))
    air = max((high - low) * 0.05, 0.05)
    return low - air, high + air


def _round(low: float, high: float) -> list[float]:
    """Powers of ten in a range of logarithms; where that is narrow, 2 and 5 times them too."""
    steps = (1, 2, 5) if high - low < 2.5 else (1,)
    powers = range(math.floor(low), math.ceil(high) + 1)
    values = [step * 10.0**power for power in powers for step in steps]
    return [value for value in values if low <= math.log10(value) <= high]


def _sizes(low: float, high: float, place: Callable[[float], float]) -> tuple[Tick, ...]:
    """Ticks at powers of two, at most seven, as nccl-tests names sizes."""
    first, last = math.ceil(low / math.log10(2)), math.floor(high / math.log10(2))
    step = max(1, math.ceil((last - first) / 6))
    return tuple(
        Tick(place(2.0**power), units.binary_size(2.0**power))
        for power in range(first, last + 1, step)
    )


def _line(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)


def _dot(x: float, y: float) -> str:
    size = _POINT
    return f"M{x - size:.1f} {y:.1f}l{size} {-size}l{size} {size}l{-size} {size}z"
