"""The samples of switch ports as a table: `telemetry.parquet` of a run folder (docs/routing.md)."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from analysis.tables import read_table

from scenario.plan.types import Plan
from longhaul.inside.samples import FIELDS
from traffic.rows import read_rows

FILE = "telemetry.parquet"
COUNTED = ("tx_bytes", "tx_packets", "rx_bytes", "rx_packets", "drops", "marked", "paused_ns")
BUSIEST = 8


def table(raw: Path, plan: Plan) -> pl.DataFrame:
    """One row per sample and port. Counters are since the workload's start; `utilisation` is the share
    of its planned rate at which a port has sent since the sample before."""
    samples = read_rows(raw, FIELDS)
    since = [pl.col(name) - pl.col(name).first().over("index", order_by="t_ns") for name in COUNTED]
    sent_bits = 8 * pl.col("tx_bytes").diff().over("index", order_by="t_ns")
    elapsed_s = pl.col("t_ns").diff().over("index", order_by="t_ns") / 1e9
    return (
        samples.join(ports(plan), on="index")
        .with_columns(since)
        .with_columns(utilisation=(sent_bits / elapsed_s / pl.col("rate_bps")).fill_nan(None))
        .sort("t_ns", "index")
        .select("t_ns", "node", "port", "interface", "link", "kind", "towards", "rate_bps",
                *FIELDS[2:], "utilisation")
    )  # fmt: skip


def ports(plan: Plan) -> pl.DataFrame:
    """Every switch port of a plan, by the index of its interface."""
    return pl.DataFrame(
        [
            {
                "index": near.index, "node": near.node, "port": near.port,
                "interface": near.interface, "link": link.name, "kind": link.kind,
                "towards": far.node, "rate_bps": near.shape.rate_bps,
            }
            for link in plan.wires
            for near, far in (link.ends, link.ends[::-1])
            if near.port
        ],
        schema={
            "index": pl.Int64, "node": pl.String, "port": pl.Int32, "interface": pl.String,
            "link": pl.String, "kind": pl.String, "towards": pl.String, "rate_bps": pl.Float64,
        },
    )  # fmt: skip


def busiest(folder: Path) -> pl.DataFrame:
    """The ports of a run that were busiest on the whole, for `longhaul inspect`: bytes and packets
    sent, drops, the longest queue, and utilisation in the mean and at its highest."""
    needed = ("interface", "link", "kind", "towards", "t_ns", "rate_bps", "utilisation")
    samples = read_table(folder / FILE, *needed, "tx_bytes", "tx_packets", "drops", "queue_packets")
    seconds = pl.col("t_ns").max() / 1e9
    mean = 8 * pl.col("tx_bytes").max() / seconds / pl.col("rate_bps").first()
    return (
        samples.group_by("interface", "link", "kind", "towards")
        .agg(
            pl.col("tx_bytes", "tx_packets", "drops").max(),
            pl.col("queue_packets").max(),
            mean_utilisation=mean,
            peak_utilisation=pl.col("utilisation").max(),
        )
        .sort("mean_utilisation", "interface", descending=[True, False])
        .head(BUSIEST)
    )
