"""Events as a typed table: written once in canonical order, read by everything else.

In: columns of events, or a run folder. Out: `events.parquet`, its digest, and a `Run` that holds
the events beside the plan, the manifest and the fidelity check.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

KINDS = ("collective", "compute", "recv", "send")
"""Kinds of events. A kind's code in the digest is its index here."""

SCHEMA: dict[str, Any] = {
    "rank": pl.Int32,
    "iteration": pl.Int32,
    "task": pl.Int16,
    "op": pl.Int32,
    "kind": pl.Enum(KINDS),
    "peer": pl.Int32,
    "bytes": pl.Int64,
    "ready_ns": pl.Int64,
    "start_ns": pl.Int64,
    "end_ns": pl.Int64,
}
ORDER = ("rank", "iteration", "task", "op", "kind")
NS = 1e-9


REQUIRED = {
    "manifest": ("longhaul", "name", "command", "seed", "time", "machine", "kernel", "inputs"),
    "plan": ("campuses", "links", "workloads", "modelled", "scale_bytes"),
}
"""What the analysis needs of a run folder's JSON files."""

TRAINING = ("training", "trace")
"""The kinds of workload whose hosts are ranks, which leave events."""

HAPPENED = ("name", "kind", "says", "begin_ns", "end_ns", "targets")
"""Keys of an event of `timeline.json`."""


class RunError(Exception):
    """A run folder that cannot be analysed. The message says what is missing or wrong, where."""


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
    fidelity: list[dict[str, Any]]
    timeline: list[dict[str, Any]] = field(default_factory=list)

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
        """The measured messages, as `analysis.findings.hops` has them, with the campuses of both ends."""
        from analysis.findings.hops import messages, with_campuses  # noqa: PLC0415 - which build on this module

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


def write_events(columns: Mapping[str, Any], path: Path) -> pl.DataFrame:
    """Write columns (name -> array-like, as in `SCHEMA`) to `path`, in canonical order.

    Returns the table as written. Raises `RunError` when a column is missing or unknown, or holds
    what its type cannot.
    """
    events = canonical(_typed(columns, str(path)))
    events.write_parquet(path, compression="zstd", statistics=True)
    return events


def read_events(path: Path) -> pl.DataFrame:
    """The events stored at `path`, typed as `SCHEMA` and in canonical order."""
    try:
        stored = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise RunError(f"{path}: not readable as Parquet: {error}") from error
    return canonical(_typed(stored.to_dict(), str(path)))


def canonical(events: pl.DataFrame) -> pl.DataFrame:
    """The events ordered by rank, iteration, task, op, kind (alphabetically), then by the rest."""
    if events.select(_strictly_ascending().all()).item():
        return events
    rest = [name for name in SCHEMA if name not in ORDER]
    return events.sort([*(_orderable(name) for name in ORDER), *rest])


def digest(events: pl.DataFrame) -> str:
    """SHA-256 (hex) over the canonical columns in turn, little endian, a kind as one byte."""
    ordered = canonical(events).rechunk()
    sha = hashlib.sha256()
    for name in SCHEMA:
        values = ordered[name].to_physical().to_numpy()
        sha.update(values.astype(values.dtype.newbyteorder("<"), copy=False).data)
    return sha.hexdigest()


def load_run(path: Path) -> Run:
    """Read a finished run folder. Raises `RunError` where a file is missing, broken or at odds."""
    path = Path(path)
    if not (path / "events.parquet").is_file():
        raise RunError(f"{path}: no events.parquet; not the folder of a finished run")
    plan = _read_json(path / "plan.json", dict)
    recorded = read_events(path / "events.parquet")
    workload = _training(plan, path)
    own = pl.col("rank").is_in(workload["ranks"])
    run = Run(
        path=path,
        recorded=recorded,
        events=recorded.filter(own),
        workload=workload,
        ranks=_ranks(plan, path).filter(own),
        manifest=_read_json(path / "manifest.json", dict),
        plan=plan,
        fidelity=_read_json(path / "fidelity.json", list),
        timeline=_timeline(path / "timeline.json"),
    )
    _check(run)
    return run


def _typed(columns: Mapping[str, Any], where: str) -> pl.DataFrame:
    missing = [name for name in SCHEMA if name not in columns]
    unknown = [name for name in columns if name not in SCHEMA]
    if missing or unknown:
        raise RunError(f"{where}: events lack columns {missing}, have unknown columns {unknown}")
    try:
        return pl.DataFrame(
            [pl.Series(name, columns[name]).cast(dtype) for name, dtype in SCHEMA.items()]
        )
    except (pl.exceptions.PolarsError, TypeError, OverflowError) as error:
        raise RunError(f"{where}: events do not fit their types: {error}") from error


def _orderable(name: str) -> pl.Expr:
    return pl.col(name).to_physical() if name == "kind" else pl.col(name)


def _strictly_ascending() -> pl.Expr:
    """True where a row's key is greater than that of the row before it."""
    greater, equal = pl.lit(value=False), pl.lit(value=True)
    for name in ORDER:
        column = _orderable(name)
        greater = greater | (equal & (column > column.shift()))
        equal = equal & (column == column.shift())
    return greater.fill_null(value=True)


def _read_json(path: Path, kind: type) -> Any:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RunError(f"{path}: {error.strerror}; not the folder of a finished run") from error
    except ValueError as error:
        raise RunError(f"{path}: broken JSON: {error}") from error
    if not isinstance(found, kind):
        raise RunError(f"{path}: expected a JSON {kind.__name__}, found {type(found).__name__}")
    return found


def _timeline(path: Path) -> list[dict[str, Any]]:
    """The timeline's events that came to pass; a run folder without the file had none."""
    if not path.is_file():
        return []
    rows: list[dict[str, Any]] = _read_json(path, list)
    for index, row in enumerate(rows):
        missing = [key for key in HAPPENED if key not in row]
        if missing:
            raise RunError(f"{path}: event {index} lacks {', '.join(missing)}")
    return rows


def trains(path: Path) -> bool:
    """Whether a workload of a run folder leaves events of ranks."""
    plan = _read_json(Path(path) / "plan.json", dict)
    return any(one.get("kind") in TRAINING for one in plan.get("workloads", []))


def _training(plan: dict[str, Any], path: Path) -> dict[str, Any]:
    """The first workload of the plan whose events are those of ranks that compute and communicate."""
    for workload in plan.get("workloads", []):
        if workload.get("kind") in TRAINING:
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
    for name, keys in REQUIRED.items():
        missing = [key for key in keys if key not in getattr(run, name)]
        if missing:
            raise RunError(f"{run.path / name}.json: lacks {', '.join(missing)}")
    known = {host["rank"] for campus in run.plan["campuses"] for host in campus["hosts"]}
    strangers = set(run.recorded["rank"].unique()) - known
    if strangers:
        raise RunError(f"{run.path}: events of ranks that the plan lacks: {sorted(strangers)}")
    if run.measured.is_empty():
        raise RunError(f"{run.path}: no iteration after the {run.warmup} of the warm-up")
    if run.measured.filter(pl.col("kind") == "collective").is_empty():
        raise RunError(f"{run.path}: no collective among the measured events")
