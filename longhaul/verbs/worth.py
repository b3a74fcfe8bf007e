"""`longhaul worth`: what training, mending and leasing come to in money and power, and where the verdict turns."""

from __future__ import annotations

import argparse
from pathlib import Path

from longhaul.verbs.arguments import Verbs, verb
from longhaul.verbs.printing import printed, tell
from longhaul.verbs.shape import topology


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "worth", worth, "weigh training, mending and leasing in money and power",
        "longhaul worth topologies/colossus.yaml --set economics.lease=3",
    )  # fmt: skip
    topology(made)
    made.add_argument("--workload", type=Path, help="a workload file (default: one training step)")
    made.add_argument(
        "--set-workload", dest="workload_overrides", action="append", default=[],
        metavar="PATH=VALUE", help="override a value of the workload, as batch.tokens=16Mi",
    )  # fmt: skip
    printed(made)


def worth(words: argparse.Namespace) -> int:
    """Print the table, the verdict, and all that it rests on."""
    from analysis.series import worth as money
    from longhaul.runs.workloads import DEFAULT
    from longhaul.shown import worth as shown
    from longhaul.trials.worth import Unpriced, h100_flops, options
    from scenario.factors import load_without
    from scenario.loading import load_topology, load_workload
    from scenario.types.topology import Training

    aged = load_topology(words.topology, words.overrides)
    workload = load_workload(words.workload or DEFAULT, words.workload_overrides)
    if not isinstance(workload, Training):
        raise Unpriced(
            f"{words.workload}: not training, so there are no tokens to be worth anything"
        )
    new = load_without(words.topology, words.overrides, ("aging",))
    reference = h100_flops(workload.active or workload.parameters, workload.precision)
    found = [money.worth(one, reference, aged.economics) for one in options(new, aged, workload)]
    answer = shown.Answer(aged, workload, found, reference)
    tell(words, lambda: shown.to_json(answer), lambda out: shown.print_worth(answer, out))
    return 0
