"""Solution of lab 8: both runs, and what their tables say."""

from pathlib import Path

import polars as pl
import yaml

import longhaul as lh

base = lh.Topology.load("triangle.yaml")
alone, protected = (
    lh.run(base.set("routing.protection", one)) for one in ("none", "fast-failover")
)


def probes(run: lh.Run) -> pl.DataFrame:
    return run.table("probes").filter(pl.col("direction") == "forward").collect().sort("sent_ns")


seen = probes(protected).drop_nulls().with_columns(delay=pl.col("received_ns") - pl.col("sent_ns"))
cut_ns = protected.training.timeline[0].spans_s[0][0] * 1e9
direct = seen.filter((pl.col("delay") < 1.9 * pl.col("delay").min()) & (pl.col("sent_ns") > cut_ns))
answers = {
    "lost-unprotected": probes(alone)["received_ns"].null_count(),
    "lost-protected": probes(protected)["received_ns"].null_count(),
    "iterations-touched": len(protected.training.timeline[0].touched),
    "back-ms": direct["sent_ns"].min() / 1e6,
}
Path("answers.yaml").write_text(yaml.safe_dump(answers))
