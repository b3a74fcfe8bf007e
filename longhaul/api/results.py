"""What a run left: the answer typed, the events as a lazy table, the report.

In: a run folder. Out: views of it, each read when it is asked for.
"""

from __future__ import annotations

import html
import io
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console

from analysis.errors import RunError
from analysis.form.parts import Check
from analysis.form.summary import Summary, TrainingSummary, read_summary
from analysis.run import read_fidelity, read_manifest, read_plan
from analysis.terminal.training import print_summary

WIDTH = 80
REPORT = "report.html"


@dataclass(frozen=True)
class Run:
    """A finished run. `path` is its folder."""

    path: Path

    @classmethod
    def load(cls, path: str | Path) -> Run:
        """The run in a folder. Raises RunError where that holds no finished run."""
        found = cls(Path(path))
        _ = found.summary
        return found

    @cached_property
    def summary(self) -> Summary:
        """`summary.json`: every figure in SI units. A run in which a workload trains has a `TrainingSummary`."""
        return read_summary(self.path)

    @property
    def training(self) -> TrainingSummary:
        """The summary of a run in which a workload trains. Raises RunError of another."""
        if isinstance(self.summary, TrainingSummary):
            return self.summary
        raise RunError(f"{self.path}: nothing trains in this run")

    @property
    def events(self) -> pl.LazyFrame:
        """What each rank did, a row per compute, send, receive and collective; times in nanoseconds from the start."""
        return self.table("events")

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of all its tables."""
        return tuple(sorted(path.stem for path in self.path.glob("*.parquet")))

    def table(self, name: str) -> pl.LazyFrame:
        """One of `tables`, as `telemetry` or `requests`; lazy. Raises RunError where there is none of that name."""
        if name not in self.tables:
            raise RunError(f"{self.path}: no table {name}; there are {', '.join(self.tables)}")
        return pl.scan_parquet(self.path / f"{name}.parquet")

    @cached_property
    def plan(self) -> dict[str, Any]:
        """`plan.json`: what was built, and what was expected of each workload."""
        return read_plan(self.path)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """`manifest.json`: the inputs by digest, the seed, the command, the machine."""
        return read_manifest(self.path)

    @cached_property
    def fidelity(self) -> list[Check]:
        """What was asked of the fabric against what was measured."""
        return read_fidelity(self.path)

    def report(self, path: str | Path | None = None) -> Path:
        """The report, one HTML file that needs no network: where it is, or a copy of it at `path`."""
        own = self.path / REPORT
        return own if path is None else Path(shutil.copyfile(own, path))

    def show(self) -> Shown:
        """The report within a notebook; elsewhere, as text, the summary of `longhaul show`."""
        return Shown(self.path)

    def _repr_html_(self) -> str:
        return self.show()._repr_html_()


@dataclass(frozen=True)
class Shown:
    """A run for the eye: a notebook draws the report, `str` gives the summary in 80 columns."""

    path: Path

    def __str__(self) -> str:
        out = io.StringIO()
        print_summary(self.path, Console(file=out, width=WIDTH, highlight=False, markup=False))
        return out.getvalue()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return framed(self.path / REPORT)


def framed(path: Path) -> str:
    """A page within a notebook, in a sandbox of its own."""
    page = html.escape(path.read_text(encoding="utf-8"), quote=True)
    style = "width:100%;height:720px;border:0"
    return f'<iframe sandbox="allow-scripts" style="{style}" srcdoc="{page}"></iframe>'
