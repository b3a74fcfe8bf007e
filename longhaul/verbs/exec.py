"""`longhaul exec`: an unmodified command on the hosts of a fabric."""

from __future__ import annotations

import argparse
from pathlib import Path

from longhaul.machine import TIMES
from longhaul.verbs.arguments import (
    Verbs,
    controller,
    exposed,
    memory,
    overrides,
    patience,
    root,
    setting,
    verb,
    where,
)


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "exec", execute, "run an unmodified command on hosts, with torchrun's environment",
        "longhaul exec topologies/two-hosts.yaml -- python3 train.py",
    )  # fmt: skip
    made.add_argument("topology", type=Path, help="a topology file")
    overrides(made)
    made.add_argument("--hosts", default="*", metavar="PATTERN", help="as c1-* (default: all)")
    where(made, TIMES)
    memory(made)
    root(made)
    exposed(made)
    controller(made)
    made.add_argument(
        "--env", dest="environment", action="append", default=[], metavar="NAME=VALUE",
        type=setting, help="set a variable for the command",
    )  # fmt: skip
    patience(made, "output")
    made.add_argument(
        "--format", choices=("text", "json"), default="text",
        help="json: an object per line that a host says, as it comes, and the status at the end",
    )  # fmt: skip
    made.add_argument("argv", nargs="+", metavar="COMMAND", help="after --; needs no shell")


def execute(words: argparse.Namespace) -> int:
    """Run a command on hosts; the status is the worst of theirs."""
    from longhaul.runs import interactive

    return interactive.execute(
        interactive.FabricRequest.of(words),
        words.argv,
        words.hosts,
        words.environment,
        words.patience,
        in_json=words.format == "json",
    )
