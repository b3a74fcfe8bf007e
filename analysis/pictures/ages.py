"""What age does to a fibre span, drawn: packet loss or rate against years, in a terminal and as SVG.

In: lines of (years, value). Out: a picture. The model itself is the language's (docs/dsl.md); this
knows only how to draw it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from analysis.pages import render
from analysis.pictures.charts import Chart, Curve, Points, Tick, nice_ticks

_LEAST = -12
"""The power of ten at which the axis of packet loss ends."""
MARKS = "●▲■◆"


@dataclass(frozen=True)
class LabelledLine:
    """A labelled line of (years, value)."""

    label: str
    points: Points


@dataclass(frozen=True)
class Axes:
    """What the vertical axis means: its ends, its ticks as (value, label), its name."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    name: str


LOSS = Axes(
    _LEAST, 0, tuple((e, f"1e{e}" if e else "1") for e in range(_LEAST, 1, 3)), "packet loss"
)
RATE = Axes(0, 1, tuple((p / 100, f"{p} %") for p in (0, 25, 50, 75, 100)), "rate left")


def decades(points: Points) -> Points:
    """Loss ratios as powers of ten, for `LOSS`; what lies below its axis is on its end."""
    return [(x, math.log10(max(value, 10.0**_LEAST))) for x, value in points]


def sketch(
    lines: Sequence[LabelledLine], frame: Axes, width: int = 62, height: int = 13
) -> list[str]:
    """The picture as lines of text: `MARKS` in the order of the lines, later ones on top."""
    rows = [[" "] * width for _ in range(height)]
    low, high = _years(lines)
    for mark, line in zip(MARKS, lines, strict=False):
        for x, value in line.points:
            column = round((x - low) / (high - low) * (width - 1))
            rows[_row(value, frame, height)][column] = mark
    labels = {_row(value, frame, height): label for value, label in frame.ticks}
    drawn = [f"{labels.get(n, ''):>6} │{''.join(row)}" for n, row in enumerate(rows)]
    ends = f"{low:g}", f"{high:g} years"
    axis = f"{ends[0]}{ends[1]:>{width - len(ends[0])}}"
    return [*drawn, f"{'':>6} └{'─' * width}", f"{'':>8}{axis}"]


def svg(lines: Sequence[LabelledLine], frame: Axes, title: str) -> str:
    """The picture as a self-contained SVG, with a text alternative."""
    return render("ages.svg.j2", chart=chart(lines, frame), title=title, axis=frame.name)


def chart(
    lines: Sequence[LabelledLine], frame: Axes, width: float = 680, height: float = 380
) -> Chart:
    """The picture's geometry. Each line's end is a marker with its label."""
    left, right, top, bottom = 64.0, width - 110, 54.0, height - 48
    low, high = _years(lines)

    def place_x(years: float) -> float:
        return left + (years - low) / (high - low) * (right - left)

    def place_y(value: float) -> float:
        return bottom - (value - frame.low) / (frame.high - frame.low) * (bottom - top)

    def path(points: Points) -> str:
        return "M" + "L".join(f"{place_x(x):.1f} {place_y(y):.1f}" for x, y in points)

    ends = _apart([place_y(line.points[-1][1]) for line in lines])
    return Chart(
        width, height, left, right, top, bottom,
        x_ticks=tuple(Tick(place_x(x), f"{x:g}") for x in nice_ticks(low, high, 6)),
        y_ticks=tuple(Tick(place_y(value), label) for value, label in frame.ticks),
        curves=tuple(Curve(path(line.points), line.label, n) for n, line in enumerate(lines)),
        markers=tuple(Tick(y, line.label) for y, line in zip(ends, lines, strict=True)),
    )  # fmt: skip


def _apart(places: Sequence[float], least: float = 16.0) -> list[float]:
    """The places, moved up where two would be nearer than `least`."""
    moved = list(places)
    for below, above in pairwise(sorted(range(len(moved)), key=lambda n: -moved[n])):
        moved[above] = min(moved[above], moved[below] - least)
    return moved


def _row(value: float, frame: Axes, height: int) -> int:
    share = (value - frame.low) / (frame.high - frame.low)
    return round((1 - min(max(share, 0.0), 1.0)) * (height - 1))


def _years(lines: Sequence[LabelledLine]) -> tuple[float, float]:
    """The ages that lines span; a single one gets a year beside it."""
    years = [x for line in lines for x, _ in line.points]
    return min(years), max(*years, min(years) + 1)
