"""What agents have written down, as a table in the whole plan's ranks."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from analysis.tables import SCHEMA
from traffic.host.agent import FIELDS, KINDS
from traffic.kind import Placed, Tables
from traffic.rows import read_rows

ADAPTERS = {
    "sent_packets": "sent_pkts",
    "received_packets": "rcvd_pkts",
    "retransmissions": "completer_retry_err",
    "naks_received": "rcvd_seq_err",
    "naks_sent": "out_of_seq_request",
    "duplicates": "duplicate_request",
    "not_ready_sent": "send_rnr_err",
    "not_ready_received": "rcvd_rnr_err",
    "marked_packets": "np_ecn_marked_roce_packets",
    "cnps_sent": "np_cnp_sent",
    "cnps_received": "rp_cnp_handled",
    "paused_ns": "held_up_ns",
}
"""The columns of the table `adapters`, and the device's hardware counters behind them (the last is its port's), from
the workload's start to its end: `retransmissions` are goings back to the first unacknowledged packet, for a NAK or a
timeout."""
PAIRS = {
    "sent": "sent_packets",
    "went_back": "retransmissions",
    "naks": "naks_received",
    "timeouts": "timeouts",
    "cnps": "cnps_received",
}
"""What the kernel counts of a queue pair, and the columns of the table `queue_pairs`."""
TIMES = ("ready_ns", "start_ns", "end_ns")


def read_events(placed: Placed, folder: Path, start_ns: int) -> pl.DataFrame:
    """The events in `folder/<host>` of every host, times from `start_ns`."""
    everywhere = pl.Series([*placed.ranks, -1])  # peer −1 is nobody
    found = pl.concat(
        read_rows(folder / host.name, FIELDS).with_columns(rank=pl.lit(rank, pl.Int64))
        for host, rank in zip(placed.plan.hosts, placed.ranks, strict=True)
    )
    peers = pl.when(pl.col("peer") < 0).then(len(placed.ranks)).otherwise("peer")
    found = found.with_columns(
        *(pl.col(name) - start_ns for name in TIMES),
        peer=everywhere.gather(found.select(peers).to_series()),
        kind=pl.Series(KINDS).gather(found["kind"]),
    )
    return found.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())


def read_adapters(placed: Placed, folder: Path) -> Tables:
    """What the hosts' adapters have counted during a workload, a row per rank; no table where it had none."""
    if placed.workload.transport.kind != "roce":
        return {}
    rows = []
    for host, rank in zip(placed.plan.hosts, placed.ranks, strict=True):
        counted = json.loads((folder / f"{host.name}.adapter").read_text())
        named = {column: counted[name] for column, name in ADAPTERS.items()}
        rows.append({"workload": placed.workload.name, "rank": rank, "host": host.name} | named)
    schema = {"workload": pl.String, "rank": pl.Int32, "host": pl.String}
    found = pl.DataFrame(rows, schema=schema | dict.fromkeys(ADAPTERS, pl.Int64))
    return {"adapters": found, "queue_pairs": _read_pairs(placed, folder)}


def _read_pairs(placed: Placed, folder: Path) -> pl.DataFrame:
    """What became of the packets of each ordered pair of ranks, and channel."""
    ranks = dict(zip((host.ip for host in placed.plan.hosts), placed.ranks, strict=True))
    rows = [
        (placed.workload.name, rank, ranks[peer], channel, *(met[name] for name in PAIRS))
        for host, rank in zip(placed.plan.hosts, placed.ranks, strict=True)
        for peer, channel, met in json.loads((folder / f"{host.name}.pairs").read_text())
        if met
    ]
    names = {"workload": pl.String, "rank": pl.Int32, "peer": pl.Int32, "channel": pl.Int32}
    schema = names | dict.fromkeys(PAIRS.values(), pl.Int64)
    return pl.DataFrame(rows, schema=schema, orient="row")
