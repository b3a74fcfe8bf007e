"""`--fail-if` and `--junit`: conditions that end a verb with 1, and what came of them for a CI server.

In: the words of a command line, the JSON Schema of what the verb writes. Out: an exit status.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from analysis.checks.conditions import Condition, condition
from analysis.export.junit import JunitCase, junit
from longhaul.folder import write_output
from longhaul.verbs.arguments import complain
from scenario.errors import LonghaulError, WrongInput


class Judge:
    """Takes conditions before the work is done, so that a misspelt one costs nothing, and documents after."""

    def __init__(self, words: argparse.Namespace, name: str, schema: Mapping[str, Any]) -> None:
        self._conditions = [condition(text, schema) for text in words.fail_if]
        self._junit: Path | None = words.junit
        self._name = name
        if self._junit and not self._junit.parent.is_dir():
            raise WrongInput(f"{self._junit} cannot be written: there is no such folder")

    @contextmanager
    def watching(self) -> Iterator[None]:
        """What goes wrong in the body is an error in the JUnit file too."""
        try:
            yield
        except LonghaulError as error:
            self._write([JunitCase("carried-out", None, str(error))])
            raise

    def status(self, documents: Sequence[Mapping[str, Any]], wrong: str = "") -> int:
        """1 where a condition is met by a document, or cannot be told, or there is something `wrong`; says which."""
        cases = [JunitCase("carried-out", ok=not wrong, message=wrong)]
        cases += [_case(one, document) for one in self._conditions for document in documents]
        self._write(cases)
        failed = [case.message for case in cases if not case.ok]
        for message in failed:
            complain(f"longhaul: {message}", 1)
        return 1 if failed else 0

    def _write(self, cases: Sequence[JunitCase]) -> None:
        if self._junit:
            write_output(self._junit, junit([(self._name, cases)]))


def _case(one: Condition, document: Mapping[str, Any]) -> JunitCase:
    """What a document makes of a condition: not met is well."""
    met = one.met(document)
    said = f"--fail-if {one.text!r}: {one.values(document)}"
    return JunitCase(f"not {one.text}", None if met is None else not met, said)
