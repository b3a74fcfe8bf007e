"""Expressions that people write into files and on command lines: `links.c1-c2.distance <= 1000mi and seed != 3`.

In: text. Out: a tree that is evaluated over named values; nothing of Python is ever called. Numbers may carry a unit of
the languages and are then SI values. Names may hold dots and hyphens, so a minus stands between spaces. In order of
precedence: `or`, `and`, `not`, comparisons, `+ -`, `* /`, a sign.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from scenario.errors import WrongInput
from scenario.text.diagnostics import nearest, one_of
from scenario.text.units import NUMBER, QUANTITIES, UnitError, read

Scalar: TypeAlias = float | str | bool
MOST_CHARACTERS = 1000
MOST_DEPTH = 50
_TOKEN = re.compile(
    rf"(?P<space>\s+)|(?P<number>{NUMBER.removeprefix('[+-]?')})(?P<unit>[A-Za-zµ%/]*)"
    r"|(?P<name>[A-Za-z_][\w*?]*(?:[.-][\w*?]+|\[\d{1,4}\])*)"
    r"|(?P<text>\"[^\"]*\"|'[^']*')|(?P<sign><=|>=|==|!=|[-+*/()<>])"
)
_COMPARED: dict[str, Callable[[Scalar, Scalar], bool]] = {
    "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_COUNTED: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip
_WORDS = ("and", "or", "not", "true", "false")


class NoExpression(WrongInput, ValueError):
    """Text that is no expression, or one that cannot be worked out: what is wrong, and at which character (from 0)."""

    def __init__(self, message: str, at: int, expected: str = "", hint: str = "") -> None:
        told = [message, *(["expected " + expected] if expected else []), *([hint] if hint else [])]
        super().__init__("; ".join(told))
        self.message, self.at, self.expected, self.hint = message, at, expected, hint


@dataclass(frozen=True)
class Term:
    """A part of an expression: an operation on parts, a name, or a value. `at` is its first character."""

    what: str
    at: int
    parts: tuple[Term, ...] = ()
    value: Scalar = ""

    def names(self) -> dict[str, int]:
        """The names in it, and where each first stands."""
        own = {str(self.value): self.at} if self.what == "name" else {}
        for part in reversed(self.parts):
            own = own | part.names()
        return own

    def of(self, values: Mapping[str, Scalar | None]) -> Scalar:
        """What it comes to. Raises NoExpression: no such name, no value, a text beside a number, division by zero."""
        if self.what == "value":
            return self.value
        if self.what == "name":
            return self._named(values)
        if self.what in ("and", "or", "not"):
            return self._decided(values)
        found = [part.of(values) for part in self.parts]
        if self.what in _COMPARED:
            return self._compared(*found)
        return self._counted(found)

    def holds(self, values: Mapping[str, Scalar | None]) -> bool:
        """Whether it is true. Raises NoExpression, of a number, too."""
        found = self.of(values)
        if not isinstance(found, bool):
            raise NoExpression("this is neither true nor false", self.at, "a comparison")
        return found

    def _named(self, values: Mapping[str, Scalar | None]) -> Scalar:
        found = values.get(str(self.value))
        if found is None:
            message = f"{self.value} has no value" if self.value in values else "no such name"
            raise NoExpression(message, self.at, hint=nearest(str(self.value), values))
        return found

    def _decided(self, values: Mapping[str, Scalar | None]) -> bool:
        if self.what == "not":
            return not self.parts[0].holds(values)
        decided = (part.holds(values) for part in self.parts)
        return all(decided) if self.what == "and" else any(decided)

    def _compared(self, left: Scalar, right: Scalar) -> bool:
        if isinstance(left, str) != isinstance(right, str):
            raise NoExpression("a text compared with a number", self.at)
        return _COMPARED[self.what](left, right)

    def _counted(self, found: list[Scalar]) -> float:
        if any(isinstance(one, (str, bool)) for one in found):
            raise NoExpression("there is no arithmetic with texts, true or false", self.at)
        numbers = [float(one) for one in found]
        if len(numbers) == 1:
            return -numbers[0]
        if self.what == "/" and numbers[1] == 0:
            raise NoExpression("division by zero", self.at)
        return _COUNTED[self.what](*numbers)


def parse(text: str, known: Collection[str] | None = None) -> Term:
    """The expression that a text spells; where `known` is given, of these names alone. Raises NoExpression."""
    if len(text) > MOST_CHARACTERS:
        raise NoExpression("an expression too long", 0, f"at most {MOST_CHARACTERS} characters")
    reading = _Reading(text)
    found = reading.either(0)
    if reading.token:
        raise NoExpression("the expression has ended before this", reading.at, "and, or, + …")
    for name, at in found.names().items():
        if known is not None and name not in known:
            hint = nearest(name, known) or "a text stands in quotes"
            raise NoExpression(f"no such name: {name[:60]}", at, one_of(known, 8), hint)
    return found


class _Reading:
    """Takes an expression apart, a token at a time: recursive descent, as deep as MOST_DEPTH."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._end = 0
        self.at = 0
        self.kind = self.token = ""
        self._next()

    def _next(self) -> None:
        self.at, self.kind, self.token = self._end, "", ""
        while self._end < len(self._text):
            found = _TOKEN.match(self._text, self._end)
            if found is None:
                raise NoExpression("a character that belongs in no expression", self._end)
            self.at, self._end = self._end, found.end()
            if found["space"] is None:
                self.kind = next(k for k in ("number", "name", "text", "sign") if found[k])
                self.token = found[0]
                return
        self.at = len(self._text)

    def either(self, depth: int) -> Term:
        """Parts between `or`."""
        return self._joined("or", self._all, depth)

    def _all(self, depth: int) -> Term:
        return self._joined("and", self._not, depth)

    def _joined(self, word: str, below: Callable[[int], Term], depth: int) -> Term:
        at, parts = self.at, [below(depth)]
        while self.token == word:
            self._next()
            parts.append(below(depth))
        return Term(word, at, tuple(parts)) if len(parts) > 1 else parts[0]

    def _not(self, depth: int) -> Term:
        if depth > MOST_DEPTH:
            raise NoExpression(f"nested deeper than {MOST_DEPTH}", self.at)
        if self.token == "not":
            at = self.at
            self._next()
            return Term("not", at, (self._not(depth + 1),))
        return self._comparison(depth)

    def _comparison(self, depth: int) -> Term:
        left = self._sum(depth)
        if self.kind == "sign" and self.token in _COMPARED:
            sign, at = self.token, self.at
            self._next()
            return Term(sign, at, (left, self._sum(depth)))
        return left

    def _sum(self, depth: int) -> Term:
        return self._chain(("+", "-"), self._product, depth)

    def _product(self, depth: int) -> Term:
        return self._chain(("*", "/"), self._single, depth)

    def _chain(self, signs: tuple[str, ...], below: Callable[[int], Term], depth: int) -> Term:
        left = below(depth)
        while self.kind == "sign" and self.token in signs:
            sign, at = self.token, self.at
            self._next()
            left = Term(sign, at, (left, below(depth)))
        return left

    def _single(self, depth: int) -> Term:
        if depth > MOST_DEPTH:
            raise NoExpression(f"nested deeper than {MOST_DEPTH}", self.at)
        kind, token, at = self.kind, self.token, self.at
        if token in ("and", "or", "not", "") or (kind == "sign" and token not in ("-", "(")):
            raise NoExpression("a value is missing", at, "a name, a number, a text in quotes or (")
        self._next()
        if token == "-":
            return Term("-", at, (self._single(depth + 1),))
        if token == "(":
            return self._within(depth, at)
        if kind == "name" and token not in _WORDS:
            return Term("name", at, value=token)
        return Term("value", at, value=_value(kind, token, at))

    def _within(self, depth: int, at: int) -> Term:
        inner = self.either(depth + 1)
        if self.token != ")":
            raise NoExpression("a bracket that is never closed", at, ")")
        self._next()
        return inner


def _value(kind: str, token: str, at: int) -> Scalar:
    if kind == "text":
        return token[1:-1]
    if kind == "name":
        return token == "true"
    return _number(token, at)


def _number(token: str, at: int) -> float:
    """A number in SI; its unit may be any of the languages'."""
    for quantity in QUANTITIES.values():
        try:
            return read(token, quantity)
        except UnitError:
            continue
    try:
        return float(token)
    except ValueError:
        units = sorted({unit for quantity in QUANTITIES.values() for unit in quantity.units})
        raise NoExpression(f"no such unit: {token[:20]}", at, one_of(units, 12)) from None
