"""`python -m analysis FINDING RUN`: one finding alone, of a run folder, a packet capture or a published trace.

In: a path. Out: its tables or its JSON on standard output. What cannot be read gives one line and exit code 2.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis.errors import RunError
from analysis.findings import capture, critical, imported, latencies, network, oneway, serving
from analysis.findings.summary import summarise, write_summary
from analysis.form.files import plain
from analysis.report.page import write_report
from analysis.run import load_run
from analysis.terminal.capture import print_streams
from analysis.terminal.console import console
from analysis.terminal.imported import print_slowdowns
from analysis.terminal.training import (
    critical_table,
    print_stalls,
    print_summary,
    tails_table,
    timeline_table,
)


def main() -> None:
    """Print the finding that the command line names."""
    words = _words()
    try:
        FINDINGS[words.finding][0](
            words.path, *([words.other] if words.finding == "capture" else [])
        )
    except RunError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m analysis", description="One finding alone, of a finished run."
    )
    found = parser.add_subparsers(dest="finding", required=True, metavar="FINDING")
    for name, (_, says) in FINDINGS.items():
        one = found.add_parser(name, help=says, description=says)
        one.add_argument("path", type=Path, metavar=_PATHS.get(name, "RUN"))
        if name == "capture":
            one.add_argument(
                "other", type=Path, nargs="?", help="the same traffic at the other end"
            )
    return parser.parse_args()


def _summary(path: Path) -> None:
    write_summary(path)
    print_summary(path, console())


def _report(path: Path) -> None:
    write_summary(path)
    print(write_report(path))


def _stalls(path: Path) -> None:
    print_stalls(summarise(load_run(path)).stalls, console())


def _critical(path: Path) -> None:
    console().print(critical_table(critical.described(load_run(path))))


def _incidents(path: Path) -> None:
    run = load_run(path)
    console().print(timeline_table([cost.told(run.plan) for cost in network.happened(run)]))


def _latencies(path: Path) -> None:
    console().print(tails_table(latencies.latencies(load_run(path))))


def _serving(path: Path) -> None:
    _print_json([serving.summarise(served) for served in serving.load_served(path)])


def _oneway(path: Path) -> None:
    _print_json(oneway.summarise(path))


def _capture(path: Path, other: Path | None) -> None:
    there = capture.streams(other) if other else {}
    print_streams(capture.streams(path), there, console())


def _imported(path: Path) -> None:
    print_slowdowns(imported.slowdowns(imported.read_job(path)))


def _print_json(found: Any) -> None:
    print(json.dumps(plain(found), indent=1, ensure_ascii=False))


_PATHS = {"capture": "CAPTURE", "imported": "TRACE"}
FINDINGS: dict[str, tuple[Callable[..., None], str]] = {
    "summary": (_summary, "write summary.json of a run and print it"),
    "report": (_report, "write summary.json and report.html of a run"),
    "stalls": (_stalls, "who computed, who waited, who was waited for"),
    "critical": (_critical, "what an iteration's time is made of"),
    "incidents": (_incidents, "what each event of the timeline and each overflowing queue cost"),
    "latencies": (_latencies, "the tail of every kind of duration"),
    "serving": (_serving, "how well requests were served, as JSON"),
    "oneway": (_oneway, "what probes saw of the long-haul links, as JSON"),
    "capture": (_capture, "what a packet capture says of each TCP stream"),
    "imported": (_imported, "what stragglers cost a traced job (S = T / T_ideal)"),
}
"""What can be had alone, by name: what prints it, and what it says."""


if __name__ == "__main__":
    main()
