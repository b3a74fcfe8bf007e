"""`longhaul compare`: how runs, or two studies, differ, and whether the differences are real."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from longhaul.verbs.arguments import Verbs, verb
from longhaul.verbs.printing import printed, tell
from scenario.errors import WrongInput

STUDY = "study.json"

if TYPE_CHECKING:
    from rich.console import Console


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "compare", compare, "say how runs differ, and whether that is real",
        "longhaul compare runs/colossus-1 runs/new-fibre-1",
    )  # fmt: skip
    made.add_argument(
        "runs", type=Path, nargs="+", metavar="RUN",
        help="run folders; those that differ in the seed alone are taken together; or two folders of studies",
    )  # fmt: skip
    made.add_argument(
        "--first-difference", action="store_true",
        help="of two runs (or benchmarks) that should be equal: the first row that differs, and what in their "
        "manifests does",
    )  # fmt: skip
    made.add_argument(
        "--html", type=Path, metavar="FILE", help="write a page, too: one file, offline"
    )
    printed(made)


def compare(words: argparse.Namespace) -> int:
    """Compare finished runs with the first of them."""
    import longhaul as lh
    from analysis.terminal.compare import print_comparison

    if words.first_difference:
        return first_difference(words)
    if any((run / STUDY).exists() for run in words.runs):
        return compare_studies(words)
    found = lh.compare(*map(lh.Run, words.runs))

    def draw(out: Console) -> None:
        for one in found:
            print_comparison(one, out)

    if words.html:
        from analysis.report.compare import render_comparison
        from longhaul.folder import write_output

        write_output(words.html, render_comparison(found))
    tell(words, lambda: [one.as_dict() for one in found], draw)
    return 0


def compare_studies(words: argparse.Namespace) -> int:
    """The second study held against the first."""
    import longhaul as lh
    from analysis.terminal.study import print_study_comparison

    if len(words.runs) != 2:
        raise WrongInput("name two folders of studies")
    before, after = map(lh.StudyResults.load, words.runs)
    found = before.compare(after)
    tell(words, found.as_dict, lambda out: print_study_comparison(found, out))
    return 0


def first_difference(words: argparse.Namespace) -> int:
    """Where two runs part; 1 where they do."""
    from dataclasses import asdict

    from analysis.series.first_difference import parting
    from analysis.terminal.parting import print_parting

    if len(words.runs) != 2:
        raise WrongInput("--first-difference takes two runs")
    before, after = words.runs
    found = parting(before, after)
    names = (str(before), str(after))
    tell(words, lambda: asdict(found), lambda out: print_parting(found, names, out))
    return 0 if found.same else 1
