"""What a study may measure: every number of `summary.json` by its path, and the share of time lost.

In: a path such as `iterations.p50_s` or `serving[0].first_token.p99_s`. Out: whether there is such a figure, its
unit, and its value in a summary or a forecast.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from analysis.form.summary import ServingSummary, Summary, TrainingSummary
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
_STEP = re.compile(r"([A-Za-z_]\w*)|\[(\d{1,4})\]|\.")
_NUMBERS = (inspect.FloatType, inspect.IntType, inspect.BoolType)


def measurable(path: str, depth: Depth) -> Sequence[str] | None:
    """None for a figure that a summary, or a forecast, can have; else those that could have been meant."""
    if depth == "model":
        return None if path in FORECAST else FORECAST
    return None if unit(path) is not None else sorted(figures())


def unit(path: str) -> str | None:
    """The unit of a figure: `s`, `B/s`, `1` of a share, empty of a count; None where there is no such figure."""
    if path == LOST:
        return "1"
    found: inspect.Type | None = None
    for form in _forms():
        found = found or _at(form, path)
    if found is None or not _is_number(found):
        return None
    return _unit(found)


def shares(path: str) -> bool:
    """Whether a figure is a share of something, so that differences of it are absolute."""
    return unit(path) == "1"


def measured(path: str, summary: Summary) -> float | None:
    """A figure of a summary; None where this one has none."""
    value: Any = msgspec.to_builtins(summary)
    for step in _steps(LOST_PATH if path == LOST else path) or ():
        try:
            value = value[step]
        except (LookupError, TypeError):
            return None
    return float(value) if isinstance(value, (int, float)) else None


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


@cache
def figures() -> frozenset[str]:
    """All paths, but for those into lists."""
    return frozenset(path for form in _forms() for path in _walk(form, ""))


@cache
def _forms() -> tuple[inspect.Type, ...]:
    return inspect.type_info(TrainingSummary), inspect.type_info(ServingSummary)


def _bare(found: inspect.Type) -> inspect.Type:
    """A type without what says how it is shown, and without None."""
    if isinstance(found, inspect.Metadata):
        return _bare(found.type)
    if isinstance(found, inspect.UnionType):
        kept = [_bare(one) for one in found.types if not isinstance(one, inspect.NoneType)]
        return kept[0] if len(kept) == 1 else found
    return found


def _is_number(found: inspect.Type) -> bool:
    return isinstance(_bare(found), _NUMBERS)


def _unit(found: inspect.Type) -> str:
    if isinstance(found, inspect.Metadata):
        own = (found.extra_json_schema or {}).get("unit")
        return str(own) if own else _unit(found.type)
    if isinstance(found, inspect.UnionType):
        return next((u for one in found.types if (u := _unit(one))), "")
    return ""


def _at(form: inspect.Type, path: str) -> inspect.Type | None:
    steps = _steps(path)
    found: inspect.Type | None = form if steps else None
    for step in steps or ():
        found = _below(found, step) if found else None
    return found


def _below(found: inspect.Type, step: str | int) -> inspect.Type | None:
    bare = _bare(found)
    if isinstance(bare, inspect.StructType) and isinstance(step, str):
        return next((one.type for one in bare.fields if one.encode_name == step), None)
    if isinstance(bare, inspect.ListType) and isinstance(step, int):
        return bare.item_type
    return None


def _walk(form: inspect.Type, before: str) -> Iterator[str]:
    bare = _bare(form)
    if isinstance(bare, inspect.StructType):
        for one in bare.fields:
            yield from _walk(one.type, f"{before}.{one.encode_name}".removeprefix("."))
    elif isinstance(bare, _NUMBERS):
        yield before


def _steps(path: str) -> list[str | int] | None:
    """A path's keys and indices; None where it is none."""
    steps: list[str | int] = []
    place = 0
    while place < len(path):
        found = _STEP.match(path, place)
        if found is None:
            return None
        if found[1]:
            steps.append(found[1])
        elif found[2]:
            steps.append(int(found[2]))
        place = found.end()
    return steps


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
