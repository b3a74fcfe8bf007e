"""Every place of a language where a value may stand, found by walking its pydantic models."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel

from scenario.text.fields import Numbered

DEEPEST = 10
TAGS = ("kind", "event", "check")
KEY = "key"
"""What a mapping's key is called where any name will do."""

Step: TypeAlias = tuple[str | int, tuple[tuple[str, str], ...]]
"""A key (or 0, of a list), and the tag that stands beside it."""
Spot: TypeAlias = tuple[Step, ...]


def spots(model: type[BaseModel]) -> list[Spot]:
    """All places below the document itself."""
    return [spot for spot in dict.fromkeys(_spots(model, 0)) if spot]


def document(spot: Spot, value: Any) -> Any:
    """The smallest document with `value` at a place; what is missing in it is missing."""
    for step, tag in reversed(spot):
        value = [value] if step == 0 else dict(tag) | {str(step): value}
    return value


def _spots(annotation: Any, depth: int) -> Iterator[Spot]:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    yield ()
    if depth > DEEPEST:
        return
    if get_origin(annotation) in (Union, types.UnionType):
        for member in get_args(annotation):
            yield from _spots(member, depth)
    elif get_origin(annotation) in (dict, list):
        step: Step = (_key(get_args(annotation)[0]) if get_origin(annotation) is dict else 0, ())
        for spot in _spots(get_args(annotation)[-1], depth + 1):
            yield (step, *spot)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from _below(annotation, depth)


def _key(annotation: Any) -> str:
    numbers = [one for one in get_args(annotation) if isinstance(one, Numbered)]
    return ("2016" if "year" in numbers[0].what else "1") if numbers else KEY


def _below(model: type[BaseModel], depth: int) -> Iterator[Spot]:
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    tags = tuple(
        (key, get_args(fields[key].annotation)[0])
        for key in TAGS
        if key in fields and get_origin(fields[key].annotation) is Literal
    )
    for key, field in fields.items():
        for spot in _spots(field.annotation, depth + 1):
            yield ((key, tags), *spot)
