"""From a student's folder to a marked sheet.

In: a folder that `lab new` made, and for teachers the course's secret and hidden variants. Out: a `MarkedSheet`.
The teacher's draw counts, not what the folder says of itself.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from longhaul.labs import draws
from longhaul.labs.attempt import Attempt, Marked
from longhaul.labs.catalogue import Lab, Value, lab
from longhaul.labs.draws import Drawn
from longhaul.labs.sheets import MarkedSheet
from scenario.errors import LonghaulError, WrongInput
from scenario.text.include import read_document
from scenario.text.reading import read_file
from scenario.text.shape import examine
from scenario.text.strict import Strict
from scenario.text.tree import Problems, plain

OWN = "lab.yaml"


class Ownership(Strict):
    """`lab.yaml` of a student's folder."""

    longhaul: Literal[1]
    """Version of this language."""
    lab: int
    """Which lab it is."""
    student: str
    """Whose."""
    parameters: dict[str, Value]
    """What was drawn."""
    sealed: str = ""
    """And what of it the student is to find out: JSON as base64, so that it is not read in passing. No secret."""


@dataclass(frozen=True)
class Teacher:
    """What only a teacher has: the course's secret, and variants by the lab's number."""

    secret: bytes | None = None
    variants: dict[int, tuple[Drawn, ...]] = field(default_factory=dict, hash=False)


def exercise(one: Lab) -> ModuleType:
    """The module that marks a lab."""
    return import_module(f"longhaul.labs.exercises.{one.sheet.exercise}")


def fair(one: Lab) -> Callable[[Drawn], bool]:
    """Whether parameters are away from a tie, as the lab's exercise has it."""
    found: Callable[[Drawn], bool] = getattr(exercise(one), "fair", lambda _: True)
    return found


def owned(folder: Path) -> Ownership:
    """What a student's folder is. Raises InvalidInput, WrongInput."""
    if not (folder / OWN).is_file():
        raise WrongInput(f"{folder} has no {OWN}: it is no folder that `longhaul lab new` made")
    root = read_document(folder / OWN).root
    problems = Problems(root)
    found, malformed = examine(root, Ownership)
    problems.found += malformed
    problems.stop()
    assert found is not None
    draws.student(found.student)
    return found


def ownership(one: Lab, who: str, drawn: Drawn) -> dict[str, Any]:
    """What a student's `lab.yaml` says."""
    sealed = json.dumps({name: drawn[name] for name in one.sheet.hidden})
    return {
        "longhaul": 1,
        "lab": one.number,
        "student": who,
        "parameters": shown(one, drawn),
    } | ({"sealed": b64encode(sealed.encode()).decode()} if one.sheet.hidden else {})


def shown(one: Lab, drawn: Drawn) -> Drawn:
    """What of the parameters a student is told."""
    return {name: value for name, value in drawn.items() if name not in one.sheet.hidden}


def attempt_of(folder: Path, teacher: Teacher, hear: Callable[[str], None]) -> Attempt:
    """A student's work, with the parameters that are the student's. Raises InvalidInput, WrongInput."""
    own = owned(folder)
    one = lab(str(own.lab))
    key = teacher.secret
    if key is None:
        drawn, key = _as_written(one, own, folder), draws.PUBLIC
    else:
        drawn = draws.drawn(one, key, own.student, fair(one))
    further = draws.others(one, key, own.student, fair(one), one.sheet.variants)
    hidden = teacher.variants.get(one.number, ())
    return Attempt(one, folder, own.student, drawn, (*further, *hidden), hear)


def _as_written(one: Lab, own: Ownership, folder: Path) -> Drawn:
    """The parameters of a folder; they must be such as could have been drawn. Raises WrongInput."""
    parameters = own.parameters | _opened(own.sealed, folder)
    if parameters.keys() != one.sheet.parameters.keys():
        names = ", ".join(one.sheet.parameters)
        raise WrongInput(f"{folder / OWN}: the parameters of this lab are {names}")
    for name, value in parameters.items():
        if value not in one.sheet.parameters[name].values():
            raise WrongInput(f"{folder / OWN}: {name}: {value!r} is not among what can be drawn")
    return parameters


def _opened(sealed: str, folder: Path) -> Drawn:
    """What `ownership` has sealed. Raises WrongInput."""
    try:
        found = json.loads(b64decode(sealed, validate=True) or "{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise WrongInput(
            f"{folder / OWN}: what is sealed was changed: copy it from the folder that you were given"
        )
    return found


def marked(work: Attempt) -> MarkedSheet:
    """Marked all tasks of a lab. What cannot be carried out is wrong, and its mark says why."""
    found = {}
    try:
        found = {mark.task: mark for mark in exercise(work.lab).mark(work)}
    except LonghaulError as error:
        why = str(error).strip()
        found = {
            name: Marked(name, False, task.asks, why) for name, task in work.lab.sheet.tasks.items()
        }
    missing = work.lab.sheet.tasks.keys() - found.keys()
    assert not missing, f"{work.lab.folder.name}: nothing was said of {missing}"
    return MarkedSheet(work.lab, work.student, tuple(found[name] for name in work.lab.sheet.tasks))


def read_variants(path: Path | None) -> dict[int, tuple[Drawn, ...]]:
    """Hidden variants of a file: by `lab-<number>`, a list of parameters. Raises InvalidInput, WrongInput."""
    if path is None:
        return {}
    read = plain(read_file(path))
    assert isinstance(read, dict)
    found = {}
    for key, listed in read.items():
        one = lab(key.removeprefix("lab-"))
        if not isinstance(listed, list):
            raise WrongInput(f"{path}: {key}: a list of parameters belongs here")
        found[one.number] = tuple(_variant(one, given, f"{path}: {key}") for given in listed)
    return found


def _variant(one: Lab, given: object, where: str) -> Drawn:
    names = one.sheet.parameters.keys()
    if not isinstance(given, dict) or given.keys() != names:
        raise WrongInput(f"{where}: each variant has {', '.join(names)}")
    return dict(given)
