"""A finished run as the findings see it: its events beside the plan, the manifest and the fidelity check.

In: a run folder. Out: a `Run`; `RunError` where a file is missing, broken or at odds with another.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from analysis.errors import RunError
from analysis.form import planned
from analysis.form.files import read
from analysis.form.parts import Check, Happened
from analysis.messages import messages, with_campuses
from analysis.tables import SCHEMA, read_events

MANIFEST = ("longhaul", "name", "command", "seed", "time", "machine", "kernel", "inputs")
"""What the analysis needs of a run folder's `manifest.json`."""

TRAINING = ("training", "trace")
"""The kinds of workload whose hosts are ranks, which leave events."""
BENCHMARK = ("benchmark",)


@dataclass(frozen=True)
class Run:
    """A finished run: the first workload that trains. `events` as in `SCHEMA`, `ranks` one row per rank.

    `workload` is what the plan says of it. `recorded` are the events of all workloads, `timeline` is
    what happened to the fabric meanwhile, as `timeline.json` has it; the rest is as stored.
    """

    path: Path
    recorded: pl.DataFrame
    events: pl.DataFrame
    workload: dict[str, Any]
    ranks: pl.DataFrame
    manifest: dict[str, Any]
    plan: dict[str, Any]
    fidelity: list[Check]
    timeline: list[Happened] = field(default_factory=list)

    @property
    def warmup(self) -> int:
        """How many iterations at the start are not measured."""
        return int(self.workload.get("warmup", 0))

    @cached_property
    def measured(self) -> pl.DataFrame:
        """The events after the warm-up."""
        return self.events.filter(pl.col("iteration") >= self.warmup)

    @cached_property
    def messages(self) -> pl.DataFrame:
        """The measured messages, as `analysis.messages` has them, with the campuses of both ends."""
        return with_campuses(messages(self.measured), self.ranks)

    @property
    def world_size(self) -> int:
        """The number of ranks."""
        return self.ranks.height

    @property
    def prediction(self) -> dict[str, Any]:
        """What the model expected of the workload."""
        found: dict[str, Any] = self.workload.get("prediction", {})
        return found

    @property
    def scale(self) -> float:
        """k: real payloads and rates are k times the carried ones."""
        return float(self.plan.get("scale_bytes", 1.0))


def load_run(path: Path) -> Run:
    """Read a finished run folder. Raises `RunError` where a file is missing, broken or at odds."""
    return _load(Path(path), TRAINING)


def load_benchmark(path: Path) -> Run:
    """The same of a benchmark's folder: its cases, and the barriers before them, are the collectives."""
    return _load(Path(path), BENCHMARK)


def load_places(path: Path) -> Run:
    """A folder of whatever run: its hosts and its fabric, and no events."""
    path, plan = Path(path), read_plan(path)
    events = pl.DataFrame(schema=SCHEMA)
    return Run(
        path=path,
        recorded=events,
        events=events,
        workload={},
        ranks=_ranks(plan, path),
        manifest=read_manifest(path),
        plan=plan,
        fidelity=read_fidelity(path),
        timeline=read_timeline(path),
    )


def _load(path: Path, kinds: Collection[str]) -> Run:
    if not (path / "events.parquet").is_file():
        raise RunError(f"{path}: no events.parquet; not the folder of a finished run")
    plan = read_plan(path)
    recorded = read_events(path / "events.parquet")
    workload = _first(plan, path, kinds)
    own = pl.col("rank").is_in(workload["ranks"])
    run = Run(
        path=path,
        recorded=recorded,
        events=recorded.filter(own),
        workload=workload,
        ranks=_ranks(plan, path).filter(own),
        manifest=read_manifest(path),
        plan=plan,
        fidelity=read_fidelity(path),
        timeline=read_timeline(path),
    )
    _check(run)
    return run


def read_plan(run_dir: Path) -> dict[str, Any]:
    """What was built: all that the analysis reads of it is there, and of its kind."""
    return planned.read_plan(Path(run_dir) / "plan.json")


def read_manifest(run_dir: Path) -> dict[str, Any]:
    """What ran, where, and of which inputs."""
    return read(Path(run_dir) / "manifest.json", dict[str, Any])


def read_fidelity(run_dir: Path) -> list[Check]:
    """What was asked of the fabric against what was measured."""
    return read(Path(run_dir) / "fidelity.json", list[Check])


def read_timeline(run_dir: Path) -> list[Happened]:
    """The timeline's events that came to pass; a run folder without the file had none."""
    path = Path(run_dir) / "timeline.json"
    return read(path, list[Happened]) if path.is_file() else []


def trains(path: Path) -> bool:
    """Whether a workload of a run folder leaves events of ranks."""
    return any(one.get("kind") in TRAINING for one in read_plan(path).get("workloads", []))


def _first(plan: dict[str, Any], path: Path, kinds: Collection[str]) -> dict[str, Any]:
    """The first workload of the plan whose events are those of ranks that compute and communicate."""
    for workload in plan.get("workloads", []):
        if workload.get("kind") in kinds:
            found: dict[str, Any] = workload
            return found
    raise RunError(f"{path / 'plan.json'}: no workload that trains")


def _ranks(plan: dict[str, Any], path: Path) -> pl.DataFrame:
    hosts = [
        {
            "rank": host["rank"],
            "name": host["name"],
            "campus": campus["name"],
            "accelerator": host["accelerator"],
            "gpus": host.get("gpus", 1),
        }
        for campus in plan.get("campuses", [])
        for host in campus.get("hosts", [])
    ]
    if not hosts:
        raise RunError(f"{path / 'plan.json'}: no hosts in any campus")
    schema = {
        "rank": pl.Int32,
        "name": pl.String,
        "campus": pl.String,
        "accelerator": pl.String,
        "gpus": pl.Int32,
    }
    table = pl.DataFrame(hosts, schema=schema).sort("rank")
    if table["rank"].to_list() != list(range(table.height)):
        raise RunError(f"{path / 'plan.json'}: ranks are not 0 to {table.height - 1}, each once")
    return table


def _check(run: Run) -> None:
    missing = [key for key in MANIFEST if key not in run.manifest]
    if missing:
        raise RunError(f"{run.path / 'manifest.json'}: lacks {', '.join(missing)}")
    known = {host["rank"] for campus in run.plan["campuses"] for host in campus["hosts"]}
    strangers = set(run.recorded["rank"].unique()) - known
    if strangers:
        raise RunError(f"{run.path}: events of ranks that the plan lacks: {sorted(strangers)}")
    if run.measured.is_empty():
        raise RunError(f"{run.path}: no iteration after the {run.warmup} of the warm-up")
    if run.measured.filter(pl.col("kind") == "collective").is_empty():
        raise RunError(f"{run.path}: no collective among the measured events")
