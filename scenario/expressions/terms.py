"""What an expression is, once it is read: a tree of terms, evaluated over named values.

In: values by name. Out: true, false, or None where a value that matters is not there. Nothing of Python is ever called.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from scenario.errors import WrongInput
from scenario.text.diagnostics import Diagnostic, Place, complain

Scalar: TypeAlias = float | str | bool
Values: TypeAlias = Mapping[str, Scalar | list[float] | None]
"""By name: a value; those of all entries, of a name with `[*]`; or None, or nothing, where there is none."""
COMPARED: dict[str, Callable[[Scalar, Scalar], bool]] = {
    "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
COUNTED: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip
DECIDED = ("and", "or", "not")
EVERY = "[*]"


class NoExpression(WrongInput, ValueError):
    """Text that is no expression, or makes no sense: what is wrong, and at which character (from 0)."""

    def __init__(self, message: str, at: int, expected: str = "", hint: str = "") -> None:
        told = [message, *(["expected " + expected] if expected else []), *([hint] if hint else [])]
        super().__init__("; ".join(told))
        self.message, self.at, self.expected, self.hint = message, at, expected, hint

    def within(self, at: int) -> NoExpression:
        """The same of a longer text, in which this one stands at a character."""
        return NoExpression(self.message, at + self.at, self.expected, self.hint)

    def diagnostic(self, start: Place, path: str = "") -> Diagnostic:
        """As a complaint, about a text that starts somewhere."""
        there = Place(start.source, start.line, start.column + self.at)
        return complain(there, self.message, path=path, expected=self.expected, hint=self.hint)


@dataclass(frozen=True)
class Term:
    """A part of an expression: an operation on parts, a `name`, a `value`, or a `quantity` that is still text.
    `at` is its first character; of a comparison that of its sign."""

    what: str
    at: int
    parts: tuple[Term, ...] = ()
    value: Scalar = ""

    def names(self) -> Iterator[tuple[str, int]]:
        """The names in it, and where they stand."""
        if self.what == "name":
            yield str(self.value), self.at
        for part in self.parts:
            yield from part.names()

    def holds(self, values: Values) -> bool | None:
        """Whether it is true; None where that hangs on a value that is not there (or on a division by zero). A
        comparison with `[*]` is true if it is for one entry."""
        if self.what in DECIDED:
            return self._decided(values)
        found = self._all(values)
        return any(found) if found else None

    def _decided(self, values: Values) -> bool | None:
        told = [part.holds(values) for part in self.parts]
        if self.what == "not":
            return None if told[0] is None else not told[0]
        settles = self.what == "or"
        return settles if settles in told else None if None in told else not settles

    def _all(self, values: Values) -> Sequence[Scalar]:
        """All that it comes to: one value, none, or one for each entry of a list."""
        if self.what == "value":
            return [self.value]
        if self.what == "name":
            found = values.get(str(self.value))
            return found if isinstance(found, list) else [] if found is None else [found]
        if self.what in DECIDED:
            told = self._decided(values)
            return [] if told is None else [told]
        every = product(*(part._all(values) for part in self.parts))
        return [one for found in every if (one := self._one(found)) is not None]

    def _one(self, found: Sequence[Scalar]) -> Scalar | None:
        if self.what in COMPARED:
            return COMPARED[self.what](*found)
        numbers = [float(one) for one in found]
        if len(numbers) == 1:
            return -numbers[0]
        if self.what == "/" and numbers[1] == 0:
            return None
        return COUNTED[self.what](*numbers)
