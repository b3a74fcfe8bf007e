"""What the adapters of a workload over RDMA counted. In: a run folder with `adapters.parquet`, a row per rank. Out:
sums, as `summary.json` has them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import polars as pl

from analysis.form.beside import Adapters
from analysis.run import read_plan
from analysis.tables import read_table
from scenario.plan.coarseness import ENOUGH_PACKETS


def summarise(run_dir: Path) -> list[Adapters]:
    """One row for each workload over RDMA."""
    path = Path(run_dir) / "adapters.parquet"
    if not path.is_file():
        return []
    filling = [link.get("packets_per_bdp") for link in read_plan(run_dir)["links"]]
    fine = all(count is None or count >= ENOUGH_PACKETS for count in filling)
    sums = read_table(path).group_by("workload", maintain_order=True)
    went_back = pl.col("retransmissions")
    found = sums.agg(pl.exclude("workload", "rank", "host").sum()).with_columns(
        meaningful=pl.lit(fine) | (went_back == 0)
    )
    rows = found.rename({"workload": "name"}).to_dicts()
    return msgspec.convert(rows, list[Adapters])
