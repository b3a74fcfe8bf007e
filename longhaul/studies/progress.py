"""How far a study is: told to whoever listens, and written where `longhaul study status` finds it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.studies.measures import VERDICT
from longhaul.studies.carrying import Tally
from longhaul.studies.rows import WantedRow
from longhaul.studies.store import Record
from scenario.types.study import Study

PROGRESS = "progress.json"
WRITE_EVERY_S = 1.0


@dataclass(frozen=True)
class ExtremePoint:
    """A figure that is the least or the largest so far: at which point, and the values of what is varied there."""

    figure: float
    point: int
    values: tuple[str, ...]


@dataclass(frozen=True)
class Heard:
    """How far a study is: `what` it does, how much of that, the least and largest `figure` so far and where."""

    what: str
    tally: Tally
    figure: str
    least: ExtremePoint | None
    most: ExtremePoint | None


Hear = Callable[[Heard], None]


class Reported:
    """Of a study under way."""

    def __init__(self, study: Study, place: Path, hear: Hear) -> None:
        self._path = place / PROGRESS
        self._hear = hear
        self._figure = next(name for name in study.measure if name != VERDICT)
        self._what = ""
        self._keys: list[str] = []
        self._written_s = 0.0
        self._least: ExtremePoint | None = None
        self._most: ExtremePoint | None = None
        self._heard: Heard | None = None

    def begin(self, what: str, wanted: Sequence[WantedRow]) -> None:
        """A part of the work begins."""
        self._what = what
        self._keys = list(dict.fromkeys(key for one in wanted for key in one.keys))
        self._least = self._most = None
        self._written_s = 0.0

    def hear(self, tally: Tally, found: Sequence[tuple[WantedRow, Record]]) -> None:
        """Something was found."""
        for wanted, record in found:
            figure = record.figures.get(self._figure)
            if figure is not None:
                self._note(figure, wanted)
        self._heard = Heard(self._what, tally, self._figure, self._least, self._most)
        self._hear(self._heard)
        if time.monotonic() - self._written_s >= WRITE_EVERY_S:
            self._write(tally)

    def end(self) -> None:
        """It is done, as far as it goes."""
        if self._heard:
            self._write(self._heard.tally)

    def _note(self, figure: float, wanted: WantedRow) -> None:
        point = wanted.point
        here = ExtremePoint(figure, point.index, tuple(value.label for value in point.values))
        if self._least is None or figure < self._least.figure:
            self._least = here
        if self._most is None or figure > self._most.figure:
            self._most = here

    def _write(self, tally: Tally) -> None:
        self._written_s = time.monotonic()
        found = {
            "what": self._what,
            "wanted": tally.wanted,
            "per_minute": tally.per_minute,
            "process": os.getpid(),
            "keys": self._keys,
        }
        partial = self._path.with_name(f".{self._path.name}.partial")
        partial.write_text(json.dumps(found))
        partial.rename(self._path)
