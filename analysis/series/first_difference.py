"""Where two runs part: what differs in their manifests, and the first row of their tables that is not the same in both.

In: two run folders of what should be one thing: training, serving, a benchmark. Out: a `Parting`. First is what
happened first on the fabric's clock: what differs later may follow from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from analysis.errors import RunError
from analysis.run import read_manifest
from analysis.tables import ORDER, read_events

HANGS_ON = ("longhaul", "code", "kernel", "kernel_patches", "root", "seed", "time", "machine", "inputs",
            "overrides", "workload_overrides", "without")  # fmt: skip
"""What of a manifest the events follow from."""


@dataclass(frozen=True)
class Recorded:
    """One kind of rows that a run leaves: what they are called, and the columns that tell them apart. All others
    are compared; those in nanoseconds are times of the fabric's clock."""

    name: str
    identity: tuple[str, ...]

    def read(self, folder: Path) -> pl.DataFrame | None:
        """The rows of a run folder, if it has such."""
        path = folder / f"{self.name}.parquet"
        if not path.is_file():
            return None
        return read_events(path) if self.name == "events" else pl.read_parquet(path)


EVENTS = Recorded("events", (*ORDER, "peer"))
RECORDED = (
    EVENTS,
    Recorded("requests", ("workload", "request")),
    Recorded("tokens", ("workload", "request", "token")),
)


@dataclass(frozen=True)
class Parting:
    """What differs in the manifests, as (name, before, after); how many `rows` there are, as (table, count), and how
    many of them differ; of the first of these its table, what it is, and both its sides, None where one has no such
    row."""

    manifest: tuple[tuple[str, Any, Any], ...]
    differing: int
    rows: tuple[tuple[str, int], ...]
    table: str | None = None
    first: dict[str, Any] | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None

    @property
    def same(self) -> bool:
        """Is every row the same?"""
        return not self.differing

    @property
    def total(self) -> int:
        """Rows of all tables together."""
        return sum(count for _, count in self.rows)


@dataclass(frozen=True)
class _Apart:
    """Of one table: rows in all, those that differ, and the first of these with its time."""

    table: Recorded
    total: int
    differing: int
    row: dict[str, Any] | None


def parting(before: Path, after: Path) -> Parting:
    """Where the runs of two folders part. Raises RunError where one is not a finished run's."""
    for folder in (before, after):
        if not (folder / "manifest.json").is_file() or EVENTS.read(folder) is None:
            raise RunError(f"{folder}: not the folder of a finished run")
    manifest = tuple(_manifest(read_manifest(before), read_manifest(after)))
    apart = [found for one in RECORDED if (found := _apart(one, before, after))]
    rows = tuple((one.table.name, one.total) for one in apart if one.total)
    differing = [one for one in apart if one.row is not None]
    if not differing:
        return Parting(manifest, 0, rows)
    first = min(differing, key=lambda one: (one.row or {})["at"])
    assert first.row
    return Parting(
        manifest,
        sum(one.differing for one in differing),
        rows,
        first.table.name,
        {name: first.row[name] for name in first.table.identity},
        _side(first.row, first.table, ""),
        _side(first.row, first.table, "_after"),
    )


def _apart(table: Recorded, before: Path, after: Path) -> _Apart | None:
    """How a table of two runs differs; None where neither has it."""
    one, other = table.read(before), table.read(after)
    if one is None or other is None:
        if one is None and other is None:
            return None
        present = one if other is None else other
        assert present is not None
        one, other = (present, present.clear()) if other is None else (present.clear(), present)
    identity = (*table.identity, "nth")
    compared = [name for name in one.columns if name not in table.identity]
    both = _numbered(one, table).join(
        _numbered(other, table), on=identity, how="full", coalesce=True, suffix="_after", nulls_equal=True
    )  # fmt: skip
    unlike = {name: pl.col(name).ne_missing(pl.col(f"{name}_after")) for name in compared}
    moments = [
        pl.when(unlike[name]).then(pl.min_horizontal(name, f"{name}_after"))
        for name in compared
        if name.endswith("_ns")
    ]
    found = both.filter(pl.any_horizontal(unlike.values())).with_columns(
        at=pl.min_horizontal(moments).fill_null(0)
    )
    ordered = found.sort(["at", *identity], nulls_last=True)
    return _Apart(table, len(both), len(found), ordered.row(0, named=True) if len(found) else None)


def _numbered(rows: pl.DataFrame, table: Recorded) -> pl.DataFrame:
    """Rows of equal names (events of several workloads) are told apart by their order."""
    ordered = rows.sort([*table.identity, *(name for name in rows.columns if name.endswith("_ns"))])
    return ordered.with_columns(nth=pl.int_range(pl.len()).over(table.identity))


def _side(row: dict[str, Any], table: Recorded, suffix: str) -> dict[str, Any] | None:
    side = {
        name: row[name + suffix]
        for name in row
        if name not in (*table.identity, "nth", "at") and f"{name}_after" in row
    }
    return side if any(value is not None for value in side.values()) else None


def _manifest(before: dict[str, Any], after: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in HANGS_ON:
        one, other = before.get(name), after.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _inputs(name, one, other)
        elif one != other:
            yield name, one, other


def _inputs(
    name: str, one: dict[str, Any], other: dict[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    """Files are told by their content: the same ones may stand elsewhere."""
    if sorted(one.values()) == sorted(other.values()):
        return
    for file in sorted({*one, *other}):
        if one.get(file) != other.get(file):
            yield f"{name}: {file}", one.get(file), other.get(file)
