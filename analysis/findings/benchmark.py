"""What `longhaul bench` measured, as nccl-tests tabulates it. In: a run folder's plan and events. Out: one row
per size and algorithm, in `bench.json` and on the terminal.

The time of a collective is from the last rank's entry to the last rank's end, as everywhere here; its
mean over the iterations after the warm-up gives the bandwidths (nccl-tests, doc/PERFORMANCE.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from analysis.findings.bandwidth import algbw, bus_factor
from analysis.findings.network import samples
from analysis.findings.tail import nearest_rank
from analysis.form.benchmark import FILE, BenchmarkTable, MeasuredCase, PlannedCase
from analysis.form.files import write
from analysis.run import read_plan
from analysis.tables import read_table

Data = dict[str, Any]


@dataclass(frozen=True)
class _Counted:
    """Of a case, over all ranks: wrong results and packets dropped meanwhile; None: not looked at."""

    wrong: int | None
    dropped: int | None


def write_results(folder: Path) -> None:
    """Work out `bench.json` of a run folder: `op`, `ranks`, `iterations` and `rows`."""
    plan = read_plan(folder)
    (about,) = plan["workloads"]
    wrong = folder / "wrong.parquet"
    found = rows(
        about,
        read_table(folder / "events.parquet"),
        read_table(wrong) if wrong.exists() else None,
        samples(folder),
    )
    results = BenchmarkTable(
        name=plan["name"],
        op=about["op"],
        ranks=len(about["ranks"]),
        scale_bytes=plan["scale_bytes"],
        iterations=about["iterations"],
        warmup=about["warmup"],
        congestion=about["congestion"],
        transport=about["transport"],
        channels=about["channels"],
        rows=found,
    )
    write(results, folder / FILE)


def rows(
    about: Data,
    events: pl.DataFrame,
    wrong: pl.DataFrame | None,
    sampled: pl.DataFrame | None = None,
) -> list[MeasuredCase]:
    """One row per case: sizes in real-world bytes, times in seconds, bandwidths in real-world bytes per
    second. `wrong` is null where nothing was checked, `sampled` where no switch port was."""
    ranks = len(about["ranks"])
    durations = _durations(events, about["warmup"])
    drops = None if sampled is None else dropped(events, sampled, about["warmup"])
    by_task = (
        dict(wrong.group_by("task").agg(pl.col("wrong").sum()).iter_rows())
        if wrong is not None
        else None
    )
    return [
        _row(
            about["op"],
            ranks,
            case,
            durations[task],
            _Counted(
                by_task[task] if by_task else None, None if drops is None else drops.get(task, 0)
            ),
        )
        for task, case in zip(
            count(1, 2), msgspec.convert(about["cases"], list[PlannedCase]), strict=False
        )
    ]


def alike(data: BenchmarkTable) -> list[str]:
    """Why rows are equal, in words: which algorithms come to the same messages, at how many sizes."""
    sizes: dict[tuple[str, str, bool], set[float]] = {}
    for row in data.rows:
        if row.same_as is not None:
            sizes.setdefault((row.algorithm, row.same_as, row.same_order), set()).add(
                row.size_bytes
            )
    every = len({row.size_bytes for row in data.rows})
    return [
        f"{one} sends the same messages as {other} here, "
        + ("in the same order" if ordered else "in another order or over other connections")
        + ("" if len(found) == every else f" (at {len(found)} of {every} sizes)")
        for (one, other, ordered), found in sizes.items()
    ]


def left_out(data: BenchmarkTable) -> list[str]:
    """That the model loses no packets, where some were dropped."""
    count = sum(bool(row.dropped) for row in data.rows)
    if not count:
        return []
    return [
        f"the model leaves lost packets out: {count} of {len(data.rows)} rows had some dropped, "
        "and their error has what that cost"
    ]


def dropped(events: pl.DataFrame, sampled: pl.DataFrame, warmup: int) -> dict[int, int]:
    """By task the packets that switch ports dropped in the iterations that count. What fell between two samples
    is the collective's that took most of the time between them."""
    spans = (
        events.filter(pl.col("kind") == "collective")
        .group_by("task", "iteration")
        .agg(begin=pl.col("start_ns").min(), end=pl.col("end_ns").max())
    )
    since = {"drops": pl.col("drops").diff(), "since": pl.col("t_ns").shift()}
    took = pl.min_horizontal("end", "t_ns") - pl.max_horizontal("begin", "since")
    found = (
        sampled.sort("interface", "t_ns")
        .with_columns(**{name: what.over("interface") for name, what in since.items()})
        .filter(pl.col("drops") > 0)
        .join(spans, how="cross")
        .with_columns(took=took)
        .filter(pl.col("took") > 0)
        .sort("took", "task", descending=[True, False])
        .unique(["interface", "t_ns"], keep="first", maintain_order=True)
        .filter(pl.col("iteration") >= warmup)
        .group_by("task")
        .agg(pl.col("drops").sum())
    )
    return dict(found.iter_rows())


def _durations(events: pl.DataFrame, warmup: int) -> dict[int, list[float]]:
    """Seconds from the last rank's entry to the last rank's end, by task."""
    taken = (
        events.filter(pl.col("kind") == "collective", pl.col("iteration") >= warmup)
        .group_by("task", "iteration")
        .agg(ns=pl.col("end_ns").max() - pl.col("start_ns").max())
        .sort("task", "iteration")
    )
    found: dict[int, list[float]] = {}
    for task, _, ns in taken.iter_rows():
        found.setdefault(task, []).append(ns / 1e9)
    return found


def _row(
    op: str,
    ranks: int,
    case: PlannedCase,
    times_s: list[float],
    counted: _Counted,
) -> MeasuredCase:
    mean_s = sum(times_s) / len(times_s)
    bandwidth_Bps = algbw(case.size_bytes, mean_s)
    return MeasuredCase(
        asked=case.asked,
        algorithm=case.algorithm,
        size_bytes=case.size_bytes,
        carried_bytes=case.carried_bytes,
        predicted_s=case.predicted_s,
        same_as=case.same_as,
        same_order=case.same_order,
        time_s=mean_s,
        p50_s=nearest_rank(sorted(times_s), 0.5),
        p99_s=nearest_rank(sorted(times_s), 0.99),
        min_s=min(times_s),
        max_s=max(times_s),
        algbw_Bps=None if op == "barrier" else bandwidth_Bps,
        busbw_Bps=None if op == "barrier" else bandwidth_Bps * bus_factor(op, ranks),
        error=mean_s / case.predicted_s - 1 if case.predicted_s else None,
        wrong=counted.wrong,
        dropped=counted.dropped,
    )
