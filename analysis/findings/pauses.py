"""How long ports were held up by pauses (PFC): switches' by `telemetry.parquet`, adapters' by `adapters.parquet`.

In: a run with these. Out: the ports that were, the longest first; shares are of the time from the first sample to the
last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from analysis.findings.network import ports, samples
from analysis.form.beside import PausedPort
from analysis.run import read_plan
from analysis.tables import NS, read_table

MOST = 10


def paused(run_dir: Path) -> list[PausedPort]:
    """The ports that were paused at all, at most ten."""
    found = samples(run_dir)
    if found is None or "paused_ns" not in found.columns:
        return []
    plan = read_plan(run_dir)
    whole_ns = found.select(pl.col("t_ns").max() - pl.col("t_ns").min()).item() or 0
    held = [*_of_switches(found, plan), *_of_adapters(Path(run_dir), plan)]
    made = [
        PausedPort(*names, paused_s=ns * NS, share=min(ns / whole_ns, 1.0) if whole_ns else 0.0)
        for names, ns in held
        if ns > 0
    ]
    return sorted(made, key=lambda one: (-one.paused_s, one.interface))[:MOST]


Names = tuple[str, str, str]
"""Of a port: its node, its interface, what it sends to."""


def _of_switches(found: pl.DataFrame, plan: Mapping[str, Any]) -> Iterator[tuple[Names, int]]:
    known = ports(plan)
    held = pl.col("paused_ns").max() - pl.col("paused_ns").min()
    for interface, ns in found.group_by("interface").agg(held).iter_rows():
        if interface in known:
            yield (known[interface].node, interface, known[interface].towards), ns


def _of_adapters(run_dir: Path, plan: Mapping[str, Any]) -> Iterator[tuple[Names, int]]:
    """A host of several workloads was held up as long as that one says which ran longest."""
    path = run_dir / "adapters.parquet"
    counted = read_table(path) if path.is_file() else pl.DataFrame()
    if "paused_ns" not in counted.columns:
        return
    held = dict(counted.group_by("host").agg(pl.col("paused_ns").max()).iter_rows())
    for wire in plan.get("wires", ()):
        for near, far in ((wire["a"], wire["b"]), (wire["b"], wire["a"])):
            if near["node"] in held:
                yield (near["node"], near["interface"], far["node"]), held[near["node"]]
