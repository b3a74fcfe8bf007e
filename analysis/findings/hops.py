"""Between whom messages took long: per pair of ranks, and per pair of campuses.

In: messages (`analysis.messages`). Out: tables of counts and seconds, worst first.
"""

from __future__ import annotations

import msgspec
import polars as pl

from analysis.form.training import Between
from analysis.run import Run
from analysis.tables import NS


def pairs(found: pl.DataFrame, ranks: pl.DataFrame) -> pl.DataFrame:
    """Messages per pair of ranks, seconds: count, message time and transfer (mean, p50, max), waits; worst first."""
    place = ranks.select("rank", "name", "campus")
    return (
        found.group_by("src", "dst")
        .agg(*_statistics())
        .join(place.rename({"rank": "src", "name": "src_name", "campus": "src_campus"}), on="src")
        .join(place.rename({"rank": "dst", "name": "dst_name", "campus": "dst_campus"}), on="dst")
        .sort(["transfer_mean_s", "src", "dst"], descending=[True, False, False])
    )


def links(run: Run) -> list[Between]:
    """Messages per ordered pair of campuses, as `summary.json` has them."""
    return msgspec.convert(between_campuses(run).to_dicts(), list[Between])


def between_campuses(run: Run) -> pl.DataFrame:
    """Messages per ordered pair of campuses, seconds. Empty where no sends were recorded."""
    return (
        run.messages.group_by("src_campus", "dst_campus")
        .agg(*_statistics())
        .sort(["transfer_mean_s", "src_campus", "dst_campus"], descending=[True, False, False])
    )


def _statistics() -> list[pl.Expr]:
    return [
        pl.len().alias("count"),
        (pl.col("bytes").sum()).alias("bytes"),
        *_times("message"),
        *_times("transfer"),
        (pl.col("peer_late_ns").mean() * NS).alias("peer_late_mean_s"),
        (pl.col("wait_ns").mean() * NS).alias("wait_mean_s"),
    ]


def _times(of: str) -> list[pl.Expr]:
    taken = pl.col(f"{of}_ns")
    return [
        (taken.mean() * NS).alias(f"{of}_mean_s"),
        (taken.quantile(0.5, interpolation="lower") * NS).alias(f"{of}_p50_s"),
        (taken.max() * NS).alias(f"{of}_max_s"),
    ]
