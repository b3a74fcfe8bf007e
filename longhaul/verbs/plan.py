"""`longhaul plan`: what would be built, without building anything."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from longhaul.verbs.arguments import Verbs, verb
from longhaul.verbs.printing import printed, tell
from longhaul.verbs.shape import topology

if TYPE_CHECKING:
    from scenario.plan.proportion import Proportion
    from scenario.plan.types import Plan
    from scenario.types.topology import Workload


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "plan", plan, "print what would be built, without building anything",
        "longhaul plan topologies/two-hosts.yaml --format json",
    )  # fmt: skip
    topology(made)
    printed(made)


def plan(words: argparse.Namespace) -> int:
    """Print a plan: addresses, shapes, routes."""
    import longhaul as lh
    from longhaul.shown.plan import show as show_plan

    asked = lh.Topology.load(words.topology, words.overrides)
    made = lh.plan(asked)
    own = asked.elaborated.workloads
    tell(words, made.to_json, lambda out: show_plan(made, out, _proportion(made, own)))
    return 0


def _proportion(made: Plan, own: Sequence[Workload]) -> Proportion | None:
    """Of the topology's own training, else of the default one."""
    from longhaul.runs.workloads import DEFAULT
    from scenario.loading import load_workload
    from scenario.plan.proportion import proportion
    from scenario.types.topology import Training

    training = [one for one in own or [load_workload(DEFAULT)] if isinstance(one, Training)]
    return proportion(made, training[0]) if training else None
