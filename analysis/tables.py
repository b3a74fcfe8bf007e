"""Events as a typed table: written once in canonical order, read by everything else.

In: columns of events, or `events.parquet`. Out: the table, in canonical order, and its digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from analysis.errors import RunError

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
    return canonical(_typed(read_table(path).to_dict(), str(path)))


def read_table(path: Path, *needed: str) -> pl.DataFrame:
    """A table of a run folder, which may be somebody else's. Raises RunError: unreadable, or without the columns
    that are needed."""
    try:
        found = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise RunError(f"{path}: not readable as Parquet: {said}") from None
    missing = [name for name in needed if name not in found.columns]
    if missing:
        raise RunError(f"{path}: lacks the columns {', '.join(missing)}")
    return found


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
