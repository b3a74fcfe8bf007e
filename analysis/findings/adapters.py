"""What the adapters of a workload over RDMA counted. In: a run folder with `adapters.parquet`, a row per rank. Out:
sums, as `summary.json` has them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import polars as pl

from analysis.form.beside import Adapters


def summarise(run_dir: Path) -> list[Adapters]:
    """One row for each workload over RDMA."""
    path = Path(run_dir) / "adapters.parquet"
    if not path.is_file():
        return []
    sums = pl.read_parquet(path).group_by(name="workload", maintain_order=True)
    found = sums.agg(pl.exclude("workload", "rank", "host").sum())
    return msgspec.convert(found.to_dicts(), list[Adapters])
