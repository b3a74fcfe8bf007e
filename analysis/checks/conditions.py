"""Conditions of the command line on a document's figures: `iterations.p50_s > 3s and efficiency.goodput < 0.5`.

In: a text, a JSON Schema. Out: a `Condition`, which a document meets or not. docs/expressions.md is the manual.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.checks.figures import figures, kind_of
from scenario.expressions.reading import parse
from scenario.expressions.terms import NoExpression, Term
from scenario.text.diagnostics import InvalidInput, Place, Source

OPTION = "--fail-if"


@dataclass(frozen=True)
class Condition:
    """An expression over a document's figures, and how it was written."""

    text: str
    term: Term

    def met(self, document: Mapping[str, Any]) -> bool | None:
        """Whether a document meets it; None where that hangs on a figure that the document does not have."""
        return self.term.holds({path: figures(document, path) for path in self.paths})

    @property
    def paths(self) -> tuple[str, ...]:
        """The figures that it speaks of."""
        return tuple(dict.fromkeys(path for path, _ in self.term.names()))

    def values(self, document: Mapping[str, Any]) -> str:
        """What the document has at each path, for people."""
        return ", ".join(f"{path} is {_shown(document, path)}" for path in self.paths)


def condition(text: str, schema: Mapping[str, Any]) -> Condition:
    """The condition that a text spells, on documents of a schema. Raises InvalidInput."""
    line = " ".join(text.split())
    start = Place(Source(OPTION, (line,)))
    try:
        term = parse(line, lambda path: kind_of(path, schema))
        if not list(term.names()):
            raise NoExpression("this speaks of no figure", 0, "such as iterations.p50_s > 3s")
    except NoExpression as error:
        raise InvalidInput([error.diagnostic(start)]) from None
    return Condition(line, term)


def _shown(document: Mapping[str, Any], path: str) -> str:
    found = figures(document, path)
    if not found:
        return "not there"
    shown = f"{min(found):.6g}"
    return shown if min(found) == max(found) else f"{shown} to {max(found):.6g}"
