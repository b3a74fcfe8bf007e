"""`longhaul attribute`: what an iteration's lost time is lost to, by running without each cause."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from longhaul.verbs.arguments import Verbs, conditions, names, number, patience, root, verb
from longhaul.verbs.printing import folder, form, tell
from longhaul.verbs.shape import topology

if TYPE_CHECKING:
    import longhaul as lh


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "attribute", attribute, "say what time is lost to, from runs without each cause",
        "longhaul attribute topologies/colossus.yaml --seeds 3",
    )  # fmt: skip
    topology(made)
    made.add_argument(
        "--workload",
        type=Path,
        help="a workload file (default: the topology's own, if one of them trains; else one training step)",
    )
    made.add_argument(
        "--set-workload", dest="workload_overrides", action="append", default=[],
        metavar="PATH=VALUE", help="override a value of the workload, as iterations=3",
    )  # fmt: skip
    made.add_argument(
        "--factors", type=names, default=(), metavar="FACTOR,…",
        help="the causes (default: distance, aging, hardware, and those that the file declares)",
    )  # fmt: skip
    made.add_argument(
        "--mend", action="store_true", help="rank remedies, too, by the time that each buys"
    )
    made.add_argument(
        "--seeds", type=number, default=3, help="runs of each combination (default 3)"
    )
    cpus = len(os.sched_getaffinity(0))
    root(made)
    made.add_argument("--jobs", type=number, default=cpus, help=f"runs at a time (default {cpus})")
    patience(made, "progress")
    form(made)
    folder(made, "runs/<name>-attribution-<number>")
    conditions(made, "attribution.json")


def attribute(words: argparse.Namespace) -> int:
    """Run what is missing, print the answer, name its page."""
    import shlex

    import msgspec

    import longhaul as lh
    from analysis.form.attribution import FILE, attribution_schema
    from analysis.form.files import plain, write
    from analysis.report.attribution import write_page
    from analysis.terminal.attribution import print_attribution
    from longhaul import folder as folders
    from longhaul.shown import progress
    from longhaul.verbs.judging import Judge

    judge = Judge(words, str(words.topology), attribution_schema())
    own = _own_settings(words)
    top = lh.Topology.load(words.topology, (*words.overrides, *(own or ())))
    work = _workload(words) if own is None else None
    with judge.watching(), progress.counted("runs", quiet=words.quiet) as hear:
        found = lh.attribute(
            top, work, factors=words.factors, seeds=words.seeds, jobs=words.jobs, mend=words.mend, root=words.root,
            patience_s=words.patience, hear=hear,
        )  # fmt: skip
    command = shlex.join(words.command)
    found = msgspec.structs.replace(found, command=command)
    final = words.out or folders.next_free(f"{found.name}-attribution")
    with folders.new(final) as partial:
        write(found, partial / FILE)
        write_page(found, partial / "attribution.html")
    tell(
        words,
        lambda: {"folder": str(final)} | plain(found),
        lambda out: print_attribution(found, final / "attribution.html", out),
    )
    return judge.status([plain(found)])


def _workload(words: argparse.Namespace) -> lh.Workload | None:
    """The one that is named, with its settings; None: the default as it is."""
    import longhaul as lh
    from longhaul.runs.workloads import DEFAULT

    if not words.workload and not words.workload_overrides:
        return None
    return lh.Workload.load(words.workload or DEFAULT, words.workload_overrides)


def _own_settings(words: argparse.Namespace) -> list[str] | None:
    """The settings, as overrides of the topology, of the workloads that it brings; None where another one is meant."""
    from longhaul.runs.workloads import own_overrides, own_training
    from scenario.loading import load_topology

    topology = load_topology(words.topology, words.overrides)
    if words.workload or not own_training(topology):
        return None
    return own_overrides(topology, (), words.workload_overrides)
