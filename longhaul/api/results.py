"""What a run or a benchmark left: the answer typed, the tables lazy, the report.

In: a run folder. Out: views of it, each read when it is asked for. `longhaul show` is built on it.
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
from analysis.form.benchmark import FILE as BENCHMARK
from analysis.form.benchmark import BenchmarkTable, read_benchmark
from analysis.form.files import plain
from analysis.form.parts import Check
from analysis.form.summary import Summary, TrainingSummary, read_summary
from analysis.run import read_fidelity, read_manifest, read_plan
from analysis.terminal.benchmark import print_results
from analysis.terminal.training import print_summary

WIDTH = 80
REPORT = "report.html"


@dataclass(frozen=True)
class _Folder:
    """A run folder, of whatever kind. `path` is where it is."""

    path: Path

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
        """The report within a notebook; elsewhere, as text, what `longhaul show` prints."""
        return Shown(self)

    def draw(self, out: Console) -> None:
        """Print the answer as the command line does."""
        raise NotImplementedError

    def as_dict(self) -> dict[str, Any]:
        """The answer as JSON has it."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        return framed(self.path / REPORT)


@dataclass(frozen=True)
class Run(_Folder):
    """A finished run."""

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

    def draw(self, out: Console) -> None:
        """Print the summary."""
        print_summary(self.path, out)

    def as_dict(self) -> dict[str, Any]:
        """`summary.json`."""
        found: dict[str, Any] = plain(self.summary)
        return found


@dataclass(frozen=True)
class BenchRun(_Folder):
    """A finished benchmark."""

    @classmethod
    def load(cls, path: str | Path) -> BenchRun:
        """The benchmark in a folder. Raises RunError where that holds none."""
        found = cls(Path(path))
        _ = found.results
        return found

    @cached_property
    def results(self) -> BenchmarkTable:
        """`bench.json`: a row per size and algorithm, seconds and bytes a second."""
        return read_benchmark(self.path)

    def draw(self, out: Console) -> None:
        """Print the table."""
        print_results(self.path, out)

    def as_dict(self) -> dict[str, Any]:
        """`bench.json`."""
        found: dict[str, Any] = plain(self.results)
        return found


def load(path: str | Path) -> Run | BenchRun:
    """The run, or the benchmark, in a folder. Raises RunError where that holds neither."""
    kind = BenchRun if (Path(path) / BENCHMARK).exists() else Run
    return kind.load(path)


@dataclass(frozen=True)
class Shown:
    """A run for the eye: a notebook draws the report, `str` gives the answer in 80 columns."""

    of: _Folder

    def __str__(self) -> str:
        out = io.StringIO()
        self.of.draw(Console(file=out, width=WIDTH, highlight=False, markup=False))
        return out.getvalue()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.of._repr_html_()


def framed(path: Path) -> str:
    """A page within a notebook, in a sandbox of its own."""
    page = html.escape(path.read_text(encoding="utf-8"), quote=True)
    style = "width:100%;height:720px;border:0"
    return f'<iframe sandbox="allow-scripts" style="{style}" srcdoc="{page}"></iframe>'
