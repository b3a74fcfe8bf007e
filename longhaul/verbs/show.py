"""`longhaul show`: a run's summary, or a benchmark's table, again."""

from __future__ import annotations

import argparse
from pathlib import Path

from longhaul.verbs.arguments import Verbs, verb


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "show", show, "print the summary of a run again", "longhaul show runs/colossus-1"
    )
    made.add_argument("run", type=Path, help="a run folder")


def show(words: argparse.Namespace) -> int:
    """Print a finished run's summary."""
    from analysis.form.benchmark import FILE
    from analysis.terminal.benchmark import print_results
    from analysis.terminal.training import console, print_summary

    if (words.run / FILE).exists():
        print_results(words.run, console())
    else:
        print_summary(words.run, console())
    return 0
