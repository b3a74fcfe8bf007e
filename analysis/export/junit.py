"""Rulings as JUnit XML, which CI servers read. In: suites of rulings. Out: text.

A check that does not hold is a `failure`; one that could not be told is an `error`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

PLAIN = {code: None for code in range(32) if code not in (9, 10)}
"""Characters that XML cannot hold."""


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
            root, "testsuite", {"name": _plain(name)} | _counts(list(cases))
        )
        for case in cases:
            _add(suite, name, case)
    ElementTree.indent(root, " ")
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add(suite: ElementTree.Element, name: str, case: JunitCase) -> None:
    about = {"classname": _plain(name), "name": _plain(case.name)}
    about |= {"file": _plain(case.file), "line": str(case.line)} if case.file else {}
    made = ElementTree.SubElement(suite, "testcase", about)
    if not case.ok:
        kind = "error" if case.ok is None else "failure"
        told = ElementTree.SubElement(made, kind, {"message": _plain(case.message)})
        told.text = f"{case.file}:{case.line}" if case.file else None


def _counts(cases: Sequence[JunitCase]) -> dict[str, str]:
    return {
        "tests": str(len(cases)),
        "failures": str(sum(case.ok is False for case in cases)),
        "errors": str(sum(case.ok is None for case in cases)),
    }


def _plain(text: str) -> str:
    return text.translate(PLAIN)
