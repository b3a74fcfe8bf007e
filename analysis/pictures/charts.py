"""The geometry of the report's charts: axes, distributions, stacked bars. Pure arithmetic, no markup.

In: numbers. Out: places in a picture's own units, ready for SVG.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from analysis import units

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Curve:
    """A line of a chart: an SVG path, what it is, and its place in the palette; `model`: expected, not measured."""

    path: str
    label: str
    colour: int
    model: bool = False


@dataclass(frozen=True)
class Chart:
    """A plot of `width` x `height` whose axes cross at (`left`, `bottom`)."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    curves: tuple[Curve, ...]
    markers: tuple[Tick, ...]


@dataclass(frozen=True)
class BarPart:
    """A stretch of a bar: where, how wide, which kind, and what it says."""

    x: float
    width: float
    kind: str
    label: str


@dataclass(frozen=True)
class Bar:
    """A labelled row of parts; `total` is written at its end, `end`."""

    label: str
    note: str
    parts: tuple[BarPart, ...]
    end: float
    total: str


@dataclass(frozen=True)
class Series:
    """A distribution to draw: points of (seconds, share at or below)."""

    label: str
    points: Points
    colour: int = 0


def nice_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers (1, 2, 5 times a power of ten) within [low, high], about so many."""
    rough = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * f for f in (1, 2, 5, 10) if power * f >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def time_labels(ticks: Sequence[float]) -> list[str]:
    """Labels of an axis in seconds: one unit for all, no more digits than the step needs."""
    largest = max((abs(tick) for tick in ticks), default=0.0) or 1.0
    unit, name = next(
        ((u, n) for u, n in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")) if largest >= u * 0.9995),
        (1e-9, "ns"),
    )
    step = min((b - a for a, b in pairwise(ticks)), default=largest) / unit
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [f"{tick / unit:.{decimals}f} {name}" for tick in ticks]


def distributions(
    series: Sequence[Series], quantiles: Points = (), width: float = 560, height: float = 300
) -> Chart:
    """Empirical distributions as steps. `quantiles` (seconds, share) are marked on the first."""
    low, high = _padded([x for one in series for x, _ in one.points])
    left, right, top, bottom = 44.0, width - 16, 16.0, height - 34
    ticks = nice_ticks(low, high)

    def place_x(seconds: float) -> float:
        return left + (seconds - low) / (high - low) * (right - left)

    def place_y(share: float) -> float:
        return bottom - share * (bottom - top)

    def path(points: Points) -> str:
        corners = [f"M{left:.1f} {bottom:.1f}"]
        for seconds, share in points:
            corners.append(f"H{place_x(seconds):.1f}V{place_y(share):.1f}")
        return "".join(corners) + f"H{right:.1f}"

    return Chart(
        width, height, left, right, top, bottom,
        x_ticks=tuple(map(Tick, map(place_x, ticks), time_labels(ticks))),
        y_ticks=tuple(Tick(place_y(p / 100), f"{p} %") for p in (0, 25, 50, 75, 100)),
        curves=tuple(Curve(path(one.points), one.label, one.colour) for one in series),
        markers=tuple(
            Tick(place_x(seconds), f"p{share * 100:g} {units.time(seconds, 4)}")
            for seconds, share in quantiles
        ),
    )  # fmt: skip


def survivals(series: Sequence[Series], width: float = 560, height: float = 300) -> Chart:
    """Shares at or above a time, both axes logarithmic: how the tail falls off.

    Points are (seconds above 0, share above 0).
    """
    times = [x for one in series for x, _ in one.points]
    shares = [y for one in series for _, y in one.points]
    low, high = math.log10(min(times)), math.log10(max(times))
    low, high = (low, high) if high - low > 0.05 else (low - 0.5, high + 0.5)
    floor = min(math.floor(math.log10(min(shares))), -1)
    left, right, top, bottom = 66.0, width - 16, 16.0, height - 34

    def place_x(seconds: float) -> float:
        return left + (math.log10(seconds) - low) / (high - low) * (right - left)

    def place_y(share: float) -> float:
        return top + math.log10(share) / floor * (bottom - top)

    def path(points: Points) -> str:
        places = (f"{place_x(x):.1f} {place_y(y):.1f}" for x, y in points)
        return "M" + "L".join(places)

    decades = range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)
    marks = [10.0**power for power in decades] or [10**low, 10**high]
    return Chart(
        width, height, left, right, top, bottom,
        x_ticks=tuple(Tick(place_x(at), units.time(at)) for at in marks),
        y_ticks=tuple(Tick(place_y(10.0**p), f"{100 * 10.0**p:g} %") for p in range(0, floor - 1, -1)),
        curves=tuple(Curve(path(one.points), one.label, one.colour) for one in series),
        markers=(),
    )  # fmt: skip


def stacked_bars(
    rows: Sequence[tuple[str, str, Sequence[tuple[str, float]]]], left: float, width: float
) -> list[Bar]:
    """Rows of (label, note, [(kind, seconds), …]) on one scale that starts at 0, `width` long."""
    longest = max(sum(seconds for _, seconds in parts) for _, _, parts in rows) or 1.0
    scale = width / longest
    return [_bar(label, note, parts, left, scale) for label, note, parts in rows]


def _bar(
    label: str, note: str, parts: Sequence[tuple[str, float]], left: float, scale: float
) -> Bar:
    drawn, x = [], left
    total_s = sum(seconds for _, seconds in parts)
    for kind, seconds in parts:
        share = units.percent(seconds / total_s) if total_s else "0 %"
        says = f"{kind}: {units.time(seconds)} ({share})"
        drawn.append(BarPart(x, seconds * scale, kind, says))
        x += seconds * scale
    return Bar(label, note, tuple(drawn), x, units.time(total_s, 4))


def _padded(values: Sequence[float]) -> tuple[float, float]:
    """The range of values with some air; equal values get 1 % to either side."""
    low, high = min(values), max(values)
    air = (high - low) * 0.05 or abs(high) * 0.01 or 1.0
    return low - air, high + air
