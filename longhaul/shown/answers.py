"""What a run folder answers, as plain data: its summary, or the table of a benchmark, and which folder it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from analysis.form.benchmark import FILE, read_benchmark
from analysis.form.files import plain
from analysis.form.summary import read_summary


def is_benchmark(run: Path) -> bool:
    """Whether a run folder is one of `longhaul bench`."""
    return (run / FILE).exists()


def answer_json(run: Path) -> dict[str, Any]:
    """`folder`, and all that stands in the folder's `bench.json` or else `summary.json`. Raises RunError."""
    found = read_benchmark(run) if is_benchmark(run) else read_summary(run)
    answer: dict[str, Any] = plain(found)
    return {"folder": str(run)} | answer
