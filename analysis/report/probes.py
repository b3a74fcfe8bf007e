"""How long probes took, as a picture. In: a run folder with `probes.parquet`. Out: a chart of the delays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from analysis.findings.tail import survival
from analysis.form.beside import DirectionSeen
from analysis.pictures.charts import Chart, Series, survivals
from analysis.pictures.fabric_map import COLOURS
from analysis.tables import NS, read_table

MOST_CURVES = 8


def probe_chart(run_dir: Path, seen: Sequence[DirectionSeen]) -> Chart | None:
    """The share of probes that took longer, by direction; those of the longest delays, at most eight."""
    came = [one for one in seen if one.delay]
    if not came:
        return None
    probes = read_table(Path(run_dir) / "probes.parquet", "received_ns").drop_nulls("received_ns")
    came.sort(key=lambda one: -one.delay.max_s if one.delay else 0.0)
    return survivals(
        [
            Series(f"{one.source} → {one.sink}", survival(_delays(probes, one)), number % COLOURS)
            for number, one in enumerate(came[:MOST_CURVES])
        ]
    )


def _delays(probes: pl.DataFrame, one: DirectionSeen) -> pl.Series:
    own = probes.filter(workload=one.workload, link=one.link, direction=one.direction)
    return (own["received_ns"] - own["sent_ns"]).cast(pl.Float64) * NS
