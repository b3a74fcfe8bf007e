"""A comparison of runs as one self-contained page: what differs, how sure that is, and how iterations are spread.

In: comparisons with one first thing. Out: the page as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from analysis import pages, units
from analysis.findings.tail import distribution
from analysis.pictures.charts import (
    Chart,
    Series,
    Tick,
    distributions,
    nice_ticks,
    stacked_bars,
    time_labels,
)
from analysis.pictures.fabric_map import COLOURS
from analysis.series.compare import FIGURES, Comparison, Difference, Thing
from analysis.series.settings import set_differently

_LEFT, _RIGHT, _TOP, _ROW = 150.0, 760.0, 10.0, 30.0


@dataclass(frozen=True)
class Whisker:
    """One difference on the axis of all: its interval, its middle, what it says."""

    y: float
    low: float
    high: float
    middle: float
    label: str
    says: str
    real: bool


@dataclass(frozen=True)
class Forest:
    """Differences one below another on one axis; `zero` is where nothing differs."""

    height: float
    zero: float
    ticks: tuple[Tick, ...]
    rows: tuple[Whisker, ...]


def render_comparison(found: Sequence[Comparison]) -> str:
    """The page as text."""
    every = [found[0].before, *(one.after for one in found)]
    return pages.render(
        "compare.html.j2",
        headline=" ".join(map(sentence, found)),
        found=[
            (one, forest(one.differences), set_differently(one.before, one.after)) for one in found
        ],
        things=every,
        bars=stacked_bars([_bar(thing) for thing in every], left=0, width=100),
        chart=_spread(every),
    )


def sentence(one: Comparison) -> str:
    """What became of the iteration, and whether that is real."""
    names = f"{one.before.name} → {one.after.name}"
    if one.identical:
        return f"{names}: identical, every event to the nanosecond."
    iteration = next(d for d in one.differences if d.figure == "iteration")
    change = iteration.after_s / iteration.before_s - 1
    sure = "a real difference" if iteration.real else "not to be told from chance"
    ends = iteration.before_s, iteration.after_s
    went = " to ".join(units.time(seconds, _digits(*ends)) for seconds in ends)
    return f"{names}: an iteration went from {went} ({units.error(change)}), {sure}."


def _digits(one: float, other: float) -> int:
    """Four, or as many as tell two times apart; eight at most."""
    return next((n for n in range(4, 8) if units.time(one, n) != units.time(other, n)), 8)


def forest(differences: Sequence[Difference]) -> Forest:
    """The differences with their 95 % intervals, all on one axis that holds 0."""
    edges = [0.0, *(edge for one in differences for edge in one.interval.as_list())]
    low, high = min(edges), max(edges)
    air = (high - low) * 0.06 or 1e-9
    scale = (_RIGHT - _LEFT) / (high - low + 2 * air)

    def place(seconds: float) -> float:
        return _LEFT + (seconds - low + air) * scale

    rows = tuple(
        Whisker(
            y=_TOP + _ROW * (index + 0.5),
            low=place(one.interval.low),
            high=place(one.interval.high),
            middle=place(one.after_s - one.before_s),
            label=one.figure,
            says=f"{units.time(one.after_s - one.before_s)}, {units.interval(one.interval.as_list())}",
            real=one.real,
        )
        for index, one in enumerate(differences)
    )
    marks = nice_ticks(low - air, high + air, 6)
    ticks = tuple(map(Tick, map(place, marks), time_labels(marks)))
    return Forest(_TOP + _ROW * len(rows) + 26, place(0.0), ticks, rows)


def _bar(thing: Thing) -> tuple[str, str, list[tuple[str, float]]]:
    figures = dict(zip(FIGURES, thing.figures(), strict=False))
    parts = [(name, float(figures[name])) for name in FIGURES[1:]]
    return thing.name, units.counted(thing.count, "iteration"), parts


def _spread(every: Sequence[Thing]) -> Chart:
    series: list[Any] = []
    for number, thing in enumerate(every):
        times = pl.Series([float(row[0]) for run in thing.samples for row in run])
        label = f"{thing.name} (n={len(times)})"
        series.append(Series(label, distribution(times), number % COLOURS))
    return distributions(series)
