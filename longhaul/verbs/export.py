"""`longhaul export`: a run in the forms that other tools read."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longhaul.verbs.arguments import Verbs, complain, verb
from scenario.errors import WrongInput

if TYPE_CHECKING:
    from analysis.run import Run

TABLES = ("ranks", "iterations", "collectives", "pairs", "links", "path")


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "export", export, "write a run as other tools read it",
        "longhaul export runs/colossus-1 --format perfetto --out trace.json",
    )  # fmt: skip
    made.add_argument("run", type=Path, help="a run folder")
    made.add_argument(
        "--format", required=True, choices=tuple(FORMATS),
        help="perfetto: a trace for ui.perfetto.dev; csv, markdown: a table; openmetrics: for "
        "Prometheus' textfile collector; hdr: HdrHistogram logs",
    )  # fmt: skip
    made.add_argument(
        "--table",
        choices=TABLES,
        default="ranks",
        help="which table, of csv and markdown (default ranks)",
    )
    made.add_argument("--out", type=Path, help="a file (default: standard output)")


def export(words: argparse.Namespace) -> int:
    """Write one form of a finished run."""
    from analysis.run import load_run
    from longhaul.folder import write_output

    run = load_run(words.run)
    try:
        summary = json.loads((words.run / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise WrongInput(f"{words.run} is not the folder of a finished run") from None
    text = FORMATS[words.format](run, summary, words.table)
    if words.out is None:
        sys.stdout.write(text)
    else:
        write_output(words.out, text)
    return 0


def _perfetto(run: Run, _: dict[str, Any], __: str) -> str:
    from analysis.export.perfetto import write_trace

    out = io.StringIO()
    written = write_trace(run, out)
    if len(written.iterations) < written.of:
        kept = f"{len(written.iterations)} slowest of {written.of} iterations"
        complain(f"longhaul: messages of the {kept} are in the trace, tasks of all", 0)
    return out.getvalue()


def _csv(run: Run, summary: dict[str, Any], table: str) -> str:
    from analysis.export.tabular import csv

    return csv(run, summary, table)


def _markdown(run: Run, summary: dict[str, Any], table: str) -> str:
    from analysis.export.tabular import markdown

    return markdown(run, summary, table)


def _openmetrics(_: Run, summary: dict[str, Any], __: str) -> str:
    from analysis.export.openmetrics import openmetrics

    return openmetrics(summary)


def _hdr(run: Run, _: dict[str, Any], __: str) -> str:
    from analysis.export.hdr import write_log
    from analysis.findings.latencies import durations_ns

    return write_log(durations_ns(run), int(run.events["end_ns"].to_numpy().max()) / 1e9)


FORMATS: dict[str, Callable[[Run, dict[str, Any], str], str]] = {
    "perfetto": _perfetto,
    "csv": _csv,
    "markdown": _markdown,
    "openmetrics": _openmetrics,
    "hdr": _hdr,
}
