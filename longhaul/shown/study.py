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

from analysis.studies.headline import shown as figure
from analysis.studies.measures import unit
from longhaul.studies.conducting import store
from longhaul.studies.progress import PROGRESS, Heard
from scenario.errors import WrongInput

EVERY_S = 10.0


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
    with console.status(f"{name}: reading", spinner="line") as line:
        yield lambda heard: line.update(f"{name}: {told(heard)}")


class _Plain:
    """A line at the start, at the end of each part, and every few seconds between."""

    def __init__(self, name: str, console: Console) -> None:
        self._name, self._console = name, console
        self._told_s = 0.0

    def hear(self, heard: Heard) -> None:
        now = time.monotonic()
        if now - self._told_s >= EVERY_S or heard.tally.done == heard.tally.wanted:
            self._told_s = now
            self._console.print(f"{self._name}: {told(heard)}", markup=False, soft_wrap=True)


def told(heard: Heard) -> str:
    """Done, failed, rate, time left, least and largest so far."""
    tally = heard.tally
    words = [f"{heard.what}: {tally.done} of {tally.wanted} done"]
    words += [f"{tally.failed} failed"] if tally.failed else []
    words += [f"{tally.per_minute:.3g} a minute"] if tally.here else []
    if tally.left_s and tally.done < tally.wanted:
        minutes, seconds = divmod(round(tally.left_s), 60)
        words.append(f"{minutes}:{seconds:02d} left")
    for word, found in (("least", heard.least), ("largest", heard.most)):
        if found:
            words.append(
                f"{word} {heard.figure} {figure(found[0], unit(heard.figure) or '')} ({found[1]})"
            )
    return ", ".join(words)


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
