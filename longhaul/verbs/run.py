"""`longhaul run`: a workload on a topology, analysed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from longhaul.machine import TIMES
from longhaul.verbs.arguments import (
    Verbs,
    capture,
    complain,
    controller,
    memory,
    names,
    patience,
    probes,
    root,
    topology,
    verb,
    where,
)

if TYPE_CHECKING:
    from longhaul.runs.life import Request
    from longhaul.runs.workloads import Chosen


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "run", run, "run a workload on a topology, and analyse it",
        "longhaul run topologies/colossus.yaml --seed 2",
    )  # fmt: skip
    topology(made)
    made.add_argument(
        "--workload", dest="workloads", type=workload, action="append", default=[],
        metavar="FILE[@WHERE,…]", help="a workload file, and the campuses or hosts that it runs on; "
        "may be said several times (default: the topology's own, else one training step)",
    )  # fmt: skip
    made.add_argument(
        "--set-workload", dest="workload_overrides", action="append", default=[],
        metavar="[NAME:]PATH=VALUE", help="override a value of the workload (of several, the one of that "
        "name), as iterations=3",
    )  # fmt: skip
    made.add_argument(
        "--without", type=names, default=(), metavar="FACTOR,…",
        help="switch causes of loss off: distance, aging, hardware, or a factor of the file",
    )  # fmt: skip
    probes(made)
    capture(made)
    where(made, TIMES)
    memory(made)
    root(made)
    controller(made)
    made.add_argument("--out", type=Path, help="the run folder (default: runs/<name>-<number>)")
    patience(made, "progress")


def run(words: argparse.Namespace) -> int:
    """Run a workload, print the summary, name the report."""
    from analysis.form.summary import TrainingSummary, read_summary
    from analysis.terminal.training import console, print_summary
    from longhaul.runs.life import run as run_it
    from longhaul.shown import progress

    with progress.shown() as hear:
        folder = run_it(requested(words), hear)
    print_summary(folder, console())
    summary = read_summary(folder)
    wrong = summary.collective.wrong if isinstance(summary, TrainingSummary) else None
    return complain(f"longhaul: {wrong} results were not the sum", 1) if wrong else 0


def requested(words: argparse.Namespace) -> Request:
    """The run that the words ask for."""
    from longhaul.runs.life import Request
    from scenario.workload.probing import probing_of

    return Request(
        topology=words.topology,
        workloads=tuple(words.workloads),
        overrides=tuple(words.overrides),
        seed=words.seed,
        time=words.time,
        machine=words.machine,
        out=words.out,
        cpu=words.cpu,
        patience_s=words.patience,
        command=tuple(words.command),
        without=words.without,
        workload_overrides=tuple(words.workload_overrides),
        controller=words.controller,
        rest=words.rest,
        probing=probing_of(words.probe, words.probe_interval),
        capture=words.capture,
        capture_bytes=words.capture_bytes,
        memory_bytes=words.memory_bytes,
        root=words.root,
    )


def workload(text: str) -> Chosen:
    """FILE, or FILE@PATTERN,…, as argparse's `type`."""
    from longhaul.runs.workloads import Chosen

    path, _, patterns = text.rpartition("@") if "@" in text else (text, "", "")
    return Chosen(Path(path), names(patterns) if patterns else ())
