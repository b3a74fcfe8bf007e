"""What background load was offered beside a workload, and what of it came through.

In: a run folder with `background.parquet`. Out: a row for each such workload, as `summary.json` has it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from analysis.form.beside import Load
from analysis.run import read_plan
from analysis.tables import NS, read_table

Data = dict[str, Any]
BIN_NS = 1_000_000
"""Of the table: docs/measuring.md."""


def summarise(run_dir: Path) -> list[Load]:
    """One row for each workload of background load; rates are the real world's, of frames."""
    path = Path(run_dir) / "background.parquet"
    if not path.is_file():
        return []
    counted = read_table(path)
    plan = read_plan(run_dir)
    abouts = [about for about in plan["workloads"] if about["kind"] == "background"]
    return [_load(about, counted, plan["scale_bytes"]) for about in abouts]


def _load(about: Data, counted: pl.DataFrame, scale: float) -> Load:
    """Means are over the time from the start to the last bin in which anything was sent."""
    own = counted.filter(workload=about["name"])
    sent, received = (own.filter(side=side) for side in ("sent", "received"))
    last_ns = int(sent["begin_ns"].to_numpy().max()) if sent.height else 0
    frames = 8 * scale / about["payload_share"] / ((last_ns + BIN_NS) * NS)
    taken, came = int(sent["bytes"].sum()), int(received["bytes"].sum())
    return Load(
        name=about["name"],
        source=about["from"],
        sink=about["to"],
        protocol=about["protocol"],
        pattern=about["pattern"],
        rate_bps=about["rate_bps"],
        offered_bps=about["offered_bps"],
        sent_bps=taken * frames,
        received_bps=came * frames,
        loss=max(1 - came / taken, 0.0) if taken else 0.0,
    )
