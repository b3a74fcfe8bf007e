"""`longhaul run`: a workload on a topology, analysed."""

from __future__ import annotations

import argparse
import shlex
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longhaul.machine import TIMES
from longhaul.verbs import bench
from longhaul.verbs.arguments import (
    Verbs,
    capture,
    conditions,
    controller,
    memory,
    names,
    patience,
    probes,
    root,
    verb,
    where,
    workloads,
)
from longhaul.verbs.printing import folder, form, tell
from longhaul.verbs.shape import topology
from scenario.errors import WrongInput

if TYPE_CHECKING:
    import longhaul as lh
    from longhaul.api.options import Hear, RunOptions


def add(verbs: Verbs) -> None:
    """The verb and its arguments."""
    made = verb(
        verbs, "run", run, "run a workload on a topology, and analyse it",
        "longhaul run topologies/colossus.yaml --seed 2",
    )  # fmt: skip
    topology(made)
    made.add_argument(
        "--reproduce", type=Path, metavar="RUN",
        help="carry out the command of a run's (or benchmark's) folder again, and say whether the same comes of it; of "
        "other options --out, --cpu and --patience alone have a meaning then",
    )  # fmt: skip
    workloads(made)
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
    form(made)
    folder(made)
    patience(made, "progress")
    conditions(made, "summary.json")


def run(words: argparse.Namespace) -> int:
    """Run a workload, print the summary, name the report."""
    if words.reproduce:
        return reproduce(words)
    from analysis.form.summary import TrainingSummary, summary_schema
    from longhaul.shown import progress
    from longhaul.verbs.judging import Judge

    judge = Judge(words, str(words.topology), summary_schema())
    with judge.watching(), progress.shown(quiet=words.quiet) as hear:
        made = carried_out(words, hear)
    tell(words, lambda: {"folder": str(made.path)} | made.as_dict(), made.draw)
    summary = made.summary
    wrong = summary.collective.wrong if isinstance(summary, TrainingSummary) else None
    return judge.status([made.as_dict()], f"{wrong} results were not the sum" if wrong else "")


def carried_out(words: argparse.Namespace, hear: Hear) -> lh.Run:
    """The run that the words ask for."""
    import longhaul as lh

    topology, workloads, options = asked(words)
    options["hear"] = hear
    return lh.run(topology, workloads, **options)


def asked(words: argparse.Namespace) -> tuple[lh.Topology, list[lh.Workload], RunOptions]:
    """What the words ask for, as the API takes it; files are read, and complained about, by whoever takes it."""
    import longhaul as lh

    topology = lh.Topology(words.topology.stem, words.topology, overrides=tuple(words.overrides))
    workloads = [lh.Workload(one.path.stem, one.path, on=one.on) for one in words.workloads]
    options: RunOptions = {
        "seed": words.seed,
        "time": words.time,
        "machine": words.machine,
        "root": words.root,
        "cpu": words.cpu,
        "out": words.out,
        "patience_s": words.patience,
        "command": words.command,
        "without": words.without,
        "settings": words.workload_overrides,
        "probe": words.probe,
        "probe_interval_s": words.probe_interval,
        "capture": words.capture,
        "capture_bytes": words.capture_bytes,
        "controller": words.controller,
        "rest": words.rest,
        "memory_bytes": words.memory_bytes,
    }
    return topology, workloads, options


def reproduce(words: argparse.Namespace) -> int:
    """Carry out again what a run folder's manifest says; 1 where something else comes of it."""
    from dataclasses import asdict

    from analysis.run import read_manifest
    from analysis.series.first_difference import parting
    from analysis.terminal.parting import print_parting
    from longhaul.shown import progress

    again = said(read_manifest(words.reproduce), words.reproduce)
    again.out, again.patience = words.out, words.patience
    again.cpu = again.cpu if words.cpu is None else words.cpu
    with progress.shown(quiet=words.quiet) as hear:
        made = remade(again, words.reproduce, hear).path
    found = parting(words.reproduce, made)
    names = (str(words.reproduce), str(made))
    tell(words, lambda: asdict(found), lambda out: print_parting(found, names, out))
    return 0 if found.same else 1


def remade(words: argparse.Namespace, before: Path, hear: Hear) -> lh.Run | lh.BenchRun:
    """The run, or the benchmark over the transport that the one `before` had."""
    from analysis.run import read_plan

    if words.verb is run:
        return carried_out(words, hear)
    return bench.measured(words, read_plan(before)["workloads"][0]["transport"], words.out, hear)


def said(manifest: dict[str, Any], run_dir: Path) -> argparse.Namespace:
    """The words of the command that a manifest holds. Raises WrongInput where that makes no runs, or names files
    that are not there or not those."""
    command = shlex.split(manifest["command"])
    makes_runs = command[:2] in (["longhaul", "run"], ["longhaul", "bench"])
    if not makes_runs or "--reproduce" in command:
        raise WrongInput(
            f"{run_dir}: its command is no run or bench of longhaul's: {manifest['command']}"
        )
    for name, digest in manifest["inputs"].items():
        if not Path(name).is_file():
            raise WrongInput(
                f"{run_dir}: it was made of {name}, which is not there: run it from where it was made"
            )
        if sha256(Path(name).read_bytes()).hexdigest() != digest:
            raise WrongInput(f"{run_dir}: {name} has changed since")
    try:
        words = _parser().parse_args(command[1:])
    except SystemExit:
        raise WrongInput(
            f"{run_dir}: this longhaul does not know its command: {manifest['command']}"
        ) from None
    words.command = command
    return words


def _parser() -> argparse.ArgumentParser:
    """A command line that knows the verbs that leave run folders."""
    made = argparse.ArgumentParser(prog="longhaul")
    verbs = made.add_subparsers()
    add(verbs)
    bench.add(verbs)
    return made
