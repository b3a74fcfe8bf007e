"""Studies from Python: read, carried out, opened again.

In: a study's file, or its folder. Out: a `Study`, and its `StudyResults`: the table, the findings, the page.
"""

from __future__ import annotations

import io
import os
import shlex
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console

from analysis.form.files import plain
from analysis.form.files import read as read_form
from analysis.form.study import FILE, VERSION, StudyFindings
from analysis.studies.comparing import StudyComparison, compare_studies
from analysis.studies.measures import measurable
from analysis.terminal.study import print_study
from longhaul.api.results import WIDTH, framed
from longhaul.studies import conducting, rows
from longhaul.studies.conducting import Means
from longhaul.studies.progress import Heard
from scenario.study.loading import load_study
from scenario.types import study as types

ANEW = "`longhaul study run` works it out anew"


@dataclass(frozen=True)
class Study:
    """A study as a file asks for it."""

    elaborated: types.Study

    @property
    def path(self) -> Path:
        """Its file."""
        return self.elaborated.file

    def run(  # noqa: PLR0913 - what a study can be told
        self,
        jobs: int | None = None,
        *,
        dask: str | None = None,
        slurm: int | None = None,
        sbatch: Sequence[str] = (),
        budget_s: float | None = None,
        points: int | None = None,
        retry_failed: bool = False,
        out: str | Path | None = None,
        hear: Callable[[Heard], None] | None = None,
    ) -> StudyResults:
        """Carry out what is missing, and wait: so many at a time here (None: all CPUs but one), or on the workers of a
        Dask scheduler, or in so many jobs of SLURM (with these options of `sbatch`). After `budget_s` seconds nothing
        more is begun; `points` is how many points at most. Ctrl-C ends the runs under way; what was found stays.

        Raises InvalidInput, NotInstalled, NoPoints, NoCrew, CrewLost.
        """
        means = Means(
            jobs=jobs or usual_jobs(),
            dask=dask,
            slurm=slurm,
            sbatch=tuple(sbatch),
            budget_s=budget_s,
            budget_points=points,
            retry_failed=retry_failed,
            out=Path(out) if out else None,
            command=shlex.join(["longhaul", "study", "run", str(self.path)]),
        )
        return StudyResults(conducting.conduct(self.elaborated, means, hear or (lambda _: None)))

    @property
    def done(self) -> StudyResults:
        """What a run of before has left. Raises RunError where there is none."""
        return StudyResults.load(conducting.place_of(self.elaborated))


@dataclass(frozen=True)
class StudyResults:
    """What a study has found; `path` is its folder."""

    path: Path

    @classmethod
    def load(cls, path: str | Path) -> StudyResults:
        """The results in a folder. Raises RunError where there are none."""
        found = cls(Path(path))
        _ = found.findings
        return found

    @cached_property
    def results(self) -> pl.DataFrame:
        """A row per point and seed: what is varied, what was measured, in SI units."""
        return pl.read_parquet(self.path / rows.FILE)

    @cached_property
    def units(self) -> dict[str, str]:
        """The unit of each column that has one: `s`, `m`, `1` of a share."""
        return rows.read_units(self.path / rows.FILE)

    @cached_property
    def findings(self) -> StudyFindings:
        """`study.json`: effects, indices, the verdict and what turns it, model against fabric."""
        return read_form(self.path / FILE, StudyFindings, VERSION, ANEW)

    def compare(self, other: StudyResults) -> StudyComparison:
        """How another study differs, at the points that both have. Raises NotAlike."""
        return compare_studies((self.findings, self.results), (other.findings, other.results))

    def report(self, path: str | Path | None = None) -> Path:
        """The page, one HTML file: where it is, or a copy of it at `path`."""
        own = self.path / conducting.PAGE
        return own if path is None else Path(shutil.copyfile(own, path))

    def as_dict(self) -> dict[str, Any]:
        """The findings as JSON has them."""
        found: dict[str, Any] = plain(self.findings)
        return found

    def draw(self, out: Console) -> None:
        """The findings as the command line prints them, and where the page is."""
        print_study(self.findings, out)
        out.print(f"page {self.report()}", markup=False, soft_wrap=True)

    def __str__(self) -> str:
        out = io.StringIO()
        self.draw(Console(file=out, width=WIDTH, highlight=False, markup=False))
        return out.getvalue()

    def _repr_html_(self) -> str:
        return framed(self.path / conducting.PAGE)


def study(path: str | Path) -> Study:
    """The study in a file. Raises InvalidInput."""
    return Study(load_study(Path(path), measurable))


def usual_jobs() -> int:
    """All CPUs but one; at least one."""
    return max(1, len(os.sched_getaffinity(0)) - 1)
