"""`longhaul export`: a run in the forms that other tools read."""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from longhaul.verbs.arguments import Verbs, complain, verb
from longhaul.verbs.printing import file, put
from scenario.errors import WrongInput

if TYPE_CHECKING:
    from analysis.form.summary import TrainingSummary
    from analysis.run import Run

TABLES = ("ranks", "iterations", "collectives", "pairs", "links", "path")


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "export", export, "write a run as other tools read it",
        "longhaul export runs/colossus-1 --format perfetto -o trace.json",
    )  # fmt: skip
    made.add_argument("run", type=Path, help="a run folder")
    made.add_argument(
        "--format", required=True, choices=tuple(FORMATS),
        help="perfetto: a trace for ui.perfetto.dev; csv, markdown, json: a table; openmetrics: for "
        "Prometheus' textfile collector; hdr: HdrHistogram logs",
    )  # fmt: skip
    made.add_argument(
        "--table",
        choices=TABLES,
        default="ranks",
        help="which table, of csv, markdown and json (default ranks)",
    )
    file(made)


def export(words: argparse.Namespace) -> int:
    """Write one form of a finished run."""
    from analysis.form.summary import TrainingSummary, read_summary
    from analysis.run import load_run

    run, summary = load_run(words.run), read_summary(words.run)
    if not isinstance(summary, TrainingSummary):
        raise WrongInput(f"{words.run}: nobody trains in this run")
    text = FORMATS[words.format](run, summary, words.table)
    put(words, text)
    return 0


def _perfetto(run: Run, _: TrainingSummary, __: str) -> str:
    from analysis.export.perfetto import write_trace

    out = io.StringIO()
    written = write_trace(run, out)
    if len(written.iterations) < written.of:
        kept = f"{len(written.iterations)} slowest of {written.of} iterations"
        complain(f"longhaul: messages of the {kept} are in the trace, tasks of all", 0)
    return out.getvalue()


def _csv(run: Run, summary: TrainingSummary, table: str) -> str:
    from analysis.export.tabular import csv

    return csv(run, summary, table)


def _markdown(run: Run, summary: TrainingSummary, table: str) -> str:
    from analysis.export.tabular import markdown

    return markdown(run, summary, table)


def _json(run: Run, summary: TrainingSummary, table: str) -> str:
    from analysis.export.tabular import rows
    from longhaul.verbs.printing import as_json

    return as_json(rows(run, summary, table))


def _openmetrics(_: Run, summary: TrainingSummary, __: str) -> str:
    from analysis.export.openmetrics import openmetrics

    return openmetrics(summary)


def _hdr(run: Run, _: TrainingSummary, __: str) -> str:
    from analysis.export.hdr import write_log
    from analysis.findings.latencies import durations_ns

    return write_log(durations_ns(run), int(run.events["end_ns"].to_numpy().max()) / 1e9)


FORMATS: dict[str, Callable[[Run, TrainingSummary, str], str]] = {
    "perfetto": _perfetto,
    "csv": _csv,
    "markdown": _markdown,
    "json": _json,
    "openmetrics": _openmetrics,
    "hdr": _hdr,
}
