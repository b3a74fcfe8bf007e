"""Lanes of replicas for the report: when each had requests, on the axis of the network's tracks.

In: the requests of a run, and the folder's hosts. Out: a `Timeline`, as `analysis.pictures.lanes` has it of ranks.
"""

from __future__ import annotations

import polars as pl

from analysis.pictures.lanes import Mark, Timeline, packed
from analysis.run import Run

BUSY = ("has requests", "has three or more", "")
SEVERAL = 3


def service_timeline(requests: pl.DataFrame, run: Run) -> Timeline:
    """When each replica had any request under way, and when three or more: it has one from when it received it until
    it has made the last token; or until the prompt is read, where another answers."""
    begin_ns = int(requests["arrival_ns"].to_numpy().min())
    end_ns = int(requests["last_ns"].to_numpy().max())
    spans = _busy(requests)
    ranks = sorted(spans["rank"].unique())
    marked = spans.with_columns(mark=pl.lit(0))
    return Timeline(
        kinds=BUSY,
        lanes=tuple(run.ranks.filter(pl.col("rank").is_in(ranks)).drop("gpus").to_dicts()),
        packed=packed(marked, ranks, begin_ns),
        marks=(Mark("all", 0, (end_ns - begin_ns) // 1000, ""),),
        note="A replica has a request from when it received it until it made its last token.",
        begin_ns=begin_ns,
        end_ns=end_ns,
    )


def _busy(rows: pl.DataFrame) -> pl.DataFrame:
    """Stretches of each rank by how many requests it has: `kind` 0, or 1 where they are SEVERAL or more."""
    edges = pl.concat(
        rows.select(rank=host, at_ns=name, step=pl.lit(step, pl.Int32))
        for host, name, step in (
            ("rank", "received_ns", 1),
            ("rank", "read_ns", -1),
            ("answerer", "read_ns", 1),
            ("answerer", "finished_ns", -1),
        )
    )
    changes = edges.group_by("rank", "at_ns").agg(pl.col("step").sum()).sort("rank", "at_ns")
    stretches = changes.with_columns(
        under_way=pl.col("step").cum_sum().over("rank"),
        end_ns=pl.col("at_ns").shift(-1).over("rank"),
    ).filter(pl.col("under_way") > 0, pl.col("end_ns").is_not_null())
    return stretches.select(
        "rank",
        kind=(pl.col("under_way") >= SEVERAL).cast(pl.Int64),
        start_ns="at_ns",
        end_ns="end_ns",
    )
