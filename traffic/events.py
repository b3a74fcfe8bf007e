"""What agents have written down, as a table in the whole plan's ranks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from analysis.tables import SCHEMA
from traffic.host.agent import FIELDS, KINDS
from traffic.kind import Placed

TIMES = ("ready_ns", "start_ns", "end_ns")


def read_events(placed: Placed, folder: Path, start_ns: int) -> pl.DataFrame:
    """The events in `folder/<host>` of every host, times from `start_ns`."""
    ranks = np.array([*placed.ranks, -1])  # peer −1 is nobody
    tables = [
        _read(folder / host.name, global_rank)
        for host, global_rank in zip(placed.plan.hosts, placed.ranks, strict=True)
    ]
    columns = dict(zip(("rank", *FIELDS), np.concatenate(tables).T, strict=True))
    columns["peer"] = ranks[columns["peer"]]
    for name in TIMES:
        columns[name] = columns[name] - start_ns
    kinds = np.array(KINDS)[columns.pop("kind")]
    frame = pl.DataFrame({"kind": kinds} | columns)
    return frame.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())


def _read(path: Path, rank: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """A rank's events, its number in front of each."""
    rows = np.fromfile(path, dtype="<i8").reshape(-1, len(FIELDS))
    return np.column_stack([np.full(len(rows), rank), rows])
