"""What TCP has sent again as a table: `retransmissions.parquet` of a run folder (docs/routing.md)."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import polars as pl

from longhaul.inside.samples import AGAIN_FIELDS
from scenario.plan.types import Plan
from traffic.rows import read_rows

FILE = "retransmissions.parquet"


def table(raw: Path, plan: Plan) -> pl.DataFrame:
    """One row for each time that a connection had sent anything again since it was asked before, at `since_ns`: by
    whom, to whom, how many packets; its congestion window (packets) and smoothed round trip at that moment."""
    names = [host.name for host in plan.hosts]
    owners = {int(IPv4Address(host.ip)): host.name for host in plan.hosts + plan.probes}
    return (
        read_rows(raw, AGAIN_FIELDS)
        .with_columns(
            host=pl.col("host").map_elements(names.__getitem__, return_dtype=pl.String),
            peer=pl.col("peer").map_elements(
                lambda address: owners.get(address, str(IPv4Address(address))),
                return_dtype=pl.String,
            ),
        )
        .select(
            "since_ns",
            "t_ns",
            "host",
            "port",
            "peer",
            "peer_port",
            packets=pl.col("again"),
            window_packets=pl.col("window"),
            round_trip_ns=1000 * pl.col("round_trip_us"),
        )
        .sort("t_ns", "host", "port", "peer", "peer_port")
    )
