"""A number in a JSON document of ours, found by its path: `iterations.p50_s`, `serving[0].first_token.p99_s`.

Whether a path can lead anywhere, and in which unit that is, is told from the document's JSON Schema, before there is a
document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from scenario.expressions.kinds import TRUTH, kind_of_unit
from scenario.expressions.terms import NoExpression
from scenario.text.diagnostics import closest, one_of

_STEP = re.compile(r"\.?(?P<key>[A-Za-z_]\w*)|\[(?P<index>\d{1,4}|\*)\]")
EVERY = -1
EXAMPLE = "the path of a figure, such as iterations.p50_s"
NUMBERS = ("number", "integer", "boolean")
MOST_DEEP = 8
MOST_KEYS = 12
Schema = Mapping[str, Any]


def steps_of(path: str) -> tuple[str | int, ...]:
    """The steps of a path; -1 is every entry of a list. Raises NoExpression where it is none."""
    return tuple(step for step, _ in _placed(path))


@lru_cache(maxsize=10_000)
def _placed(path: str) -> tuple[tuple[str | int, int], ...]:
    """The steps of a path, and at which character each begins."""
    steps: list[tuple[str | int, int]] = []
    position = 0
    while position < len(path):
        found = _STEP.match(path, position)
        if found is None or (position > 0) != (path[position] in ".["):
            raise NoExpression(f"{path[:60]!r} is not the path of a figure", position, EXAMPLE)
        index = found["index"]
        step = found["key"] if index is None else EVERY if index == "*" else int(index)
        steps.append((step, found.start("key") if index is None else position))
        position = found.end()
    if not steps:
        raise NoExpression("the path of a figure is missing", 0, EXAMPLE)
    return tuple(steps)


def figures(document: Mapping[str, Any], path: str) -> list[float]:
    """The numbers at a path; true and false are 1 and 0. None at all where this document has none there."""
    found: list[Any] = [document]
    for step in steps_of(path):
        found = [below for one in found for below in _inside(one, step)]
    return [float(one) for one in found if isinstance(one, (int, float))]


def figure(document: Mapping[str, Any], path: str) -> float | None:
    """The number at a path, or None."""
    return next(iter(figures(document, path)), None)


def _inside(part: Any, step: str | int) -> Iterator[Any]:
    if isinstance(part, Mapping) and step in part:
        yield part[str(step)]
    elif isinstance(part, list) and isinstance(step, int):
        yield from part if step == EVERY else part[step : step + 1]


def kind_of(path: str, schema: Schema) -> str:
    """The kind of the number at a path, as expressions have it. Raises NoExpression as `unit_of`."""
    if any(one.get("type") == "boolean" for one in _numbers(path, schema)):
        return TRUTH
    return kind_of_unit(unit_of(path, schema))


def unit_of(path: str, schema: Schema) -> str:
    """The unit of the number at a path: `s`, `1` of a share, empty of a count. Raises NoExpression, which names the
    nearest paths, where no document of that schema has a number there."""
    return next((str(one["unit"]) for one in _numbers(path, schema) if "unit" in one), "")


def _numbers(path: str, schema: Schema) -> list[Schema]:
    """What the schema says of the number at a path."""
    parts = [schema]
    walked = ""
    for step, at in _placed(path):
        below = [found for part in parts for found in _below(part, step, schema)]
        if not below:
            raise _nowhere(walked, step, at, parts, schema)
        parts = below
        walked = _joined(walked, step)
    found = [one for part in parts for one in _alternatives(part, schema)]
    if numbers := [one for one in found if one.get("type") in NUMBERS]:
        return numbers
    inside = sorted({key for part in parts for key in _keys(part, schema)})
    hint = f"it holds {one_of(inside, MOST_KEYS).removeprefix('one of ')}" if inside else ""
    raise NoExpression(f"{path} is no number", 0, hint=hint)


def _joined(walked: str, step: str | int) -> str:
    if isinstance(step, int):
        return f"{walked}[{'*' if step == EVERY else step}]"
    return f"{walked}.{step}" if walked else step


def _nowhere(
    walked: str, step: str | int, at: int, parts: list[Schema], schema: Schema
) -> NoExpression:
    """What to say of a step that leads nowhere."""
    if isinstance(step, int):
        return NoExpression(f"{walked or 'this'} is no list", at)
    keys = sorted({key for part in parts for key in _keys(part, schema)})
    message = f"{walked} has no {step!r}" if walked else f"there is no {step!r}"
    if meant := closest(step, keys):
        return NoExpression(message, at, hint=f"did you mean {_joined(walked, meant)}?")
    paths = dict.fromkeys(every_path(schema))
    elsewhere = [one for one in paths if one.rpartition(".")[2] == step][:3]
    if elsewhere:
        return NoExpression(message, at, hint=f"there is {', '.join(elsewhere)}")
    return NoExpression(message, at, one_of(keys, MOST_KEYS) or "no more steps")


def every_path(schema: Schema) -> Iterator[str]:
    """The paths of all numbers that a document may have, of the first entry of each list."""
    yield from _paths(schema, "", schema, 0)


def _paths(part: Schema, walked: str, schema: Schema, depth: int) -> Iterator[str]:
    for one in _alternatives(part, schema):
        if one.get("type") in NUMBERS and walked:
            yield walked
        if depth == MOST_DEEP:
            return
        for key, below in one.get("properties", {}).items():
            yield from _paths(below, _joined(walked, key), schema, depth + 1)
        if "items" in one:
            yield from _paths(one["items"] or {}, f"{walked}[0]", schema, depth + 1)


def _alternatives(part: Any, schema: Schema) -> Iterator[Schema]:
    """A part of a schema with its reference followed; of a union each member."""
    if not isinstance(part, Mapping):
        return
    if "$ref" in part:
        yield from _alternatives(schema["$defs"][part["$ref"].rpartition("/")[2]], schema)
    elif "anyOf" in part:
        for one in part["anyOf"]:
            yield from _alternatives(one, schema)
    else:
        yield part


def _below(part: Schema, step: str | int, schema: Schema) -> Iterator[Schema]:
    for one in _alternatives(part, schema):
        if isinstance(step, int):
            inner = one.get("items") or next(iter(one.get("prefixItems", ())), None)
        else:
            inner = one.get("properties", {}).get(step)
        if inner:
            yield inner


def _keys(part: Schema, schema: Schema) -> list[str]:
    return [key for one in _alternatives(part, schema) for key in one.get("properties", {})]
