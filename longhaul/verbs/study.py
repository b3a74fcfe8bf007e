"""`longhaul study`: many runs, or forecasts, that differ in a few things, and what the answer hangs on."""

from __future__ import annotations

import argparse
from pathlib import Path

from longhaul.verbs.arguments import Verbs, number, quantity, verb
from longhaul.verbs.printing import folder, form, printed, put, tell
from scenario.errors import WrongInput
from scenario.text.digits import is_whole

PLACE = "runs/studies/<name>"


def add(verbs: Verbs) -> None:
    """The verb and its own verbs."""
    made = verb(
        verbs, "study", lambda _: _help(made),
        "vary things over their ranges, and say what the answer hangs on",
        "longhaul study run studies/aging-by-distance.yaml",
    )  # fmt: skip
    inner = made.add_subparsers(title="verbs", metavar="VERB")
    _add_run(inner)
    status = verb(
        inner, "status", study_status, "say how far a study is",
        "longhaul study status studies/transport.yaml",
    )  # fmt: skip
    status.add_argument("study", type=Path, help="a study file, or the folder of a study")
    printed(status)
    report = verb(
        inner, "report", study_report,
        "say again what a study has found, or write its rows for other tools",
        "longhaul study report studies/transport.yaml --format latex",
    )  # fmt: skip
    report.add_argument("study", type=Path, help="a study file, or the folder of a study")
    printed(report, "csv", "markdown", "latex")


def _add_run(inner: Verbs) -> None:
    made = verb(
        inner, "run", study_run, "carry out what is missing of a study, and say what it found",
        "longhaul study run studies/aging-by-distance.yaml --jobs 4",
    )  # fmt: skip
    made.add_argument("study", type=Path, help="a study file")
    who = made.add_mutually_exclusive_group()
    who.add_argument(
        "--jobs", type=number, help="at a time, on this machine (default: all CPUs but one)"
    )
    who.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="on the workers of a Dask scheduler, as tcp://10.0.0.1:8786",
    )
    who.add_argument(
        "--slurm", type=number, metavar="JOBS", help="in so many jobs of SLURM, each with one CPU"
    )
    made.add_argument(
        "--sbatch", action="append", default=[], metavar="OPTION",
        help="of these jobs, as --sbatch=--partition=long; may be said several times",
    )  # fmt: skip
    made.add_argument(
        "--budget",
        type=quantity("duration"),
        metavar="TIME",
        help="begin nothing more after, as 30min",
    )
    made.add_argument(
        "--points", type=_points, metavar="N", help="at most so many, the most informative first"
    )
    made.add_argument("--retry-failed", action="store_true", help="try again what failed before")
    form(made)
    folder(made, PLACE)


def _points(text: str) -> int:
    """A count of points, as argparse's `type`."""
    if not is_whole(text) or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 1000000")
    return int(text)


def _help(made: argparse.ArgumentParser) -> int:
    made.print_help()
    return 0


def study_run(words: argparse.Namespace) -> int:
    """Carry it out, print what was found, name the page."""
    import longhaul as lh
    from longhaul.shown.study import shown

    if words.sbatch and not words.slurm:
        raise WrongInput("--sbatch goes with --slurm")
    asked = lh.study(words.study)
    with shown(asked.elaborated.name, quiet=words.quiet) as hear:
        found = asked.run(
            words.jobs, dask=words.dask, slurm=words.slurm, sbatch=words.sbatch, budget_s=words.budget,
            points=words.points, retry_failed=words.retry_failed, out=words.out, hear=hear,
        )  # fmt: skip
    tell(words, lambda: {"folder": str(found.path)} | found.as_dict(), found.draw)
    return 0


def study_status(words: argparse.Namespace) -> int:
    """Print how far it is."""
    from dataclasses import asdict

    import longhaul as lh
    from longhaul.shown.study import status
    from longhaul.studies.conducting import place_of

    given = words.study
    found = status(given if given.is_dir() else place_of(lh.study(given).elaborated))
    tell(words, lambda: asdict(found), lambda out: out.print(str(found), soft_wrap=True))
    return 0


def study_report(words: argparse.Namespace) -> int:
    """Print what was found, or the rows."""
    import longhaul as lh
    from analysis.export import studies

    found = (
        lh.StudyResults.load(words.study) if words.study.is_dir() else lh.study(words.study).done
    )
    write = {"csv": studies.csv, "markdown": studies.markdown, "latex": studies.latex}
    if words.format in write:
        put(words, write[words.format](found.findings, found.results, found.units))
    else:
        tell(words, found.as_dict, found.draw)
    return 0
