"""What each rule of the switches has carried, as a table: `flows.parquet` of a run folder (docs/routing.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from analysis.tables import read_table

from scenario.plan.rules import GATEWAY_MAC, generation_of_cookie

FILE = "flows.parquet"
MOST_SHOWN = 8
SCHEMA = {
    "node": pl.String, "generation": pl.Int32, "priority": pl.Int32, "destination": pl.String,
    "label": pl.String, "dscp": pl.Int32, "match": pl.String, "actions": pl.String,
    "packets": pl.Int64, "bytes": pl.Int64,
}  # fmt: skip


def table(raw: Path) -> pl.DataFrame:
    """One row per rule that a switch held at the end, in the plan's order of switches."""
    rows = [_row(flow) for flow in json.loads(raw.read_text())]
    return pl.DataFrame(rows, schema=SCHEMA)


def _row(flow: dict[str, Any]) -> dict[str, Any]:
    fields = dict(part.partition("=")[::2] for part in flow["match"].split(","))
    mac, tos = fields.get("dl_dst"), fields.get("nw_tos")
    return {
        "node": flow["node"],
        "generation": generation_of_cookie(flow["cookie"]),
        "destination": fields.get("nw_dst"),
        "label": mac if mac != GATEWAY_MAC else None,
        "dscp": int(tos) >> 2 if tos else None,
    } | {name: flow[name] for name in ("priority", "match", "actions", "packets", "bytes")}


def busiest(folder: Path) -> pl.DataFrame:
    """The rules of a run that carried most, for `longhaul inspect`."""
    flows = read_table(folder / FILE, *SCHEMA).filter(pl.col("packets") > 0)
    order = ["bytes", "node", "priority", "match"]
    return flows.sort(order, descending=[True, False, True, False]).head(MOST_SHOWN)
