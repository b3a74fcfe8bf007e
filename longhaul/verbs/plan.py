"""`longhaul plan`: what would be built, without building anything."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from longhaul.verbs.arguments import Verbs, seed, verb, workloads
from longhaul.verbs.printing import printed, tell
from longhaul.verbs.shape import topology

if TYPE_CHECKING:
    from rich.console import Console

    import longhaul as lh
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
    workloads(made)
    made.add_argument(
        "--seed", type=seed, default=1, help="by which switches choose among equal ways (default 1)"
    )
    printed(made)


def plan(words: argparse.Namespace) -> int:
    """Print a plan: addresses, shapes, routes; and of workloads which big connections would share a way."""
    import longhaul as lh
    from longhaul.shown.plan import show as show_plan

    asked = lh.Topology.load(words.topology, words.overrides)
    own = asked.elaborated.workloads
    if not (words.workloads or words.workload_overrides or own):
        made = lh.plan(asked, seed=words.seed)
        tell(words, made.to_json, lambda out: show_plan(made, out, _proportion(made, ())))
        return 0
    return _with_workloads(words, asked)


def _with_workloads(words: argparse.Namespace, asked: lh.Topology) -> int:
    """The same, as a run of these workloads would have it."""
    import longhaul as lh
    from longhaul.api.options import request
    from longhaul.runs import life
    from longhaul.shown.plan import collisions, show

    named = [lh.Workload(one.path.stem, one.path, on=one.on) for one in words.workloads]
    inputs = life.read(request(asked, named, seed=words.seed, settings=words.workload_overrides))
    found = [one.workload for one in inputs.placed]

    def draw(out: Console) -> None:
        show(inputs.plan, out, _proportion(inputs.plan, found))
        collisions(life.about(inputs), out)

    tell(words, lambda: life.plan_json(inputs), draw)
    return 0


def _proportion(made: Plan, own: Sequence[Workload]) -> Proportion | None:
    """Of the topology's own training, else of the default one."""
    from longhaul.runs.workloads import DEFAULT
    from scenario.loading import load_workload
    from scenario.plan.proportion import proportion
    from scenario.types.topology import Training

    training = [one for one in own or [load_workload(DEFAULT)] if isinstance(one, Training)]
    return proportion(made, training[0]) if training else None
