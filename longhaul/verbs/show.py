"""`longhaul show`: a run's summary, or a benchmark's table, again."""

from __future__ import annotations

import argparse
from pathlib import Path

from longhaul.verbs.arguments import Verbs, verb
from longhaul.verbs.printing import printed, tell


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "show", show, "print the summary of a run again", "longhaul show runs/colossus-1"
    )
    made.add_argument("run", type=Path, help="a run folder")
    printed(made)


def show(words: argparse.Namespace) -> int:
    """Print a finished run's summary."""
    from analysis.terminal.benchmark import print_results
    from analysis.terminal.training import print_summary
    from longhaul.shown.answers import answer_json, is_benchmark

    draw = print_results if is_benchmark(words.run) else print_summary
    tell(words, lambda: answer_json(words.run), lambda out: draw(words.run, out))
    return 0
