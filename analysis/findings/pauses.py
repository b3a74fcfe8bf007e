"""How long ports of switches were held up by pauses (PFC). In: a run with its `telemetry.parquet`. Out: the ports that
were, the longest first; times are from the first sample to the last.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from analysis.findings.network import ports, samples
from analysis.form.beside import PausedPort
from analysis.run import read_plan
from analysis.tables import NS

MOST = 10


def paused(run_dir: Path) -> list[PausedPort]:
    """The ports that were paused at all, at most ten."""
    found = samples(run_dir)
    if found is None or "paused_ns" not in found.columns:
        return []
    known = ports(read_plan(run_dir))
    spans = found.group_by("interface").agg(
        held=pl.col("paused_ns").max() - pl.col("paused_ns").min(),
        whole=pl.col("t_ns").max() - pl.col("t_ns").min(),
    )
    longest = spans.filter(pl.col("held") > 0).sort(["held", "interface"], descending=[True, False])
    return [
        PausedPort(
            node=known[interface].node,
            interface=interface,
            towards=known[interface].towards,
            paused_s=held * NS,
            share=min(held / whole, 1.0) if whole else 0.0,
        )
        for interface, held, whole in longest.head(MOST).iter_rows()
        if interface in known
    ]
