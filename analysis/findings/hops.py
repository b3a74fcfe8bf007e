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
    """Messages per pair of ranks, seconds: count, transfer (mean, p50, max), waits; worst first."""
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
    transfer = pl.col("transfer_ns")
    return [
        pl.len().alias("count"),
        (pl.col("bytes").sum()).alias("bytes"),
        (transfer.mean() * NS).alias("transfer_mean_s"),
        (transfer.quantile(0.5, interpolation="lower") * NS).alias("transfer_p50_s"),
        (transfer.max() * NS).alias("transfer_max_s"),
        (pl.col("peer_late_ns").mean() * NS).alias("peer_late_mean_s"),
        (pl.col("wait_ns").mean() * NS).alias("wait_mean_s"),
    ]
