"""What the adapters of a workload over RDMA counted. In: a run folder with `adapters.parquet`, a row per rank. Out:
sums, as `summary.json` has them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from analysis import units
from analysis.form.beside import Adapters, PausedPort
from analysis.run import read_plan
from analysis.tables import read_table
from scenario.plan.coarseness import ENOUGH_PACKETS

WORST_PAIRS = 5


def summarise(run_dir: Path) -> list[Adapters]:
    """One row for each workload over RDMA."""
    path = Path(run_dir) / "adapters.parquet"
    if not path.is_file():
        return []
    filling = [link.get("packets_per_bdp") for link in read_plan(run_dir)["links"]]
    fine = all(count is None or count >= ENOUGH_PACKETS for count in filling)
    sums = read_table(path).group_by("workload", maintain_order=True)
    went_back = pl.col("retransmissions")
    found = sums.agg(pl.exclude("workload", "rank", "host", "paused_ns").sum()).with_columns(
        meaningful=pl.lit(fine) | (went_back == 0)
    )
    known = found.join(_timeouts(Path(run_dir)), on="workload", how="left", maintain_order="left")
    worst = _worst_pairs(Path(run_dir))
    rows = [{"pairs": worst.get(row["workload"], [])} | row for row in known.to_dicts()]
    named = [{"name": row.pop("workload")} | row for row in rows]
    return msgspec.convert(named, list[Adapters])


def _worst_pairs(run_dir: Path) -> dict[str, list[dict[str, Any]]]:
    """By workload: the queue pairs that met anything, those first that waited out most timeouts."""
    path = run_dir / "queue_pairs.parquet"
    if not path.is_file():
        return {}
    met = [pl.col(name) for name in ("timeouts", "retransmissions", "cnps_received")]
    worst = (
        read_table(path)
        .filter(pl.sum_horizontal(met) > 0)
        .sort([*met, "rank", "peer", "channel"], descending=[True] * 3 + [False] * 3)
    )
    adapters = read_table(run_dir / "adapters.parquet").select("workload", "rank", "host")
    hosts = {(name, rank): host for name, rank, host in adapters.iter_rows()}
    found: dict[str, list[dict[str, Any]]] = {}
    for row in worst.iter_rows(named=True):
        name, own = row["workload"], found.setdefault(row["workload"], [])
        if len(own) < WORST_PAIRS:
            ends = {"from": hosts[name, row["rank"]], "to": hosts[name, row["peer"]]}
            own.append(row | ends)
    return found


def omitted(
    counted: Adapters | None, beyond_s: float, pauses: Sequence[PausedPort] = ()
) -> list[str]:
    """What adapters met, and ports, that the model knows nothing of, where a collective took so much longer than
    expected. The `pauses` are the longest first."""
    found = []
    if counted and counted.cnps_received and beyond_s > 0:
        found.append(
            "The model has DCQCN share wires evenly from the first byte on. What it takes to get there is not in it:"
            f" {counted.cnps_received:,} notifications came, and the collective took {units.time(beyond_s)} longer."
        )
    if counted and counted.timeouts:
        found.append(
            f"Timeouts of queue pairs are not in the model: there were {counted.timeouts:,}."
        )
    if pauses and beyond_s > 0:
        most = pauses[0]
        found.append(
            f"Pauses are not in the model: {most.node}'s port to {most.towards} was held up for"
            f" {units.percent(most.share)} of the time, and the collective took {units.time(beyond_s)} longer."
        )
    return found


def _timeouts(run_dir: Path) -> pl.DataFrame:
    """Of each workload whose queue pairs the kernel has counted."""
    path = run_dir / "queue_pairs.parquet"
    if not path.is_file():
        return pl.DataFrame(schema={"workload": pl.String, "timeouts": pl.Int64})
    return read_table(path).group_by("workload").agg(pl.col("timeouts").sum())
