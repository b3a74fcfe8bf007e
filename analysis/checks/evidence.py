"""What claims are held against: of one run its summary, its fidelity, its drops; and echoes of a live fabric.

In: a finished run's folder, echoes. Out: an `Evidence`, plain data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from analysis.form.parts import Check
from analysis.form.summary import read_summary
from analysis.run import read_fidelity, read_plan

TELEMETRY = "telemetry.parquet"


@dataclass(frozen=True)
class Echo:
    """Echoes from one host to another, while an event was in force (None: none was). `rtt_s` is the shortest; None:
    there was no answer."""

    source: str
    sink: str
    rtt_s: float | None
    during: str | None = None
    after_s: float = 0.0


@dataclass(frozen=True)
class Evidence:
    """What is known of a run. `summary` is `summary.json` as plain data, `drops` are packets by long-haul link,
    `campus_of` says where each host stands; `scale`: real rates are so many times the carried ones."""

    summary: Mapping[str, Any] = field(default_factory=dict)
    fidelity: Sequence[Check] = ()
    drops: Mapping[str, int] = field(default_factory=dict)
    scale: float = 1.0
    echoes: Sequence[Echo] = ()
    campus_of: Mapping[str, str] = field(default_factory=dict)


def evidence(run: Path | None, echoes: Sequence[Echo], campus_of: Mapping[str, str]) -> Evidence:
    """Of a run folder, if there is one, and of echoes. Raises RunError where the folder holds no finished run."""
    if run is None:
        return Evidence(echoes=echoes, campus_of=campus_of)
    return Evidence(
        summary=msgspec.to_builtins(read_summary(run)),
        fidelity=read_fidelity(run),
        drops=dropped(run / TELEMETRY),
        scale=float(read_plan(run).get("scale_bytes", 1.0)),
        echoes=echoes,
        campus_of=campus_of,
    )


def dropped(telemetry: Path) -> dict[str, int]:
    """Packets that the ports of each long-haul link dropped from the workload's start to its end."""
    if not telemetry.exists():
        return {}
    ports = (
        pl.scan_parquet(telemetry)
        .filter(pl.col("kind") == "long-haul")
        .group_by("link", "interface")
        .agg(pl.col("drops").max())
    )
    totals = ports.group_by("link").agg(pl.col("drops").sum()).sort("link").collect()
    return {str(link): int(drops) for link, drops in totals.iter_rows()}
