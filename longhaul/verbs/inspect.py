"""`longhaul inspect`: what a topology elaborates into, or what a run folder holds."""

from __future__ import annotations

import argparse
from pathlib import Path

from longhaul.verbs.arguments import Verbs, overrides, verb
from longhaul.verbs.printing import printed, tell
from scenario.errors import WrongInput


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "inspect", inspect, "show what a topology elaborates into, or what a run folder holds",
        "longhaul inspect topologies/brownout.yaml --format json",
    )  # fmt: skip
    made.add_argument("what", type=Path, metavar="TOPOLOGY|RUN", help="a file, or a run folder")
    overrides(made)
    printed(made)


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
    from longhaul.shown.inspection import print_topology, topology_json
    from scenario.loading import load_topology

    topology = load_topology(words.what, words.overrides)
    tell(words, lambda: topology_json(topology), lambda out: print_topology(topology, out))
    return 0


def _run(words: argparse.Namespace) -> int:
    from longhaul.shown.inspection import print_run, run_json

    tell(words, lambda: run_json(words.what), lambda out: print_run(words.what, out))
    return 0
