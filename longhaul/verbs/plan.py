"""`longhaul plan`: what would be built, without building anything."""

from __future__ import annotations

import argparse
import json

from longhaul.verbs.arguments import Verbs, topology, verb


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "plan", plan, "print what would be built, without building anything",
        "longhaul plan topologies/two-hosts.yaml --format json",
    )  # fmt: skip
    topology(made)
    made.add_argument("--format", choices=("table", "json"), default="table")


def plan(words: argparse.Namespace) -> int:
    """Print a plan: addresses, shapes, routes."""
    from longhaul.planning import make_plan
    from longhaul.shown.plan import show as show_plan
    from scenario.loading import load_topology

    made = make_plan(load_topology(words.topology, words.overrides))
    if words.format == "json":
        print(json.dumps(made.to_json(), indent=1, ensure_ascii=False))
    else:
        show_plan(made)
    return 0
