"""How far a study is: one line of a terminal that stays up to date; plain lines, one every few seconds, elsewhere."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    console = Console(stderr=True, highlight=False)
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


def status(place: Path) -> str:
    """A line about a study whose folder this is. Raises WrongInput where there is none."""
    try:
        found = json.loads((place / PROGRESS).read_text())
    except (OSError, ValueError):
        raise WrongInput(f"{place}: no study has been begun there") from None
    records = store().read(found["keys"])
    failed = sum(one.reason is not None for one in records.values())
    alive = _alive(found["process"]) and len(records) < len(found["keys"])
    state = f"under way (process {found['process']})" if alive else "not under way"
    words = [
        f"{found['what']}: {len(records)} of {len(found['keys'])} done",
        f"{failed} failed",
        state,
    ]
    left = len(found["keys"]) - len(records)
    if alive and found["per_minute"]:
        words.append(
            f"{found['per_minute']:.3g} a minute, {left / found['per_minute']:.1f} minutes left"
        )
    return ", ".join(words)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (OSError, OverflowError):
        return False
    return True
