"""What gateways and replicas have noted, as two tables: a row per request, and a row per token."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from scenario.plan.types import PlannedHost
from traffic.kind import Placed, Tables
from traffic.rows import read_rows
from traffic.serving.line import (
    ARRIVED,
    BEGUN,
    FIELDS,
    GOT,
    PRODUCED,
    READ,
    RECEIVED,
    SENT,
)

REQUESTS = {
    "workload": pl.String,
    "request": pl.Int32,
    "client": pl.String,
    "rank": pl.Int32,
    "answerer": pl.Int32,
    "prompt_tokens": pl.Int32,
    "output_tokens": pl.Int32,
    "arrival_ns": pl.Int64,
    "sent_ns": pl.Int64,
    "received_ns": pl.Int64,
    "begun_ns": pl.Int64,
    "read_ns": pl.Int64,
    "produced_ns": pl.Int64,
    "first_ns": pl.Int64,
    "finished_ns": pl.Int64,
    "last_ns": pl.Int64,
}
TOKENS = {
    "workload": pl.String,
    "request": pl.Int32,
    "token": pl.Int32,
    "produced_ns": pl.Int64,
    "got_ns": pl.Int64,
}


def read_logs(
    placed: Placed, clients: Sequence[PlannedHost], folder: Path, start_ns: int
) -> Tables:
    """The logs in `folder/<host>`, times from `start_ns`, ranks those of the whole plan."""
    hosts = {host.name: host for host in (*placed.plan.hosts, *clients)}
    noted = pl.concat(_read(folder / name, name) for name in hosts)
    noted = noted.with_columns(at_ns=pl.col("at_ns") - start_ns)
    tokens = _tokens(noted)
    everywhere = pl.Series("rank", placed.ranks, dtype=pl.Int32)
    ranks = {host.name: everywhere[host.rank] for host in placed.plan.hosts}
    requests = _requests(noted, tokens).with_columns(
        rank=pl.col("rank").map_elements(lambda own: everywhere[own], pl.Int32),
        answerer=pl.col("answerer").replace_strict(ranks, return_dtype=pl.Int32),
    )
    name = placed.workload.name
    return {"requests": _typed(requests, REQUESTS, name), "tokens": _typed(tokens, TOKENS, name)}


def _typed(found: pl.DataFrame, schema: dict[str, Any], workload: str) -> pl.DataFrame:
    named = found.with_columns(workload=pl.lit(workload))
    return named.select(pl.col(name).cast(kind) for name, kind in schema.items())


def _read(path: Path, name: str) -> pl.DataFrame:
    return read_rows(path, FIELDS).with_columns(client=pl.lit(name))


def _tokens(noted: pl.DataFrame) -> pl.DataFrame:
    return _of(noted, PRODUCED, at_ns="produced_ns", value="token").join(
        _of(noted, GOT, at_ns="got_ns", value="token"),
        on=["request", "token"],
    ).sort("request", "token")  # fmt: skip


def _requests(noted: pl.DataFrame, tokens: pl.DataFrame) -> pl.DataFrame:
    whole = tokens.group_by("request").agg(
        output_tokens=pl.len(),
        produced_ns=pl.col("produced_ns").min(),
        first_ns=pl.col("got_ns").min(),
        finished_ns=pl.col("produced_ns").max(),
        last_ns=pl.col("got_ns").max(),
    )
    found = _of(noted, ARRIVED, at_ns="arrival_ns", value="prompt_tokens", client="client")
    first = noted.filter((pl.col("what") == PRODUCED) & (pl.col("value") == 0))
    for part in (
        _of(noted, SENT, at_ns="sent_ns", value="rank"),
        _of(noted, RECEIVED, at_ns="received_ns"),
        _of(noted, BEGUN, at_ns="begun_ns"),
        _of(noted, READ, at_ns="read_ns"),
        _of(first, PRODUCED, client="answerer"),
        whole,
    ):
        found = found.join(part, on="request")
    return found.sort("request")


def _of(noted: pl.DataFrame, what: int, **named: str) -> pl.DataFrame:
    """The rows of one kind of note: the request, and the columns that are named."""
    columns = {name: column for column, name in named.items()}
    return noted.filter(pl.col("what") == what).select("request", **columns)
