"""What agents have written down, as a table in the whole plan's ranks."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from analysis.tables import SCHEMA
from traffic.host.agent import FIELDS, KINDS
from traffic.kind import Placed
from traffic.rows import read_rows

TIMES = ("ready_ns", "start_ns", "end_ns")


def read_events(placed: Placed, folder: Path, start_ns: int) -> pl.DataFrame:
    """The events in `folder/<host>` of every host, times from `start_ns`."""
    everywhere = pl.Series([*placed.ranks, -1])  # peer −1 is nobody
    found = pl.concat(
        read_rows(folder / host.name, FIELDS).with_columns(rank=pl.lit(rank, pl.Int64))
        for host, rank in zip(placed.plan.hosts, placed.ranks, strict=True)
    )
    peers = pl.when(pl.col("peer") < 0).then(len(placed.ranks)).otherwise("peer")
    found = found.with_columns(
        *(pl.col(name) - start_ns for name in TIMES),
        peer=everywhere.gather(found.select(peers).to_series()),
        kind=pl.Series(KINDS).gather(found["kind"]),
    )
    return found.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
