"""Solution of lab 5."""

import polars as pl


def measured(path: str, warmup: int, kind: str) -> pl.DataFrame:
    events = pl.read_parquet(path)
    return events.filter((pl.col("iteration") >= warmup) & (pl.col("kind") == kind))


def straggler(path: str, warmup: int) -> int:
    entries = measured(path, warmup, "collective")
    return int(entries.group_by("rank").agg(pl.col("start_ns").sum()).sort("start_ns")["rank"][-1])


def slowdown(path: str, warmup: int) -> float:
    compute = measured(path, warmup, "compute").with_columns(
        spent=pl.col("end_ns") - pl.col("start_ns")
    )
    late = pl.col("rank") == straggler(path, warmup)
    return compute.filter(late)["spent"].mean() / compute.filter(~late)["spent"].mean()


def cost_rank_s(path: str, warmup: int) -> float:
    entries = measured(path, warmup, "collective")
    last = pl.col("start_ns").max().over("iteration")
    return entries.select((last - pl.col("start_ns")).sum()).item() / 1e9
