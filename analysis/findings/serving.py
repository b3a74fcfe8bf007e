"""How well requests were served: time to first token, gaps between tokens, goodput, and what of it was
the network's.

In: a run folder with `requests.parquet` and `tokens.parquet`. Out: one `Served` per inference workload,
and its part of `summary.json`. Requests that arrive during the warm-up are left out. Latency counts
from a request's arrival, not from when it could be sent: nothing is omitted by coordination.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from analysis import units
from analysis.findings import adapters, background, oneway
from analysis.findings.headline import faithful, warning
from analysis.findings.pauses import paused
from analysis.findings.tail import tail
from analysis.form.parts import Tail
from analysis.form.serving import (
    FromCampus,
    Goodput,
    OnAccelerator,
    Parts,
    RequestsAtCampus,
    Service,
)
from analysis.form.summary import ServingSummary
from analysis.run import read_fidelity, read_manifest, read_plan, read_timeline
from analysis.tables import NS, read_table

Data = dict[str, Any]


@dataclass(frozen=True)
class Served:
    """One inference workload of a run. `requests` have a row each, with the campuses of client and
    replica, and their latencies in seconds; `gaps` a row per token but the first. `arrivals_s` is for
    how long requests came that count."""

    about: Data
    requests: pl.DataFrame
    gaps: pl.DataFrame
    arrivals_s: float

    @property
    def name(self) -> str:
        """The workload's name."""
        return str(self.about["name"])


def load_served(run_dir: Path) -> list[Served]:
    """The inference workloads of a run folder; none where requests were not part of it."""
    path = Path(run_dir) / "requests.parquet"
    if not path.is_file():
        return []
    plan = read_plan(run_dir)
    requests = _latencies(read_table(path), plan)
    tokens = read_table(Path(run_dir) / "tokens.parquet")
    abouts = [about for about in plan["workloads"] if about["kind"] == "inference"]
    return [_served(about, requests, tokens) for about in abouts]


def _served(about: Data, requests: pl.DataFrame, tokens: pl.DataFrame) -> Served:
    own = requests.filter(pl.col("workload") == about["name"])
    since_ns = round(about["warmup_s"] / NS)
    counted = own.filter(pl.col("arrival_ns") >= since_ns)
    of = counted.select("request", "client_campus", "campus", "accelerator")
    gaps = _gaps(tokens.filter(pl.col("workload") == about["name"])).join(of, on="request")
    last_ns = int(own["arrival_ns"].to_numpy().max())
    return Served(about, counted, gaps, max(last_ns - since_ns, 1) * NS)


def _latencies(requests: pl.DataFrame, plan: Data) -> pl.DataFrame:
    """The requests with places and latencies."""
    hosts = [host for campus in plan["campuses"] for host in campus["hosts"]]
    replicas = pl.DataFrame(
        [{key: host[key] for key in ("rank", "name", "campus", "accelerator")} for host in hosts],
        schema_overrides={"rank": pl.Int32},
    )
    where = {host["name"]: host["campus"] for host in [*hosts, *plan["probes"]]}
    first_s = (pl.col("first_ns") - pl.col("arrival_ns")) * NS
    whole_s = (pl.col("last_ns") - pl.col("arrival_ns")) * NS
    after_first_s = (pl.col("last_ns") - pl.col("first_ns")) * NS
    at_replica_s = (pl.col("produced_ns") - pl.col("received_ns")) * NS
    return requests.join(replicas, on="rank", how="left").with_columns(
        client_campus=pl.col("client").replace_strict(where),
        first_token_s=first_s,
        end_to_end_s=whole_s,
        per_token_s=after_first_s / (pl.col("output_tokens") - 1).clip(1),
        network_s=first_s - at_replica_s,
        queue_s=(pl.col("begun_ns") - pl.col("received_ns")) * NS,
        prefill_s=(pl.col("read_ns") - pl.col("begun_ns")) * NS,
        handover_s=(pl.col("produced_ns") - pl.col("read_ns")) * NS,
    )


def _gaps(tokens: pl.DataFrame) -> pl.DataFrame:
    """Seconds between a token and the one before: as the client saw it, and as the replica produced it."""
    ordered = tokens.sort("request", "token")
    gap_s, made_s = (pl.col(name).diff().over("request") * NS for name in ("got_ns", "produced_ns"))
    return ordered.select("request", gap_s=gap_s, made_s=made_s).drop_nulls()


