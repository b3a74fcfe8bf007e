"""Which run folders of a study stay: all, those of the least and largest figures, or none."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from analysis.errors import RunError
from analysis.form.summary import read_summary
from analysis.studies.measures import VERDICT
from longhaul.studies.rows import WantedRow
from longhaul.studies.store import Record
from scenario.types.study import Study

RUNS = "runs"


class Kept:
    """The run folders beneath a study's own, `runs/POINT-SEED`."""

    def __init__(self, study: Study, place: Path) -> None:
        self._study = study
        self._place = place.absolute()
        self._names = [name for name in study.measure if name != VERDICT]
        self._digests: dict[int, str] = {}
        self._least: dict[str, tuple[float, Path]] = {}
        self._most: dict[str, tuple[float, Path]] = {}

    def place(self, point: int, seed: int) -> Path | None:
        """Where a run's folder goes; None: it goes."""
        if self._study.keep == "none":
            return None
        return self._place / RUNS / f"{point}-{seed}"

    def folder(self, point: int) -> str | None:
        """The folder that was kept of a point's first seed, from the study's; None where none was."""
        there = self._place / RUNS / f"{point}-1"
        known = self._digests.get(point)
        return f"{RUNS}/{there.name}" if known and _digest(there) == known else None

    def prune(self, found: Sequence[tuple[WantedRow, Record]]) -> None:
        """Take note of what was found just now, and remove what is neither least nor largest any more. Of a study by
        the model the whole sample stays."""
        for wanted, record in found:
            if wanted.seed == 1:
                self._digests[wanted.point.index] = record.digest
            if record.reason is None and self._study.keep != "none":
                place = self.place(wanted.point.index, wanted.seed or 0)
                assert place
                shutil.rmtree(place.with_name(f"{place.name}.failed"), ignore_errors=True)
        if self._study.keep != "extremes" or self._study.depth == "model":
            return
        for wanted, record in found:
            path = self.place(wanted.point.index, wanted.seed or 0)
            assert path
            for name in self._names:
                if name in record.figures:
                    self._note(name, record.figures[name], path)
            self._remove(path)

    def _note(self, name: str, figure: float, path: Path) -> None:
        for known, better in ((self._least, float.__lt__), (self._most, float.__gt__)):
            before = known.get(name)
            if before is None or better(figure, before[0]):
                known[name] = (figure, path)
                if before:
                    self._remove(before[1])

    def _remove(self, path: Path) -> None:
        """A folder that is none of the extremes."""
        extremes = {one for known in (self._least, self._most) for _, one in known.values()}
        if path not in extremes:
            shutil.rmtree(path, ignore_errors=True)


def _digest(folder: Path) -> str | None:
    """Of the run in a folder; None where there is none. (An edited study has other points of the same numbers.)"""
    try:
        return read_summary(folder).digest
    except RunError:
        return None
