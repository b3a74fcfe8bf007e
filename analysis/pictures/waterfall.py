"""The geometry of a waterfall: from the ideal to the actual, a step for each cause. Pure arithmetic.

In: an attribution. Out: bars in a picture's own units, ready for SVG, and in characters for the terminal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis import units
from analysis.form.attribution import Shares
from analysis.pictures.charts import Tick, nice_ticks, time_labels
from analysis.series.verdict import detectable

LEFT, RIGHT, ROW = 190.0, 1010.0, 38.0
_TOP = 26.0
_INKS = {"whole": "█", "loss": "▓", "gain": "░"}


@dataclass(frozen=True)
class WaterfallRow:
    """A row: from `x` so wide, with a whisker over the interval (both ends equal: none)."""

    y: float
    x: float
    width: float
    kind: str
    label: str
    note: str
    value: str
    low_x: float
    high_x: float


@dataclass(frozen=True)
class Waterfall:
    """A picture of `height`, its rows from the top down, and the ticks of its axis of seconds."""

    height: float
    steps: tuple[WaterfallRow, ...]
    ticks: tuple[Tick, ...]


def waterfall(found: Shares) -> Waterfall:
    """The ideal, each cause by what it costs (most first), the actual."""
    rows = _rows(found)
    low_s = min(0.0, *(min(begin, end) for _, _, _, begin, end, _ in rows))
    high_s = max(max(begin, end) for _, _, _, begin, end, _ in rows) * 1.02
    scale = (RIGHT - LEFT) / (high_s - low_s)

    def place(seconds: float) -> float:
        return LEFT + (seconds - low_s) * scale

    steps = []
    for index, (kind, label, note, begin, end, interval) in enumerate(rows):
        low, high = interval or (end, end)
        steps.append(
            WaterfallRow(
                y=_TOP + ROW * index,
                x=place(min(begin, end)),
                width=abs(end - begin) * scale,
                kind=kind,
                label=label,
                note=note,
                value=_value(kind, begin, end),
                low_x=place(max(low, low_s)),
                high_x=place(min(high, high_s)),
            )
        )
    seconds = nice_ticks(low_s, high_s, 7)
    ticks = tuple(map(Tick, map(place, seconds), time_labels(seconds)))
    return Waterfall(_TOP + ROW * len(rows) + 6, tuple(steps), ticks)


def characters(found: Shares, width: int) -> list[tuple[str, str, str]]:
    """The same for a terminal: (label, bar, time), the longest bar `width` characters long."""
    rows = _rows(found)
    longest_s = max(max(begin, end) for _, _, _, begin, end, _ in rows) or 1.0

    def column(seconds: float) -> int:
        return round(max(seconds, 0.0) / longest_s * width)

    drawn = []
    for kind, label, _, begin, end, _ in rows:
        first, last = sorted((column(begin), column(end)))
        first = min(first, width - 1)
        bar = " " * first + _INKS[kind] * max(last - first, 1)
        drawn.append((label, bar, _value(kind, begin, end)))
    return drawn


Row = tuple[str, str, str, float, float, Sequence[float] | None]


def _rows(found: Shares) -> list[Row]:
    """(kind, label, note, from, to, interval of `to`), in seconds."""
    rows: list[Row] = [("whole", "ideal", "without any cause", 0.0, found.ideal_s, None)]
    at = found.ideal_s
    for cause in sorted(found.causes, key=lambda one: -one.lost_s):
        end = at + cause.lost_s
        interval = cause.interval_s
        around = [at + edge for edge in interval] if interval else None
        kind = "loss" if cause.lost_s >= 0 else "gain"
        share = f"{units.percent(cause.share)} of the loss"
        note = share if detectable(cause, found) else "not detectable"
        rows.append((kind, cause.name, note, at, end, around))
        at = end
    rows.append(("whole", "actual", "with all causes", 0.0, found.actual_s, None))
    return rows


def _value(kind: str, begin: float, end: float) -> str:
    if kind == "whole":
        return units.time(end, 4)
    sign = "+" if end > begin else ""
    return sign + units.time(end - begin)
