"""`longhaul up`: Mininet's command line on a fabric."""

from __future__ import annotations

import argparse

from longhaul.machine import TIMES
from longhaul.verbs.arguments import Verbs, controller, exposed, memory, root, verb, where
from longhaul.verbs.shape import topology


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "up", up, "start a fabric, with Mininet's command line",
        "longhaul up topologies/two-hosts.yaml",
    )  # fmt: skip
    topology(made)
    where(made, TIMES)
    memory(made)
    root(made)
    exposed(made)
    controller(made)


def up(words: argparse.Namespace) -> int:
    """Mininet's CLI on a fabric, until `exit`."""
    from longhaul.runs.interactive import FabricRequest
    from longhaul.runs.prompt import up as open_prompt

    return open_prompt(FabricRequest.of(words))
