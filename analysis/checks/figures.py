"""A number in a JSON document of ours, found by its path: `iterations.p50_s`, `serving[0].first_token.p99_s`.

Whether a path can lead anywhere is told from the document's JSON Schema, before there is a document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from scenario.errors import WrongInput
from scenario.text.diagnostics import closest, one_of

_STEP = re.compile(r"\.?(?P<key>[A-Za-z_]\w*)|\[(?P<index>\d{1,4}|\*)\]")
EVERY = -1
NUMBERS = ("number", "integer", "boolean")
MOST_DEEP = 8
MOST_KEYS = 12


def steps_of(path: str) -> tuple[str | int, ...]:
    """The steps of a path; -1 is every entry of a list. Raises WrongInput where it is none."""
    steps: list[str | int] = []
    position = 0
    while position < len(path):
        found = _STEP.match(path, position)
        if found is None or (position > 0) != (path[position] in ".["):
            raise WrongInput(f"{path!r} is not the path of a figure, such as iterations.p50_s")
        index = found["index"]
        steps.append(found["key"] if index is None else EVERY if index == "*" else int(index))
        position = found.end()
    if not steps:
        raise WrongInput("the path of a figure is missing, such as iterations.p50_s")
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


def check_path(path: str, schema: Mapping[str, Any]) -> None:
    """Raises WrongInput, which names the nearest paths, where no document of that schema has a number there."""
    parts = [schema]
    walked = ""
    for step in steps_of(path):
        below = [found for part in parts for found in _below(part, step, schema)]
        if not below:
            raise WrongInput(_nowhere(path, walked, step, parts, schema))
        parts = below
        walked += (
            f"[{step}]".replace("-1", "*")
            if isinstance(step, int)
            else f".{step}"
            if walked
            else step
        )
    if not any(_is_number(part, schema) for part in parts):
        inside = sorted({key for part in parts for key in _keys(part, schema)})
        listed = f": it holds {one_of(inside, MOST_KEYS).removeprefix('one of ')}" if inside else ""
        raise WrongInput(f"{path} is no number{listed}")


def _nowhere(
    path: str,
    walked: str,
    step: str | int,
    parts: list[Mapping[str, Any]],
    schema: Mapping[str, Any],
) -> str:
    """What to say of a step that leads nowhere."""
    if isinstance(step, int):
        return f"{path}: {walked} is no list"
    keys = sorted({key for part in parts for key in _keys(part, schema)})
    where = f"{walked} has" if walked else "there is"
    meant = closest(step, keys)
    if meant:
        near = f"{walked}.{meant}" if walked else meant
        return f"{path}: {where} no {step!r}; did you mean {near}?"
    elsewhere = [one for one in every_path(schema) if one.rpartition(".")[2] == step][:3]
    if elsewhere:
        return f"{path}: {where} no {step!r}; there is {', '.join(elsewhere)}"
    known = one_of(keys, MOST_KEYS)
    return f"{path}: {where} no {step!r}; expected {known or 'no more steps'}"


def every_path(schema: Mapping[str, Any]) -> Iterator[str]:
    """The paths of all numbers that a document may have, of the first entry of each list."""
    yield from _paths(schema, "", schema, 0)


def _paths(
    part: Mapping[str, Any], walked: str, schema: Mapping[str, Any], depth: int
) -> Iterator[str]:
    for one in _alternatives(part, schema):
        if one.get("type") in NUMBERS and walked:
            yield walked
        if depth == MOST_DEEP:
            return
        for key, below in one.get("properties", {}).items():
            yield from _paths(below, f"{walked}.{key}" if walked else key, schema, depth + 1)
        if "items" in one:
            yield from _paths(one["items"] or {}, f"{walked}[0]", schema, depth + 1)


def _alternatives(part: Any, schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
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


def _below(
    part: Mapping[str, Any], step: str | int, schema: Mapping[str, Any]
) -> Iterator[Mapping[str, Any]]:
    for one in _alternatives(part, schema):
        if isinstance(step, int):
            inner = one.get("items") or next(iter(one.get("prefixItems", ())), None)
        else:
            inner = one.get("properties", {}).get(step)
        if inner:
            yield inner


def _keys(part: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    return [key for one in _alternatives(part, schema) for key in one.get("properties", {})]


def _is_number(part: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    return any(one.get("type") in NUMBERS for one in _alternatives(part, schema))
