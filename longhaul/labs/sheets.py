"""A marked sheet: what was right, what it is worth; as text, JSON, JUnit or Gradescope's results.

Gradescope: `results.json` with `score`, `max_score` and `tests`. [gradescope-autograders.readthedocs.io, specs]
"""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from analysis.legible import legible
from longhaul.labs.attempt import Marked
from longhaul.labs.catalogue import Lab


@dataclass(frozen=True)
class MarkedSheet:
    """All tasks of one student's lab. One that a teacher sees has the references in it."""

    lab: Lab
    student: str
    marks: tuple[Marked, ...]
    teachers: bool = False

    @property
    def points(self) -> int:
        """What the right ones are worth."""
        return sum(self.worth(mark) for mark in self.marks)

    @property
    def whole(self) -> bool:
        """Whether all is right."""
        return self.points == self.lab.points

    def worth(self, mark: Marked) -> int:
        """The points of a task, got or not."""
        return self.lab.sheet.tasks[mark.task].points if mark.right else 0


BESIDE = 17
"""Columns of what stands before a text: `       measured  `."""


def text(sheet: MarkedSheet) -> str:
    """For a terminal: in lines that it can show; for a file or pipe a line for each thing that is said."""
    lines = [f"lab {sheet.lab.number}, {sheet.lab.sheet.title}: {sheet.student}", ""]
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for mark in sheet.marks:
        told = _told(sheet, mark)
        lines += [*(folded(line, columns) if columns else line for line in told), ""]
    return legible("\n".join([*lines, f"{sheet.points} of {sheet.lab.points} points"]))


def folded(line: str, columns: int) -> str:
    """A line in several, none longer than the terminal where words allow it; all texts begin in one column."""
    apart = textwrap.TextWrapper(
        max(columns, 2 * BESIDE), subsequent_indent=" " * BESIDE,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return "\n".join("\n".join(apart.wrap(one)) for one in line.splitlines())


def _told(sheet: MarkedSheet, mark: Marked) -> Iterator[str]:
    task = sheet.lab.sheet.tasks[mark.task]
    word = "right" if mark.right else "wrong"
    yield f"{word}  {mark.task}: {sheet.worth(mark)} of {task.points} points"
    yield f"       asked     {mark.asked}"
    yield f"       measured  {mark.measured}"
    if not mark.right:
        yield f"       form      {task.form}"
        yield f"       hint      {task.hint}"


def plain(sheet: MarkedSheet) -> dict[str, Any]:
    """As plain data."""
    tasks = sheet.lab.sheet.tasks
    return {
        "version": 1,
        "lab": sheet.lab.number,
        "title": sheet.lab.sheet.title,
        "student": sheet.student,
        "points": sheet.points,
        "of": sheet.lab.points,
        "tasks": [
            {
                "task": mark.task,
                "right": mark.right,
                "points": sheet.worth(mark),
                "of": tasks[mark.task].points,
                "asked": mark.asked,
                "measured": mark.measured,
                "form": tasks[mark.task].form,
                "hint": "" if mark.right else tasks[mark.task].hint,
                "given": mark.given,
                "right_is": mark.right_is if sheet.teachers else None,
            }
            for mark in sheet.marks
        ],
    }


def as_json(sheet: MarkedSheet) -> str:
    """For programs."""
    return json.dumps(plain(sheet), indent=1, ensure_ascii=False)


def junit(sheet: MarkedSheet) -> str:
    """For continuous integration: a test case for each task."""
    name = sheet.lab.folder.name
    wrong = sum(not mark.right for mark in sheet.marks)
    suite = ElementTree.Element(
        "testsuite", name=name, tests=str(len(sheet.marks)), failures=str(wrong)
    )
    for mark in sheet.marks:
        case = ElementTree.SubElement(suite, "testcase", classname=name, name=mark.task)
        if not mark.right:
            said = f"asked {mark.asked}; measured {mark.measured}"
            failure = ElementTree.SubElement(case, "failure", message=said)
            failure.text = sheet.lab.sheet.tasks[mark.task].hint
    text = ElementTree.tostring(suite, encoding="unicode")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + legible(text)


def gradescope(sheet: MarkedSheet) -> str:
    """`results.json` of a Gradescope autograder."""
    tests = [
        {
            "name": mark.task,
            "score": sheet.worth(mark),
            "max_score": sheet.lab.sheet.tasks[mark.task].points,
            "status": "passed" if mark.right else "failed",
            "output": "\n".join(_told(sheet, mark)),
        }
        for mark in sheet.marks
    ]
    return json.dumps(
        {"score": sheet.points, "max_score": sheet.lab.points, "tests": tests}, indent=1
    )


FORMS: dict[str, Callable[[MarkedSheet], str]] = {
    "text": text,
    "json": as_json,
    "junit": junit,
    "gradescope": gradescope,
}
"""By the name that `--format` has for it."""
