"""The labs there are: each a folder `labs/NN-name` with a `check.yaml`, read strictly.

Out: `Lab` objects, with their parameters, tasks and points. What a task's answer is worth is decided in
`longhaul.labs.exercises`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from scenario.errors import WrongInput
from scenario.text.include import read_document
from scenario.text.shape import examine
from scenario.text.strict import Strict
from scenario.text.tree import Problems

LABS = Path(__file__).parents[2] / "labs"
SHEET = "check.yaml"
SKELETON = "skeleton"
Value = str | int | float


class UnknownLab(WrongInput):
    """There is no lab of this name or number, or none here at all."""


class OneOf(Strict):
    """One of several values."""

    of: Annotated[list[Value], Field(min_length=2, max_length=1000)]
    """The values."""

    def values(self) -> list[Value]:
        """All that may be drawn."""
        return self.of


class Steps(Strict):
    """A number of an even row."""

    first: Annotated[int | float, Field(alias="from")]
    """The least."""
    to: int | float
    """The greatest."""
    step: Annotated[int | float, Field(gt=0)]
    """From one to the next."""

    def values(self) -> list[Value]:
        """All that may be drawn."""
        count = round((self.to - self.first) / self.step)
        return [self.first + number * self.step for number in range(count + 1)]


class LabTask(Strict):
    """One thing that is asked."""

    points: Annotated[int, Field(ge=1, le=100)]
    """What a right answer is worth."""
    asks: str
    """What is asked."""
    form: str
    """What an answer looks like."""
    hint: str
    """What to look at when it is wrong."""


class Sheet(Strict):
    """`check.yaml`."""

    longhaul: Literal[1]
    """Version of this language."""
    title: str
    """Title of the lab."""
    minutes: Annotated[int, Field(ge=1, le=600)]
    """How long it takes."""
    exercise: str
    """The module of `longhaul.labs.exercises` that marks it."""
    hand_in: Annotated[list[str], Field(min_length=1)]
    """The files that a student hands in."""
    variants: Annotated[int, Field(ge=0, le=10)] = 2
    """With so many further draws code is tried, beside the student's own; 0 where answers are numbers."""
    parameters: dict[str, OneOf | Steps]
    """What differs from student to student."""
    hidden: list[str] = Field(default=[])
    """Those of the parameters that a student is to find out: they are neither printed nor told in the folder."""
    tasks: Annotated[dict[str, LabTask], Field(min_length=1)]
    """What is asked, by name."""
    hints: list[str] = Field(default=[])
    """Further help, one after the other."""


@dataclass(frozen=True)
class Lab:
    """A lab: its number, its folder, its sheet."""

    number: int
    folder: Path
    sheet: Sheet

    @property
    def points(self) -> int:
        """What all tasks are worth together."""
        return sum(task.points for task in self.sheet.tasks.values())

    @property
    def skeleton(self) -> Path:
        """What students start from."""
        return self.folder / SKELETON


@cache
def labs() -> dict[int, Lab]:
    """All labs by number. Raises UnknownLab where this installation has none, InvalidInput."""
    found = {}
    for path in sorted(LABS.glob(f"[0-9][0-9]-*/{SHEET}")):
        number = int(path.parent.name[:2])
        found[number] = Lab(number, path.parent, _sheet(path))
    if not found:
        raise UnknownLab(f"no labs in {LABS}: they come with the source, not with a bundle")
    return found


def lab(asked: str) -> Lab:
    """A lab by its number (`1`, `01`) or folder (`01-light`). Raises UnknownLab, InvalidInput."""
    for one in labs().values():
        if asked in (str(one.number), f"{one.number:02}", one.folder.name):
            return one
    known = ", ".join(one.folder.name for one in labs().values())
    raise UnknownLab(f"there is no lab {asked!r}; there are {known}")


def _sheet(path: Path) -> Sheet:
    root = read_document(path).root
    problems = Problems(root)
    sheet, malformed = examine(root, Sheet)
    problems.found += malformed
    problems.stop()
    assert sheet is not None
    return sheet
