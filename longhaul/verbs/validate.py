"""`longhaul validate`: all that is wrong with a file."""

from __future__ import annotations

import argparse

from longhaul.verbs.arguments import Verbs, topology, verb


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "validate", validate, "check a topology file and say all that is wrong with it",
        "longhaul validate topologies/colossus.yaml",
    )  # fmt: skip
    topology(made)
    made.add_argument("--format", choices=("table", "json"), default="table")


def validate(words: argparse.Namespace) -> int:
    """Check a file; silent but for one line when it is well."""
    from longhaul.dsl import load_topology
    from longhaul.fabric.plan import make_plan

    made = make_plan(load_topology(words.topology, words.overrides))
    print(f"{words.topology}: {len(made.campuses)} campuses, {len(made.hosts)} hosts, well-formed")
    return 0
