"""What a study may measure: every number of `summary.json` by its path, and the share of time lost.

In: a path such as `iterations.p50_s` or `serving[0].first_token.p99_s`. Out: whether there is such a figure, its
unit, and its value in a forecast; or all figures of a summary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import msgspec

from analysis.checks.figures import EVERY, steps_of, unit_of
from analysis.form.summary import Summary, summary_schema
from scenario.expressions.terms import NoExpression
from scenario.text.diagnostics import nearest, one_of
from scenario.types.study import Depth

LOST = "lost"
VERDICT = "verdict"
MOST_LISTED = 16
LOST_PATH = "stalls.one_campus.waste"
"""`lost` in a summary."""
FORECAST = (
    LOST, "iterations.mean_s", "iterations.p50_s", "stalls.one_campus.iteration_s", LOST_PATH,
    "stalls.one_campus.slowdown",
)  # fmt: skip
"""What the model can say: it knows no chance, so that mean and median are one."""


def measurable(path: str, depth: Depth) -> str:
    """The unit of a figure that a summary, or a forecast, can have. Raises NoExpression, which says what could have
    been meant."""
    if depth == "model" and path not in FORECAST:
        known = [*FORECAST, VERDICT]
        hint = nearest(path, known)
        raise NoExpression("not a figure that the model forecasts", 0, one_of(known), hint)
    if path == LOST:
        return "1"
    if EVERY in steps_of(path):
        raise NoExpression("not one figure, but one for each entry", 0, "a number for the [*]")
    return unit_of(path, _schema())


@cache
def unit(path: str) -> str | None:
    """The unit of a figure: `s`, `B/s`, `1` of a share, empty of a count; None where there is no such figure."""
    try:
        return measurable(path, "fabric")
    except NoExpression:
        return None


def shares(path: str) -> bool:
    """Whether a figure is a share of something, so that differences of it are absolute."""
    return unit(path) == "1"


@cache
def _schema() -> dict[str, Any]:
    return summary_schema()


def forecast(path: str, iteration_s: float, ideal_s: float) -> float:
    """A figure of FORECAST, from the time of an iteration and that on one uniform campus."""
    lost = 1 - ideal_s / iteration_s
    known: Mapping[str, float] = {
        LOST: lost,
        LOST_PATH: lost,
        "stalls.one_campus.iteration_s": ideal_s,
        "stalls.one_campus.slowdown": iteration_s / ideal_s,
    }
    return known.get(path, iteration_s)


def numbers(summary: Summary) -> dict[str, float]:
    """Every number of a summary by its path; of a list, the first MOST_LISTED entries."""
    found = dict(_numbers(msgspec.to_builtins(summary), ""))
    lost = found.get(LOST_PATH)
    return found if lost is None else found | {LOST: lost}


def _numbers(value: Any, path: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _numbers(below, f"{path}.{key}".removeprefix("."))
    elif isinstance(value, (list, tuple)):
        for index, below in enumerate(value[:MOST_LISTED]):
            yield from _numbers(below, f"{path}[{index}]")
    elif isinstance(value, (int, float)):
        yield path, float(value)
