"""`longhaul inspect`: what a topology elaborates into, or what a run folder holds."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from longhaul.verbs.arguments import Verbs, overrides, verb
from scenario.errors import WrongInput


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "inspect", inspect, "show what a topology elaborates into, or what a run folder holds",
        "longhaul inspect topologies/brownout.yaml --format json",
    )  # fmt: skip
    made.add_argument("what", type=Path, metavar="TOPOLOGY|RUN", help="a file, or a run folder")
    overrides(made)
    made.add_argument("--format", choices=("table", "json"), default="table")


def inspect(words: argparse.Namespace) -> int:
    """Print a topology's objects, or a run's facts and files."""
    from longhaul.shown.inspection import is_run

    if not words.what.is_dir():
        return _topology(words)
    if not is_run(words.what):
        raise WrongInput(f"{words.what} is not a run folder")
    if words.overrides:
        raise WrongInput("--set is for topologies; a run has been")
    return _run(words)


def _topology(words: argparse.Namespace) -> int:
    from analysis.terminal.training import console
    from longhaul.shown.inspection import print_topology, topology_json
    from scenario.loading import load_topology

    topology = load_topology(words.what, words.overrides)
    if words.format == "json":
        print(json.dumps(topology_json(topology), indent=1, ensure_ascii=False))
    else:
        print_topology(topology, console())
    return 0


def _run(words: argparse.Namespace) -> int:
    from analysis.terminal.training import console
    from longhaul.shown.inspection import print_run, run_json

    if words.format == "json":
        print(json.dumps(run_json(words.what), indent=1, ensure_ascii=False))
    else:
        print_run(words.what, console())
    return 0
