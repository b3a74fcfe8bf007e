"""Text to an expression: `links.c1-c2.distance <= 1000mi and waste > 30%`. docs/expressions.md is the manual.

In: text, and what kind of value each name has. Out: a `Term` that is true or false, numbers in SI. Names may hold dots
and hyphens, so a minus stands between spaces. In order of precedence: `or`, `and`, `not`, comparisons, `+ -`, `* /`, a
sign.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from scenario.expressions.kinds import Kinds, settled
from scenario.expressions.terms import COMPARED, NoExpression, Term
from scenario.text.units import NUMBER, QUANTITIES

MOST_CHARACTERS = 1000
MOST_TOKENS = 300
MOST_DEPTH = 50
_SLASHED = {unit for one in QUANTITIES.values() for unit in one.units if "/" in unit}
_UNITS = "|".join(re.escape(unit) for unit in sorted(_SLASHED, key=lambda u: (-len(u), u)))
_TOKEN = re.compile(
    rf"(?P<space>\s+)|(?P<number>{NUMBER.removeprefix('[+-]?')})(?P<unit>(?:{_UNITS})\b|[A-Za-zµ%]*)"
    r"|(?P<name>[A-Za-z_][\w*?]*(?:[.-][\w*?]+|\[(?:\d{1,4}|\*)\])*)"
    r"|(?P<text>\"[^\"]*\"|'[^']*')|(?P<sign><=|>=|==|!=|[-+*/()<>])"
)
_WORDS = ("and", "or", "not", "true", "false")


def parse(text: str, kinds: Kinds) -> Term:
    """The expression that a text spells. Raises NoExpression."""
    if len(text) > MOST_CHARACTERS:
        raise NoExpression("an expression too long", 0, f"at most {MOST_CHARACTERS:,} characters")
    reading = _Reading(text)
    found = reading.either(0)
    if reading.token:
        raise NoExpression("the expression has ended before this", reading.at, "and, or, + …")
    return settled(found, kinds)


class _Reading:
    """Takes an expression apart, a token at a time: recursive descent, as deep as MOST_DEPTH."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._end = self._count = 0
        self.at = 0
        self.kind = self.token = ""
        self._next()

    def _next(self) -> None:
        self.at, self.kind, self.token = self._end, "", ""
        self._count += 1
        if self._count > MOST_TOKENS:
            raise NoExpression("an expression too long", self.at, f"at most {MOST_TOKENS} words")
        while self._end < len(self._text):
            found = _TOKEN.match(self._text, self._end)
            if found is None:
                raise NoExpression("a character that belongs in no expression", self._end)
            self.at, self._end = self._end, found.end()
            if found["space"] is None:
                self.kind = next(k for k in ("number", "name", "text", "sign") if found[k])
                self.kind = "quantity" if found["unit"] else self.kind
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
        if self.kind == "sign" and self.token in COMPARED:
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
        if kind == "quantity" or (kind == "name" and token not in _WORDS):
            return Term(kind, at, value=token)
        return Term("value", at, value=_value(kind, token))

    def _within(self, depth: int, at: int) -> Term:
        inner = self.either(depth + 1)
        if self.token != ")":
            raise NoExpression("a bracket that is never closed", at, ")")
        self._next()
        return inner


def _value(kind: str, token: str) -> float | str | bool:
    if kind == "text":
        return token[1:-1]
    return token == "true" if kind == "name" else float(token)
