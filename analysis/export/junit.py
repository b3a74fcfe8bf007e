"""Rulings as JUnit XML, which CI servers read. In: suites of rulings. Out: text.

A check that does not hold is a `failure`; one that could not be told is an `error`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from analysis.legible import legible


@dataclass(frozen=True)
class JunitCase:
    """One thing that was looked at: `ok` None where it could not be told. `file` and `line`: where it is written."""

    name: str
    ok: bool | None
    message: str
    file: str = ""
    line: int = 0


def junit(suites: Sequence[tuple[str, Sequence[JunitCase]]]) -> str:
    """A document of named suites."""
    root = ElementTree.Element("testsuites", _counts([c for _, cases in suites for c in cases]))
    for name, cases in suites:
        suite = ElementTree.SubElement(
            root, "testsuite", {"name": legible(name)} | _counts(list(cases))
        )
        for case in cases:
            _add(suite, name, case)
    ElementTree.indent(root, " ")
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add(suite: ElementTree.Element, name: str, case: JunitCase) -> None:
    about = {"classname": legible(name), "name": legible(case.name)}
    about |= {"file": legible(case.file), "line": str(case.line)} if case.file else {}
    made = ElementTree.SubElement(suite, "testcase", about)
    if not case.ok:
        kind = "error" if case.ok is None else "failure"
        told = ElementTree.SubElement(made, kind, {"message": legible(case.message)})
        told.text = legible(f"{case.file}:{case.line}") if case.file else None


def _counts(cases: Sequence[JunitCase]) -> dict[str, str]:
    return {
        "tests": str(len(cases)),
        "failures": str(sum(case.ok is False for case in cases)),
        "errors": str(sum(case.ok is None for case in cases)),
    }
