"""Conditions of the command line on a document's figures: `iterations.p50_s > 3s and efficiency.goodput < 0.5`.

In: a text, a JSON Schema. Out: a `Condition`, which a document meets or not. Paths and comparisons, `and`, `or`; there
is nothing else. A `[*]` in a path stands for every entry of a list: the comparison is true if it is for one.

    condition  := conjunction ("or" conjunction)*
    conjunction := comparison ("and" comparison)*
    comparison := operand ("<" | "<=" | ">" | ">=" | "==" | "!=") operand
    operand    := path | number with or without a unit
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from analysis.checks.figures import check_path, figures
from scenario.errors import WrongInput
from scenario.text import units
from scenario.text.units import BANDWIDTH, DURATION, RATE, SHARE, SIZE, UnitError

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
EXAMPLE = "iterations.p50_s > 3s"
LONGEST = 1000
_SIGNS = re.compile("(<=|>=|==|!=|<|>)")
_OR, _AND = re.compile(r"\s+or\s+"), re.compile(r"\s+and\s+")
Operand = str | float
"""A path, or a number in SI units."""


@dataclass(frozen=True)
class Compared:
    """One figure beside a number, or another figure."""

    left: Operand
    sign: str
    right: Operand


@dataclass(frozen=True)
class Condition:
    """Any of several conjunctions of comparisons, and how it was written."""

    text: str
    any_of: tuple[tuple[Compared, ...], ...]

    def met(self, document: Mapping[str, Any]) -> bool | None:
        """Whether a document meets it; None where it has no figure at one of the paths."""
        told = [_all(one, document) for one in self.any_of]
        return True if True in told else None if None in told else False

    def values(self, document: Mapping[str, Any]) -> str:
        """What the document has at each path, for people."""
        paths = [
            operand
            for one in self.any_of
            for comparison in one
            for operand in (comparison.left, comparison.right)
            if isinstance(operand, str)
        ]
        return ", ".join(f"{path} is {_shown(document, path)}" for path in dict.fromkeys(paths))


def condition(text: str, schema: Mapping[str, Any]) -> Condition:
    """The condition that a text spells, on documents of a schema. Raises WrongInput, which names the nearest paths."""
    if len(text) > LONGEST:
        raise WrongInput(f"a condition of {len(text):,} characters: at most {LONGEST:,}")
    any_of = tuple(
        tuple(_compared(one, text, schema) for one in _AND.split(conjunction))
        for conjunction in _OR.split(text.strip())
    )
    return Condition(text.strip(), any_of)


def _compared(text: str, whole: str, schema: Mapping[str, Any]) -> Compared:
    parts = _SIGNS.split(text)
    if len(parts) != 3:
        found = f"{text.strip()!r} is no comparison"
        raise WrongInput(f"condition {whole!r}: {found}; expected one such as {EXAMPLE}")
    try:
        left, right = (_operand(part.strip(), schema) for part in (parts[0], parts[2]))
    except WrongInput as error:
        raise WrongInput(f"condition {whole!r}: {error}") from None
    if not isinstance(left, str) and not isinstance(right, str):
        raise WrongInput(f"condition {whole!r}: {text.strip()!r} speaks of no figure")
    return Compared(left, parts[1], right)


def _operand(text: str, schema: Mapping[str, Any]) -> Operand:
    """A number in SI units, or a path that leads to one."""
    if re.match(r"[-+.0-9]", text):
        return _number(text)
    check_path(text, schema)
    return text


def _number(text: str) -> float:
    if re.fullmatch(units.NUMBER, text):
        return float(text)
    for quantity in (DURATION, SHARE, RATE, BANDWIDTH, SIZE):
        try:
            return units.read(text, quantity)
        except UnitError:
            continue
    raise WrongInput(f"{text!r} is no number with a unit, such as 3s, 40%, 400Gbit/s")


def _all(compared: tuple[Compared, ...], document: Mapping[str, Any]) -> bool | None:
    told = [_holds(one, document) for one in compared]
    return False if False in told else None if None in told else True


def _holds(one: Compared, document: Mapping[str, Any]) -> bool | None:
    left, right = (_values(operand, document) for operand in (one.left, one.right))
    if not left or not right:
        return None
    compare = COMPARISONS[one.sign]
    return any(compare(a, b) for a, b in product(left, right))


def _values(operand: Operand, document: Mapping[str, Any]) -> list[float]:
    return figures(document, operand) if isinstance(operand, str) else [operand]


def _shown(document: Mapping[str, Any], path: str) -> str:
    found = figures(document, path)
    if not found:
        return "not there"
    shown = f"{min(found):.6g}"
    return shown if min(found) == max(found) else f"{shown} to {max(found):.6g}"