def summarise(served: Served) -> Service:
    """The workload's part of `summary.json`."""
    requests = served.requests
    return Service(
        name=served.name,
        requests=requests.height,
        first_token=tail(requests["first_token_s"]),
        inter_token=_tail_of_any(served.gaps["gap_s"]),
        inter_token_made=_tail_of_any(served.gaps["made_s"]),
        end_to_end=tail(requests["end_to_end_s"]),
        parts=_parts(requests),
        network_share=_mean(requests["network_s"] + requests["handover_s"])
        / _mean(requests["first_token_s"]),
        output_tokens_per_s=int(requests["output_tokens"].sum()) / served.arrivals_s,
        goodput=goodput(served),
        by_client=[FromCampus(*one) for one in _groups(served, "client_campus")],
        by_campus=[RequestsAtCampus(*one) for one in _groups(served, "campus")],
        by_accelerator=[OnAccelerator(*one) for one in _groups(served, "accelerator")],
    )


def summarise_service(run_dir: Path) -> ServingSummary:
    """All of `summary.json` of a run in which nobody trains."""
    manifest, fidelity = read_manifest(run_dir), read_fidelity(run_dir)
    served = [summarise(one) for one in load_served(run_dir)]
    return ServingSummary(
        headline=warning(fidelity) + "; ".join(map(sentence, served)) + ".",
        name=manifest["name"],
        digest=digest(run_dir),
        seed=manifest["seed"],
        time=manifest["time"],
        machine=manifest["machine"],
        serving=served,
        happened=read_timeline(run_dir),
        fidelity=fidelity,
        faithful=faithful(fidelity),
        background=background.summarise(run_dir),
        probes=oneway.summarise(run_dir),
        adapters=adapters.summarise(run_dir),
        pauses=paused(run_dir),
    )


def sentence(found: Service) -> str:
    """What one workload's part of the summary says, in words."""
    first, gaps = found.first_token, found.inter_token
    network = f"{units.percent(found.network_share)} of it the network's"
    stream = f", then one every {units.time(gaps.p50_s)}" if gaps else ""
    return (
        f"{units.counted(found.requests, 'request')} of {found.name} got their first token after"
        f" {units.time(first.p50_s)} (p50; p99 {units.time(first.p99_s)}), {network}{stream};"
        f" {units.percent(found.goodput.share)} kept both objectives"
    )


def digest(run_dir: Path) -> str:
    """SHA-256 (hex) over all columns of requests and tokens, in turn, numbers little endian."""
    sha = hashlib.sha256()
    for name in ("requests", "tokens"):
        stored = read_table(Path(run_dir) / f"{name}.parquet").rechunk()
        for column in stored.iter_columns():
            if column.dtype == pl.String:
                sha.update("\0".join(column).encode())
            else:
                values = column.to_numpy()
                sha.update(values.astype(values.dtype.newbyteorder("<"), copy=False).data)
    return sha.hexdigest()


def goodput(served: Served) -> Goodput:
    """The share of requests, and how many per second, that kept both objectives: the first token's, and
    that of the mean gap after it. [Zhong et al., DistServe, OSDI 2024]"""
    objectives = served.about["objectives"]
    kept = served.requests.filter(
        (pl.col("first_token_s") <= objectives["first_token_s"])
        & (pl.col("per_token_s") <= objectives["token_s"])
    ).height
    share = kept / served.requests.height
    return Goodput(
        first_token_s=objectives["first_token_s"],
        token_s=objectives["token_s"],
        share=share,
        requests_per_s=kept / served.arrivals_s,
    )


def _groups(served: Served, key: str) -> list[tuple[int, Tail, Tail | None, Parts, str]]:
    """The same by `client_campus`, by the replica's `campus`, or by its `accelerator`: the fields of a group."""
    return [
        (
            own.height,
            tail(own["first_token_s"]),
            _tail_of_any(served.gaps.filter(pl.col(key) == name)["gap_s"]),
            _parts(own),
            name,
        )
        for name in served.requests[key].unique().sort()
        for own in [served.requests.filter(pl.col(key) == name)]
    ]


def _parts(requests: pl.DataFrame) -> Parts:
    """What the time to first token is made of, as it is summed up."""
    return Parts(
        network=_mean(requests["network_s"]),
        queue=_mean(requests["queue_s"]),
        prefill=_mean(requests["prefill_s"]),
        handover=_mean(requests["handover_s"]),
    )


def _tail_of_any(seconds: pl.Series) -> Tail | None:
    """The tail of latencies; None of none (answers of one token have no gaps)."""
    return tail(seconds) if len(seconds) else None


def _mean(seconds: pl.Series) -> float:
    return float(seconds.sum()) / len(seconds)
