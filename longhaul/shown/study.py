"""How far a study is: one line of a terminal that stays up to date; plain lines, one every few seconds, elsewhere."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from analysis.studies.headline import shown as figure
from analysis.studies.measures import unit
from longhaul.studies.conducting import store
from longhaul.studies.progress import PROGRESS, Heard
from scenario.errors import WrongInput

EVERY_S = 10.0
WIDTH = 100
"""Of a line that goes to no terminal: of one that does, as wide as that is."""
SPINNER = 2


@contextmanager
def shown(name: str, *, quiet: bool = False) -> Iterator[Callable[[Heard], None]]:
    """A function that takes how far a study is, and shows it on standard error."""
    console = Console(stderr=True, highlight=False, markup=False)
    if quiet:
        yield lambda _: None
        return
    if not console.is_terminal:
        yield _Plain(name, console).hear
        return
    with console.status(Text(f"{name}: reading"), spinner="line") as line:
        yield lambda heard: line.update(Text(told(name, heard, console.width - SPINNER)))


class _Plain:
    """A line at the start, at the end of each part, and every few seconds between."""

    def __init__(self, name: str, console: Console) -> None:
        self._name, self._console = name, console
        self._told_s = 0.0

    def hear(self, heard: Heard) -> None:
        now = time.monotonic()
        if now - self._told_s >= EVERY_S or heard.tally.done == heard.tally.wanted:
            self._told_s = now
            self._console.print(told(self._name, heard, WIDTH), markup=False, soft_wrap=True)


def told(name: str, heard: Heard, width: int) -> str:
    """Done, failed, rate, time left; then as much as there is room for of the least and largest figure so far: with
    the values of what is varied, or the point's number alone."""
    tally = heard.tally
    words = [f"{name}: {heard.what}: {tally.done} of {tally.wanted} done"]
    words += [f"{tally.failed} failed"] if tally.failed else []
    words += [f"{tally.per_minute:.3g} a minute"] if tally.here else []
    if tally.left_s and tally.done < tally.wanted:
        minutes, seconds = divmod(round(tally.left_s), 60)
        words.append(f"{minutes}:{seconds:02d} left")
    plain = ", ".join(words)
    longer = [f"{plain}, {between}" for between in _between(heard)]
    return next((line for line in longer if len(line) <= width), plain)


def _between(heard: Heard) -> Iterator[str]:
    """The least and the largest figure so far, in more words and in fewer."""
    if not heard.least or not heard.most:
        return
    ends = (heard.least, heard.most)
    low, high = (figure(one.figure, unit(heard.figure) or "") for one in ends)
    first, last = (f"point {one.point}: {' '.join(one.values)}" for one in ends)
    yield f"{heard.figure} {low} ({first}) to {high} ({last})"
    first, last = (f"point {one.point}" for one in ends)
    yield f"{heard.figure} {low} ({first}) to {high} ({last})"
    short = heard.figure.rpartition(".")[2]
    yield f"{short} {low} ({heard.least.point}) to {high} ({heard.most.point})"


@dataclass(frozen=True)
class StudyStatus:
    """How far the study in a folder is; `process` None: nobody is at it."""

    what: str
    wanted: int
    done: int
    failed: int
    process: int | None
    minutes_left: float | None

    def __str__(self) -> str:
        state = f"under way (process {self.process})" if self.process else "not under way"
        words = [f"{self.what}: {self.done} of {self.wanted} done", f"{self.failed} failed", state]
        words += [f"{self.minutes_left:.1f} minutes left"] if self.minutes_left is not None else []
        return ", ".join(words)


def status(place: Path) -> StudyStatus:
    """Of a study whose folder this is. Raises WrongInput where none has been begun there."""
    try:
        found = json.loads((place / PROGRESS).read_text())
    except (OSError, ValueError):
        raise WrongInput(f"{place}: no study has been begun there") from None
    records = store().read(found["keys"])
    left = len(found["keys"]) - len(records)
    alive = left > 0 and _alive(found["process"])
    return StudyStatus(
        what=found["what"],
        wanted=len(found["keys"]),
        done=len(records),
        failed=sum(one.failed for one in records.values()),
        process=found["process"] if alive else None,
        minutes_left=left / found["per_minute"] if alive and found["per_minute"] else None,
    )


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (OSError, OverflowError):
        return False
    return True
