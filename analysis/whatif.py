"""What the run would have taken had nobody straggled: slowdown S = T / T_ideal, waste = 1 - 1/S.

In: a run. Out: `WhatIf`. As in the straggler study (Lin et al., OSDI'25), durations are replaced by
one ideal per type of operation and the iteration is rebuilt. Compute: the mean over ranks and
iterations. Communication: the study takes the median; here it is the shortest transfer of that
collective in the run, since a lossy link makes the median itself a straggler.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from analysis.stalls import collective_times, iterations
from analysis.tables import NS, Run

DEFINITION = (
    "mean compute over ranks and iterations + shortest transfer of the collective in this run"
)


@dataclass(frozen=True)
class WhatIf:
    """Mean seconds per iteration, actual and ideal; `X_only`: only X keeps its actual durations."""

    actual_s: float
    ideal_compute_s: float
    ideal_communication_s: float
    compute_only_s: float
    communication_only_s: float

    @property
    def ideal_s(self) -> float:
        """T_ideal: tasks of an iteration run one after another."""
        return self.ideal_compute_s + self.ideal_communication_s

    @property
    def slowdown(self) -> float:
        """S = T / T_ideal."""
        return self.actual_s / self.ideal_s

    @property
    def waste(self) -> float:
        """The share of GPU time lost to stragglers: 1 - 1/S."""
        return 1 - 1 / self.slowdown

    @property
    def slowdown_compute(self) -> float:
        """S_t of compute: uneven compute alone (the study's equation 2)."""
        return self.compute_only_s / self.ideal_s

    @property
    def slowdown_communication(self) -> float:
        """S_t of communication: uneven transfers alone."""
        return self.communication_only_s / self.ideal_s


def what_if(run: Run, ideal: Callable[[pl.Expr], pl.Expr] = pl.Expr.min) -> WhatIf:
    """Rebuild the measured iterations with equal durations; `ideal` picks one transfer out of many.

    `pl.Expr.median` gives the study's own choice.
    """
    compute, transfer = compute_times(run.measured), collective_times(run.measured)
    count = run.measured["iteration"].n_unique()
    ideal_compute = _total(compute, pl.col("compute_ns").mean())
    ideal_transfer = _total(transfer, ideal(pl.col("transfer_ns")))
    slowest = compute.group_by("iteration", "task").agg(pl.col("compute_ns").max())
    return WhatIf(
        actual_s=float(iterations(run)["duration_ns"].sum()) * NS / count,
        ideal_compute_s=ideal_compute,
        ideal_communication_s=ideal_transfer,
        compute_only_s=_total(slowest, pl.col("compute_ns").mean()) + ideal_transfer,
        communication_only_s=ideal_compute + _total(transfer, pl.col("transfer_ns").mean()),
    )


def slowdown_by_rank(run: Run, found: WhatIf) -> pl.DataFrame:
    """Per rank S_w: this rank alone keeps its actual compute (the study's equation 4)."""
    ideal = compute_times(run.measured).with_columns(
        ideal_ns=pl.col("compute_ns").mean().over("task")
    )
    excess = (pl.col("compute_ns") - pl.col("ideal_ns")).clip(lower_bound=0).sum()
    count = run.measured["iteration"].n_unique()
    return ideal.group_by("rank").agg(slowdown=1 + excess * NS / count / found.ideal_s)


def compute_times(events: pl.DataFrame) -> pl.DataFrame:
    """One row per rank, iteration and compute task: `compute_ns`."""
    return events.filter(pl.col("kind") == "compute").select(
        "rank", "iteration", "task", compute_ns=pl.col("end_ns") - pl.col("start_ns")
    )


def _total(table: pl.DataFrame, one: pl.Expr) -> float:
    """Seconds per iteration: one duration for each task, summed over the tasks."""
    picked = table.group_by("task").agg(one.alias("ns"))
    return float(picked["ns"].sum() or 0) * NS
