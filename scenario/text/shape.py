"""Does a document have the form of a model? The model's instance, or every complaint at once.

Pydantic finds what is wrong; this module says it in the words of the file: where, what was found,
what was expected, and the nearest spelling of what was probably meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from scenario.text.branches import NEITHER, Wrong, settled
from scenario.text.diagnostics import Diagnostic, InvalidInput, nearest, one_of
from scenario.text.forms import Location, description, keys_of_any, known_keys, known_kinds
from scenario.text.meant import UNKNOWN, hint, intended, untagged
from scenario.text.tree import (
    Mapping,
    Node,
    Problems,
    Steps,
    at,
    child,
    plain,
    spelling,
    without_node,
)

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
_LENGTHS = {
    "too_short": ("too few entries", "min_length", "at least {}"),
    "too_long": ("too many entries", "max_length", "at most {}"),
    "string_too_short": ("a text too short", "min_length", "at least {} characters"),
    "string_too_long": ("a text too long", "max_length", "at most {} characters"),
}

MOST_ROUNDS = 3
"""Of leaving out what is wrong: a union shows what is wrong with a member once its tag is right."""
MOST_LEFT_OUT = 100
MOST_EXAMINED = 10_000
"""Of all that is wrong with one document; the first hundred are told."""


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
        found = _found(error, root, model)
        misspelled = {meant for wrong in found for meant in _meant(wrong, model)}
        for wrong in found:
            if wrong.type != "missing" or wrong.loc not in misspelled:
                _diagnostic(wrong, problems, model)
        return None, problems.found


def _found(error: ValidationError, root: Node, model: type[BaseModel]) -> list[Wrong]:
    details = error.errors(include_url=False, include_input=False)[:MOST_EXAMINED]
    return settled(details, root, model)


def mended(root: Mapping, model: type[BaseModel]) -> tuple[Mapping, list[Steps]] | None:
    """`root` without what has the wrong form, so that what else is wrong can be told, too; and where something was
    left out. None where something is missing then."""
    left_out: list[Steps] = []
    for _ in range(MOST_ROUNDS):
        try:
            model.model_validate(plain(root))
            return root, left_out
        except ValidationError as error:
            found = _found(error, root, model)
        wrong = [tuple(step for step in _steps(root, one.loc) if step != "[key]") for one in found]
        missing = any(one.type == "missing" for one in found)
        if (
            missing
            or len(wrong) > MOST_LEFT_OUT
            or not all(steps and at(root, *steps) for steps in wrong)
        ):
            return None
        left_out += wrong
        for steps in sorted(wrong, key=_numbered, reverse=True):  # of a list, the last first
            root = without_node(root, steps)
    return None


def _numbered(steps: Steps) -> list[str]:
    return [f"{step:09}" if isinstance(step, int) else step for step in steps]


def complaints_of_part(root: Node, model: type[BaseModel]) -> list[Diagnostic]:
    """What is wrong in something to be inherited from, where nothing that is missing is wrong."""
    try:
        model.model_validate(plain(root))
    except ValidationError as error:
        problems = Problems(root)
        for wrong in _found(error, root, model):
            if wrong.type not in ("missing", "union_tag_not_found"):
                _diagnostic(wrong, problems, model)
        return problems.found
    return []


def _meant(wrong: Wrong, model: type[BaseModel]) -> Iterator[Location]:
    """Where the key would stand that an unknown one is a misspelling of."""
    if wrong.type == "extra_forbidden":
        *above, key = wrong.loc
        yield (*above, intended(str(key), known_keys(model, tuple(above))))


def _diagnostic(wrong: Wrong, problems: Problems, model: type[BaseModel]) -> None:
    loc = wrong.loc
    steps = tuple(_steps(problems.root, loc))
    if wrong.type == "extra_forbidden":
        _unknown_key(problems, steps, known_keys(model, loc[:-1]))
    elif wrong.type == "missing":
        problems.add(steps, f"`{steps[-1]}` is missing", description(model, loc))
    elif wrong.type == "union_tag_not_found":
        untagged(
            problems, steps, _discriminator(wrong), known_kinds(model, loc), keys_of_any(model, loc)
        )
    elif loc and loc[-1] == "[key]":
        problems.add_key(steps, *_said(wrong, None))
    else:
        steps += (_discriminator(wrong),) if wrong.type == "union_tag_invalid" else ()
        problems.add(steps, *_said(wrong, at(problems.root, *steps)))


def _discriminator(wrong: Wrong) -> str:
    """The key that tells the members of a union apart."""
    return str(wrong.context["discriminator"]).strip("'")


def _steps(root: Node, loc: Location) -> Iterator[str | int]:
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
    problems.add_key(steps, UNKNOWN, lambda: one_of(known), lambda: hint(steps[-1], known))


def _said(wrong: Wrong, node: Node | None) -> tuple[str, str, str]:
    """Message, expectation and hint for a value of the wrong kind or size."""
    kind, context = wrong.type, wrong.context
    if kind == "longhaul":
        said = context["said"], context["expected"], context["hint"]
    elif kind == NEITHER:
        said = _neither(context, node)
    elif kind in _NOUNS:
        quote = "put it in quotes if it is meant as text" if kind == "string_type" else ""
        said = f"not {_NOUNS[kind]}", _NOUNS[kind], quote or _truth(kind, node)
    elif kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        said = "a number out of bounds", words.format(_number(context[key])), ""
    elif kind in ("literal_error", "union_tag_invalid"):
        said = _choice(context, node)
    elif kind in _LENGTHS:
        said = _length(kind, context)
    else:
        said = wrong.message, "", ""
    return said


def _neither(context: dict[str, Any], node: Node | None) -> tuple[str, str, str]:
    """Of what may be one of several things, and is none: what is wrong with it as the one that it looks like."""
    each = [_said(one, node) for one in context["each"]]
    expected = ", or ".join(dict.fromkeys(said[1] for said in each))
    message, hint = (each[0][0], each[0][2]) if context["fits"] else ("not what belongs here", "")
    return message, expected, hint


def _number(bound: float) -> str:
    """A bound as people write it: with commas, and an exponent where there are too many of them."""
    if bound == int(bound) and abs(bound) < 1e15:
        return f"{bound:,.0f}"
    return f"{bound:.6g}".replace("e+", "e")


def _choice(context: dict[str, Any], node: Node | None) -> tuple[str, str, str]:
    listed = str(context.get("expected") or context.get("expected_tags"))
    known = [word.strip(" '") for word in listed.replace(" or ", ", ").split(",")]
    expected = one_of(known)
    hint = nearest(spelling(node), known)
    return "not one of the choices" if len(known) > 1 else "not what belongs here", expected, hint


def _truth(kind: str, node: Node | None) -> str:
    return nearest(spelling(node), ("true", "false")) if kind == "bool_type" else ""


def _length(kind: str, context: dict[str, Any]) -> tuple[str, str, str]:
    message, bound, expected = _LENGTHS[kind]
    return message, expected.format(context[bound]), ""
