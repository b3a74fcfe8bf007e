"""Does a document have the form of a model? The model's instance, or every complaint at once.

Pydantic finds what is wrong; this module says it in the words of the file: where, what was found,
what was expected, and the nearest spelling of what was probably meant.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from .diagnostics import Diagnostic, InvalidInput, nearest
from .tree import Node, Problems, Steps, at, child, plain, spelling

M = TypeVar("M", bound=BaseModel)

_NOUNS = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_BOUNDS = {
    "greater_than": ("gt", "a number above {}"),
    "greater_than_equal": ("ge", "at least {}"),
    "less_than": ("lt", "a number below {}"),
    "less_than_equal": ("le", "at most {}"),
    "multiple_of": ("multiple_of", "a multiple of {}"),
}


def check(root: Node, model: type[M]) -> M:
    """`root` as an instance of `model`. Raises InvalidInput."""
    instance, problems = examine(root, model)
    if instance is None:
        raise InvalidInput(problems)
    return instance


def examine(root: Node, model: type[M]) -> tuple[M | None, list[Diagnostic]]:
    """The instance and no complaints, or None and all of them."""
    try:
        return model.model_validate(plain(root)), []
    except ValidationError as error:
        problems = Problems(root)
        for detail in error.errors(include_url=False):
            _diagnostic(detail, problems, model)
        return None, problems.found


def _diagnostic(detail: ErrorDetails, problems: Problems, model: type[BaseModel]) -> None:
    loc = detail["loc"]
    steps = tuple(_steps(problems.root, loc))
    if detail["type"] == "extra_forbidden":
        _unknown_key(problems, steps, known_keys(model, loc[:-1]))
    elif detail["type"] == "missing":
        problems.add(steps, f"`{steps[-1]}` is missing", _description(model, loc))
    elif loc and loc[-1] == "[key]":
        problems.add_key(steps, *_said(detail, None))
    else:
        steps += ("kind",) if detail["type"] == "union_tag_invalid" else ()
        problems.add(steps, *_said(detail, at(problems.root, *steps)))


def _steps(root: Node, loc: tuple[str | int, ...]) -> Iterator[str | int]:
    """`loc` without what pydantic adds: the tags of unions, the mark of a key."""
    node: Node | None = root
    for index, step in enumerate(loc):
        below = child(node, step) if node is not None else None
        last = index == len(loc) - 1
        if below is None and (not last or step == "[key]"):
            continue
        yield step
        node = below


def _unknown_key(problems: Problems, steps: Steps, known: list[str]) -> None:
    expected = f"one of {', '.join(known)}" if known else ""
    problems.add_key(steps, "unknown key", expected, nearest(str(steps[-1]), known))


def _said(detail: ErrorDetails, node: Node | None) -> tuple[str, str, str]:
    """Message, expectation and hint for a value of the wrong kind or size."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "longhaul":
        said = context["said"], context["expected"], context["hint"]
    elif kind in _NOUNS:
        quote = "put it in quotes if it is meant as text" if kind == "string_type" else ""
        said = f"not {_NOUNS[kind]}", _NOUNS[kind], quote
    elif kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        said = "a number out of bounds", words.format(f"{context[key]:,}"), ""
    elif kind in ("literal_error", "union_tag_invalid"):
        said = _choice(context, node)
    elif kind in ("too_short", "too_long"):
        said = _length(kind, context)
    else:
        said = detail["msg"], "", ""
    return said


def _choice(context: dict[str, Any], node: Node | None) -> tuple[str, str, str]:
    listed = str(context.get("expected") or context.get("expected_tags"))
    known = [word.strip(" '") for word in listed.replace(" or ", ", ").split(",")]
    expected = f"one of {', '.join(known)}" if len(known) > 1 else known[0]
    hint = nearest(spelling(node), known) if len(known) > 1 else ""
    return "not one of the choices" if len(known) > 1 else "not what belongs here", expected, hint


def _length(kind: str, context: dict[str, Any]) -> tuple[str, str, str]:
    least, most = context.get("min_length"), context.get("max_length")
    if kind == "too_short":
        return "too few entries", f"at least {least}", ""
    return "too many entries", f"at most {most}", ""


def known_keys(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """The keys that the mapping at `loc` of a document of `model` may have."""
    found = _model_at(model, loc)
    return [field.alias or name for name, field in found.model_fields.items()] if found else []


def _description(model: type[BaseModel], loc: tuple[str | int, ...]) -> str:
    owner = _model_at(model, loc[:-1])
    fields = owner.model_fields.items() if owner else []
    said = [f.description or "" for name, f in fields if (f.alias or name) == loc[-1]]
    return said[0].rstrip(".") if said else ""


def _model_at(annotation: Any, loc: tuple[str | int, ...]) -> type[BaseModel] | None:
    """The model of the mapping that `loc` leads to (with pydantic's union tags in it)."""
    annotation = _bare(annotation)
    if _is_union(annotation):
        return _in_union(annotation, loc)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _in_model(annotation, loc)
    arguments = get_args(annotation)
    if get_origin(annotation) in (dict, list) and loc and arguments:
        return _model_at(arguments[-1], loc[1:])
    return None


def _in_model(model: type[BaseModel], loc: tuple[str | int, ...]) -> type[BaseModel] | None:
    if not loc:
        return model
    for name, field in model.model_fields.items():
        if loc[0] == (field.alias or name):
            # The discriminator stays behind in `field`; a union's members are told by `kind`.
            return _model_at(field.annotation, loc[1:])
    return None


def _in_union(annotation: Any, loc: tuple[str | int, ...]) -> type[BaseModel] | None:
    members = [_bare(member) for member in get_args(annotation)]
    models = [m for m in members if isinstance(m, type) and issubclass(m, BaseModel)]
    tagged = [m for m in models if loc and loc[0] in _tags(m)]
    if tagged:
        return _model_at(tagged[0], loc[1:])
    return _model_at(models[0], loc) if len(models) == 1 else None


def _tags(model: type[BaseModel]) -> tuple[Any, ...]:
    field = model.model_fields.get("kind")
    annotation = field.annotation if field else None
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)
