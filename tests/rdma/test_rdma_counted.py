"""What the report says of queue pairs and of pauses, from the tables of a run."""

import json
from pathlib import Path

import polars as pl

from analysis.findings.adapters import summarise
from analysis.findings.pauses import paused

COUNTED = (
    "sent_packets", "received_packets", "retransmissions", "naks_received", "naks_sent", "duplicates",
    "not_ready_sent", "not_ready_received", "marked_packets", "cnps_sent", "cnps_received",
)  # fmt: skip
SHAPE = {"limit_packets": 100, "loss": 0.0, "loss_correlation": 0.0}


def folder(path: Path) -> Path:
    """Two hosts on a switch: one queue pair went back, another waited out a timeout; a port was paused."""
    near, far = (
        {"interface": f"s-eth{number}", "node": "s", "port": number, "shape": SHAPE}
        for number in (1, 2)
    )
    host = {"interface": "h-eth0", "node": "h-1", "port": 0, "shape": SHAPE}
    hosts = [
        {"rank": rank, "name": f"h-{rank + 1}", "campus": "c", "leaf": "s", "accelerator": "H100"}
        for rank in (0, 1)
    ]
    campus = {
        "name": "c", "site": "", "kind": "single", "border": "s", "fabric_links": [], "hosts": hosts,
        "switches": [{"name": "s", "role": "border"}],
    }  # fmt: skip
    plan = {
        "name": "two", "description": "", "scale_bytes": 1.0, "mtu_bytes": 9000, "links": [], "ways": [],
        "workloads": [
            {"name": "w", "kind": "training", "ranks": [0, 1], "iterations": 1, "size_bytes": 1}
        ],
        "modelled": [], "campuses": [campus],
        "wires": [
            {"name": "h-1", "kind": "host", "a": host, "b": near},
            {"name": "h-2", "kind": "host", "a": host | {"node": "h-2"}, "b": far},
        ],
    }  # fmt: skip
    (path / "plan.json").write_text(json.dumps(plan))
    rows = [{"workload": "w", "rank": rank, "host": f"h-{rank + 1}"} for rank in (0, 1)]
    counted = dict.fromkeys(COUNTED, 3)
    held_up = ({"paused_ns": 250_000}, {"paused_ns": 0})
    rows = [row | counted | held for row, held in zip(rows, held_up, strict=True)]
    pl.DataFrame(rows).write_parquet(path / "adapters.parquet")
    names = ("workload", "rank", "peer", "channel", "sent_packets", "retransmissions", "naks_received",
             "timeouts", "cnps_received")  # fmt: skip
    pairs = [
        ("w", 0, 1, 0, 9, 4, 4, 0, 0),
        ("w", 1, 0, 0, 9, 1, 0, 1, 0),
        ("w", 0, 1, 1, 9, 0, 0, 0, 0),
    ]
    pl.DataFrame(pairs, schema=names, orient="row").write_parquet(path / "queue_pairs.parquet")
    samples = [(t, "host", name, t // 4 if name == "s-eth1" else 0)
               for t in (0, 1_000_000, 2_000_000) for name in ("s-eth1", "s-eth2")]  # fmt: skip
    schema = ("t_ns", "kind", "interface", "paused_ns")
    table = pl.DataFrame(samples, schema=schema, orient="row")
    rest = ("utilisation", "queue_packets", "drops", "marked")
    table.with_columns(pl.lit(0).alias(name) for name in rest).write_parquet(
        path / "telemetry.parquet"
    )
    return path


def test_queue_pairs_that_met_something_are_named_those_first_that_waited(tmp_path: Path) -> None:
    (one,) = summarise(folder(tmp_path))
    assert (one.timeouts, one.retransmissions) == (1, 6)
    assert [(pair.source, pair.sink, pair.channel) for pair in one.pairs] == [
        ("h-2", "h-1", 0),
        ("h-1", "h-2", 0),
    ]


def test_ports_that_were_paused_are_named_with_whom_they_wait_for(tmp_path: Path) -> None:
    port, adapter = paused(folder(tmp_path))
    assert (port.node, port.interface, port.towards) == ("s", "s-eth1", "h-1")
    assert (port.paused_s, port.share) == (0.0005, 0.25)
    assert (adapter.node, adapter.interface, adapter.towards) == ("h-1", "h-eth0", "s")
    assert (adapter.paused_s, adapter.share) == (0.00025, 0.125)


def test_without_tables_nothing_is_said(tmp_path: Path) -> None:
    assert (summarise(tmp_path), paused(tmp_path)) == ([], [])
