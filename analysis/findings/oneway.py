"""What probes saw of the long-haul links while a workload ran: one-way delay, loss, reordering.

In: a run folder with `probes.parquet`. Out: a row for each link and direction, as `summary.json` has it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from analysis.findings.tail import tail
from analysis.form.beside import DirectionSeen
from analysis.run import read_plan
from analysis.tables import NS, read_table

Data = dict[str, Any]


def summarise(run_dir: Path) -> list[DirectionSeen]:
    """One row for each way that was probed; none where there were no probes. Keys: docs/measuring.md."""
    path = Path(run_dir) / "probes.parquet"
    if not path.is_file():
        return []
    probes = read_table(path)
    plan = read_plan(run_dir)
    return [
        _way(about, way, probes)
        for about in plan["workloads"]
        if about["kind"] == "probes"
        for way in about["ways"]
    ]


def _way(about: Data, way: Data, probes: pl.DataFrame) -> DirectionSeen:
    own = probes.filter(workload=about["name"], link=way["link"], direction=way["direction"])
    came = own.drop_nulls("received_ns")
    lost, late = own.height - came.height, reordered(came)
    delays_s = (came["received_ns"] - came["sent_ns"]) * NS
    return DirectionSeen(
        workload=about["name"],
        link=way["link"],
        direction=way["direction"],
        source=way["source"],
        sink=way["sink"],
        load=way["load"],
        sent=own.height,
        lost=lost,
        loss=lost / own.height if own.height else 0.0,
        reordered=late,
        reordering=late / came.height if came.height else 0.0,
        alone_s=way["delay_s"],
        delay=tail(delays_s) if came.height else None,
    )


def reordered(came: pl.DataFrame) -> int:
    """How many came after one that was sent later. [RFC 4737, Type-P-Reordered]"""
    in_order = came.sort("received_ns", "sequence")["sequence"]
    return int((in_order < in_order.cum_max()).sum())
