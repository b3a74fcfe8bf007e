"""What may stand beside what in an expression: a time beside a time, and not beside a distance.

In: a tree as it was read, and the kind of each name. Out: the same tree with every number in SI, read in the unit of
what it stands beside (`7B` is 7 bytes beside a size, 7e9 beside a count).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TypeAlias

from scenario.expressions.terms import COMPARED, DECIDED, EVERY, NoExpression, Term
from scenario.text.diagnostics import nearest, one_of
from scenario.text.units import QUANTITIES, UnitError, read

Kinds: TypeAlias = Callable[[str], str]
"""The kind of a name: an SI unit, TEXT or TRUTH. Raises NoExpression, of the name alone, where there is none such."""
TEXT, TRUTH, PLAIN = "text", "true or false", ""
"""What has no unit; PLAIN are counts and shares."""
SAID = {one.si: one.said for one in reversed(QUANTITIES.values()) if one.si != "1"}
SAID |= {TEXT: "a text", TRUTH: TRUTH, PLAIN: "a number", "ns": "a duration"}
_OTHERWISE = {("bit/s", "B/s"): 1 / 8, ("B/s", "bit/s"): 8.0, ("s", "ns"): 1e9}
_BARE = frozenset({"a number"})
"""The kind of a number without a unit: all but a text."""


def settled(term: Term, kinds: Kinds) -> Term:
    """The expression, which is true or false, with its numbers in SI. Raises NoExpression."""
    settling = _Settling(kinds)
    settling.check(term)
    settling.check_truth(term)
    return settling.as_one_of(term, (TRUTH,))


def among(known: Mapping[str, str], most: int = 8) -> Kinds:
    """Of these names alone."""

    def kind(name: str) -> str:
        if name in known:
            return known[name]
        hint = nearest(name, known) or "a text stands in quotes"
        raise NoExpression(f"no such name: {name[:60]}", 0, one_of(known, most), hint)

    return kind


def kind_of_unit(unit: str) -> str:
    """The kind of what is measured in an SI unit."""
    return PLAIN if unit == "1" else unit


class _Settling:
    """First what each term can be, from the leaves up, then what it is, from the top down."""

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds
        self._found: dict[int, frozenset[str]] = {}

    def check(self, term: Term) -> frozenset[str]:
        """The kinds that a term can have. Raises NoExpression where it has none."""
        for part in term.parts:
            self.check(part)
        self._found[id(term)] = found = self._possible(term)
        return found

    def check_truth(self, term: Term) -> None:
        """Raises NoExpression where a term, which was checked, is not true or false."""
        if self._found[id(term)] != {TRUTH}:
            raise NoExpression("this is neither true nor false", term.at, "a comparison")

    def _possible(self, term: Term) -> frozenset[str]:
        if term.what == "name":
            return frozenset({self._named(term)})
        if term.what == "quantity":
            return frozenset(_readings(str(term.value), term.at))
        if term.what == "value":
            own = TEXT if isinstance(term.value, str) else TRUTH
            return _BARE if isinstance(term.value, float) else frozenset({own})
        if term.what not in DECIDED and term.what not in COMPARED:
            return self._counted(term)
        if term.what in DECIDED:
            for part in term.parts:
                self.check_truth(part)
        else:
            self._check_compared(term)
        return frozenset({TRUTH})

    def _named(self, term: Term) -> str:
        try:
            return self._kinds(str(term.value))
        except NoExpression as error:
            raise error.within(term.at) from None

    def _check_compared(self, term: Term) -> None:
        every = [at for name, at in term.names() if EVERY in name]
        if len(every) > 1:
            raise NoExpression(f"a second {EVERY} in one comparison", every[1])
        both = self._alike(term)
        if not both:
            raise NoExpression(self._unlike(term, "compared with"), term.at)
        if both == {TEXT} and term.what not in ("==", "!="):
            raise NoExpression("texts have no order", term.at, "== or !=")

    def _alike(self, term: Term) -> frozenset[str]:
        """What both parts can be."""
        left, right = (self._found[id(part)] for part in term.parts)
        if _BARE in (left, right):
            return (right if left == _BARE else left) - {TEXT}
        return left & right

    def _unlike(self, term: Term, beside: str) -> str:
        return f" {beside} ".join(_said(self._found[id(part)]) for part in term.parts)

    def _counted(self, term: Term) -> frozenset[str]:
        found = [self._found[id(part)] for part in term.parts]
        for part, kinds in zip(term.parts, found, strict=True):
            if kinds <= {TEXT, TRUTH}:
                raise NoExpression("there is no arithmetic with texts, true or false", part.at)
        if len(found) == 1:
            return found[0]
        if term.what in ("+", "-"):
            if not self._alike(term):
                raise NoExpression(self._unlike(term, "and"), term.at)
            return self._alike(term)
        left, right = found
        if right == _BARE or PLAIN in right:
            return left
        return right if term.what == "*" and (left == _BARE or PLAIN in left) else _BARE

    def as_one_of(self, term: Term, wanted: Collection[str]) -> Term:
        """A checked term, with its numbers in the unit of one of some kinds; of a product each as it can."""
        if term.what == "quantity":
            found = _readings(str(term.value), term.at)
            meant = next((kind for kind in found if kind in wanted), next(iter(found)))
            return Term("value", term.at, value=found[meant])
        if term.what in COMPARED:
            wanted = self._alike(term)
        return replace(term, parts=tuple(self.as_one_of(part, wanted) for part in term.parts))


def _said(kinds: Collection[str]) -> str:
    return " or ".join(sorted({SAID.get(one, one) for one in kinds})[:3])


def _readings(written: str, at: int) -> Mapping[str, float]:
    """What a number with a unit can be, by kind. Raises NoExpression."""
    found: dict[str, float] = {}
    known = {unit for quantity in QUANTITIES.values() for unit in quantity.units}
    for quantity in QUANTITIES.values():
        try:
            found.setdefault(kind_of_unit(quantity.si), read(written, quantity))
        except UnitError:
            continue
    if not found:
        expected = one_of(sorted(known), 12)
        raise NoExpression(f"no number with a unit: {written[:20]}", at, f"a unit: {expected}")
    for (have, other), factor in _OTHERWISE.items():
        if have in found:
            found.setdefault(other, found[have] * factor)
    return found
