"""Synthetic run folders from a max-plus model of a ring all-reduce, for tests and for the eye.

`python tests/analysis/make_run.py OUT` writes one. In: a `Scenario`. Out: a complete run folder.
The model: a message starts when its sender has what it sends and has sent the one before; it takes
bytes/rate on its link and then the link's delay. No congestion, no TCP.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from analysis.findings.summary import write_summary
from analysis.form.summary import TrainingSummary
from analysis.tables import SCHEMA, write_events

COMPUTE_S = {"H100": 1.0, "H200": 1.0, "GB200": 0.42, "B200": 0.46}
_US = 1e-6
Column = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Link:
    """A long-haul link: one-way delay, carried rate in bytes/s, loss; both directions alike."""

    a: str
    b: str
    delay_s: float
    rate_Bps: float
    distance_m: float = 16093.44
    age_years: float = 15.0
    condition: str = "worn"
    loss: float = 0.0


@dataclass(frozen=True)
class Scenario:
    """What to make. `hosts`: campus -> accelerators in rank order; `slowdown`: rank -> factor.

    `dropped`: (from, to, second, packets) that the border of a campus drops there; None: no telemetry.
    `throttled`: (rank, iteration) -> factor; `held_up`: (rank, iteration) -> seconds that the first
    message of the rank to its neighbour is late; `happened`: rows of timeline.json. `detours`: links by pair of
    campuses whose traffic takes another way than the link between them.
    """

    name: str = "colossus"
    hosts: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {
            "memphis": ("H100",) * 4 + ("H200",) * 2 + ("GB200",) * 2,
            "whitehaven": ("GB200",) * 8,
            "southaven": ("GB200",) * 8,
        }
    )
    links: tuple[Link, ...] = (
        Link("memphis", "whitehaven", 78.8e-6, 5e6, 16093.44, 15, "waterlogged", 1e-4),
        Link("memphis", "southaven", 98.5e-6, 5e6, 20116.8, 12, "worn", 1e-6),
        Link("whitehaven", "southaven", 19.7e-6, 10e6, 4023.36, 1, "new", 0.0),
    )
    compute_s: dict[str, float] = field(default_factory=lambda: dict(COMPUTE_S))
    slowdown: dict[int, float] = field(default_factory=dict)
    size_bytes: int = 1_400_000
    scale: float = 10_000.0
    nic_Bps: float = 20e6
    host_delay_s: float = 5e-6
    iterations: int = 21
    warmup: int = 1
    jitter: float = 0.005
    seed: int = 42
    messages: bool = True
    faithful: bool = True
    leaves: int = 2
    throttled: dict[tuple[int, int], float] = field(default_factory=dict)
    held_up: dict[tuple[int, int], float] = field(default_factory=dict)
    happened: tuple[dict[str, Any], ...] = ()
    dropped: tuple[tuple[str, str, float, int], ...] | None = None
    detours: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)


def happened(
    name: str, begin_s: float, end_s: float | None, kind: str = "link-down", **targets: Any
) -> dict[str, Any]:
    """A row of timeline.json; `targets` are `links` and `hosts`."""
    return {
        "name": name,
        "kind": kind,
        "says": f"{name} happens",
        "begin_ns": round(begin_s * 1e9),
        "end_ns": None if end_s is None else round(end_s * 1e9),
        "targets": {"links": [], "hosts": []} | targets,
    }


def uniform(ranks: int = 4, **changes: Any) -> Scenario:
    """One campus of equal hosts, no jitter: whatever is found in it was planted by `changes`."""
    plain = Scenario(
        name="uniform", hosts={"home": ("GB200",) * ranks}, links=(), jitter=0.0, iterations=4
    )
    return replace(plain, **changes)


def make_run(path: Path, scenario: Scenario | None = None) -> Path:
    """Write a complete run folder of a scenario (by default three campuses, mixed hardware)."""
    made = scenario or Scenario()
    path.mkdir(parents=True, exist_ok=True)
    write_events(_columns(made), path / "events.parquet")
    for name, content in (
        ("manifest.json", _manifest(made)),
        ("fidelity.json", _fidelity(made)),
        ("plan.json", _plan(made)),
        ("timeline.json", list(made.happened)),
    ):
        (path / name).write_text(json.dumps(content, indent=1), encoding="utf-8")
    if made.dropped is not None:
        _telemetry(made).write_parquet(path / "telemetry.parquet")
    return path


def trained(path: Path) -> TrainingSummary:
    """The summary of a run folder, written there too."""
    found = write_summary(path)
    assert isinstance(found, TrainingSummary)
    return found


def _ring(made: Scenario) -> tuple[Column, Column, Column]:
    """Rate, delay and loss from each rank to the next."""
    campus = [name for name, hosts in made.hosts.items() for _ in hosts]
    links = {frozenset((link.a, link.b)): link for link in made.links}
    hops = list(zip(campus, campus[1:] + campus[:1], strict=True))
    inside = Link("", "", made.host_delay_s, made.nic_Bps)
    on = [links.get(frozenset(hop), inside) for hop in hops]
    return (
        np.array([link.rate_Bps for link in on]),
        np.array([link.delay_s for link in on]),
        np.array([link.loss for link in on]),
    )


def _columns(made: Scenario) -> dict[str, Column]:
    random = np.random.default_rng(made.seed)
    base = np.array([made.compute_s[gpu] for hosts in made.hosts.values() for gpu in hosts])
    base = base * [made.slowdown.get(rank, 1.0) for rank in range(len(base))]
    rows: list[tuple[Column, ...]] = []
    now = np.zeros(len(base), dtype=np.int64)
    for iteration in range(made.iterations):
        jitter = 1 + made.jitter * np.abs(random.standard_normal(len(base)))
        jitter = jitter * [made.throttled.get((rank, iteration), 1.0) for rank in range(len(base))]
        entered = now + np.round(base * jitter * 1e9).astype(np.int64)
        rows.append(_rows((iteration, 0, -1, "compute"), -1, 0, (now, now, entered)))
        ended, inside = _all_reduce(made, iteration, entered, random)
        where = (iteration, 1, -1, "collective")
        rows.append(_rows(where, -1, made.size_bytes, (entered, entered, ended)))
        rows += inside if made.messages else []
        now = ended
    columns = zip(*rows, strict=True)
    return {name: np.concatenate(column) for name, column in zip(SCHEMA, columns, strict=True)}


def _rows(
    where: tuple[int, int, int, str], peer: Any, size: int, times: tuple[Column, Column, Column]
) -> tuple[Column, ...]:
    """One event of every rank: `where` is iteration, task, op, kind; `times` ready, start, end."""
    ranks = len(times[0])
    fixed = [np.full(ranks, value) for value in where]
    peers = np.broadcast_to(np.asarray(peer), ranks)
    return (np.arange(ranks), *fixed, peers, np.full(ranks, size), *times)


def _all_reduce(
    made: Scenario, iteration: int, entered: Column, random: np.random.Generator
) -> tuple[Column, list[tuple[Column, ...]]]:
    """Replay a ring all-reduce; when each rank ended, and the send and recv events."""
    ranks = len(entered)
    rate, delay, loss = _ring(made)
    chunk = made.size_bytes // ranks
    wire = np.round(chunk / rate * 1e9).astype(np.int64)
    delay_ns = np.round(delay * 1e9).astype(np.int64)
    have, sent = entered, entered
    here = np.arange(ranks)
    events: list[tuple[Column, ...]] = []
    for step in range(2 * (ranks - 1)):
        start = np.maximum(have, sent)
        lost = random.random(ranks) < 1 - (1 - loss) ** max(1, chunk // 1448)
        sent = start + wire + lost * 3 * (delay_ns + 200_000)
        if step == 0:
            late_s = [made.held_up.get((int(rank), iteration), 0.0) for rank in here]
            sent = sent + np.round(np.array(late_s) * 1e9).astype(np.int64)
        first = np.maximum(np.roll(start + delay_ns, 1), have)
        arrived = np.maximum(np.roll(sent + delay_ns, 1), first)
        send, recv = (iteration, 1, 2 * step, "send"), (iteration, 1, 2 * step + 1, "recv")
        events.append(_rows(send, (here + 1) % ranks, chunk, (have, start, sent)))
        events.append(_rows(recv, (here - 1) % ranks, chunk, (have, first, arrived)))
        have = arrived
    return np.maximum(have, sent), events


def _manifest(made: Scenario) -> dict[str, Any]:
    return {
        "longhaul": "0.1",
        "name": made.name,
        "command": f"longhaul run topologies/{made.name}.yaml --seed {made.seed}",
        "overrides": [],
        "seed": made.seed,
        "time": "virtual",
        "machine": "uml",
        "kernel": "Linux 6.12.57",
        "inputs": {f"topologies/{made.name}.yaml": "5f3c" * 16},
        "phases_wall_s": {"plan": 0.1, "start": 3.2, "check": 2.1, "replay": 14.0, "collect": 0.8},
        "warmup": made.warmup,
    }


def _fidelity(made: Scenario) -> list[dict[str, Any]]:
    checks = []
    for link in made.links:
        name = f"{link.a}-{link.b}"
        off = 0.0003 if made.faithful else 0.073
        checks += [
            _check(name, "rtt", 2 * link.delay_s, 2 * link.delay_s * 1.0004, "s"),
            _check(name, "goodput", link.rate_Bps, link.rate_Bps * (1 - off), "Bps"),
        ]
        if link.loss:
            checks.append(
                {**_check(name, "loss", link.loss, link.loss * 1.02, "ratio"), "ok": True}
            )
    return checks or [_check("home", "rtt", 2e-5, 2e-5, "s")]


def _check(link: str, quantity: str, asked: float, measured: float, unit: str) -> dict[str, Any]:
    error = measured / asked - 1
    what = f"{link} {'RTT' if quantity == 'rtt' else quantity}"
    return {
        "what": what, "link": link, "quantity": quantity, "asked": asked, "measured": measured,
        "error": error, "unit": unit, "limit": 0.01, "ok": abs(error) <= 0.01,
    }  # fmt: skip


def _plan(made: Scenario) -> dict[str, Any]:
    rate, delay, _ = _ring(made)
    ranks = len(rate)
    chunk = made.size_bytes / ranks
    step = float(np.max(chunk / rate + delay))
    uniform_step = chunk / made.nic_Bps + made.host_delay_s
    compute = [made.compute_s[gpu] for hosts in made.hosts.values() for gpu in hosts]
    fastest = min(compute)
    return {
        "name": made.name,
        "description": "Three campuses near Memphis, one of them mixed",
        "scale_bytes": made.scale,
        "mtu_bytes": 1500,
        "campuses": _campuses(made),
        "links": [planned_link(link) for link in made.links],
        "ways": list(_ways(made)),
        "wires": _wires(made),
        "workloads": [{
            "name": "7b", "kind": "training", "ranks": list(range(ranks)),
            "parameters": made.size_bytes * made.scale / 2,
            "gradient_bytes": made.size_bytes * made.scale, "size_bytes": made.size_bytes,
            "iterations": made.iterations, "warmup": made.warmup, "algorithm": "ring",
            "op": "all_reduce",
            "compute_s": compute,
            "prediction": {
                "collective_s": 2 * (ranks - 1) * step,
                "textbook_s": 2 * (ranks - 1) * (float(np.max(delay)) + chunk / float(np.min(rate))),
                "ideal_iteration_s": fastest + 2 * (ranks - 1) * uniform_step if made.links else None,
            },
        }],
        "modelled": [
            "GPU compute is a sleep: 6 · parameters · tokens / (peak · MFU)",
            "NVLink inside a host is a formula",
            "the transport is the kernel's TCP; no RDMA",
        ],
    }  # fmt: skip


def _campuses(made: Scenario) -> list[dict[str, Any]]:
    campuses: list[dict[str, Any]] = []
    rank = 0
    for campus, gpus in made.hosts.items():
        leaves = [f"{campus}-leaf{i + 1}" for i in range(made.leaves)]
        spines = [f"{campus}-spine{i + 1}" for i in range(2)]
        border = f"{campus}-border"
        hosts = []
        for index, gpu in enumerate(gpus):
            hosts.append(
                {
                    "rank": rank, "name": f"{campus}-{index:02}", "campus": campus,
                    "leaf": leaves[index * made.leaves // len(gpus)],
                    "ip": f"10.{len(campuses)}.0.{index + 1}", "accelerator": gpu, "gpus": 8,
                    "nic_bps": made.nic_Bps * 8,
                }
            )  # fmt: skip
            rank += 1
        switches = [{"name": name, "role": "leaf"} for name in leaves]
        switches += [{"name": name, "role": "spine"} for name in spines]
        switches.append({"name": border, "role": "border"})
        wires = [(leaf, spine) for leaf in leaves for spine in spines]
        wires += [(spine, border) for spine in spines]
        campuses.append(
            {
                "name": campus, "site": campus.title(), "kind": "leaf-spine", "border": border,
                "switches": switches, "hosts": hosts,
                "fabric_links": [
                    {"a": a, "b": b, "rate_bps": made.nic_Bps * 8, "delay_s": _US} for a, b in wires
                ],
            }
        )  # fmt: skip
    return campuses


def _wires(made: Scenario) -> list[dict[str, Any]]:
    """The long-haul links alone, a port of a border at each end."""
    return [
        {
            "name": f"{link.a}-{link.b}",
            "kind": "long-haul",
            "a": _end(link.a, link.b, link),
            "b": _end(link.b, link.a, link),
        }
        for link in made.links
    ]


def _end(near: str, far: str, link: Link) -> dict[str, Any]:
    shape = {"limit_packets": 100, "loss": link.loss, "loss_correlation": 0.0}
    where = {"node": f"{near}-border", "interface": f"{near}-to-{far}", "port": 1}
    return {**where, "shape": {**shape, "rate_bps": link.rate_Bps * 8}}


def _telemetry(made: Scenario) -> pl.DataFrame:
    """Every long-haul port each 10 ms; what was dropped, from the sample after it on, and the queue full then."""
    last_s = max(float(one.max()) for one in [_columns(made)["end_ns"]]) * 1e-9
    step_ns = 10_000_000
    rows = []
    for wire in _wires(made):
        for near, far in ((wire["a"], wire["b"]), (wire["b"], wire["a"])):
            here, there = (end["node"].removesuffix("-border") for end in (near, far))
            gone = [one for one in made.dropped or () if one[:2] == (here, there)]
            for t_ns in range(0, round(last_s * 1e9) + step_ns, step_ns):
                new = [packets for *_, at, packets in gone if t_ns - step_ns < at * 1e9 <= t_ns]
                dropped = sum(packets for *_, at, packets in gone if at * 1e9 <= t_ns)
                row = {
                    "t_ns": t_ns, "node": near["node"], "port": 1, "interface": near["interface"],
                    "link": wire["name"], "kind": "long-haul", "towards": far["node"],
                    "rate_bps": near["shape"]["rate_bps"], "tx_bytes": t_ns // 1000,
                    "tx_packets": t_ns // 1_000_000, "rx_bytes": 0, "rx_packets": 0, "drops": dropped,
                    "queue_packets": 100 if new else 0, "queue_bytes": 0, "marked": 0, "paused_ns": 0,
                    "utilisation": None if not t_ns else 0.5,
                }  # fmt: skip
                rows.append(row)
    return pl.DataFrame(rows).sort("t_ns", "interface")


def _ways(made: Scenario) -> Iterator[dict[str, Any]]:
    for link in made.links:
        for pair in ((link.a, link.b), (link.b, link.a)):
            links = made.detours.get(pair, (f"{link.a}-{link.b}",))
            paths = [{"links": links, "share": 1.0}]
            yield {"source": pair[0], "sink": pair[1], "paths": paths, "dscp": None, "hosts": []}


def planned_link(link: Link) -> dict[str, Any]:
    """A link as `plan.json` has it."""
    direction = {
        "rate_bps": link.rate_Bps * 8, "delay_s": link.delay_s, "jitter_s": 0.0, "loss": link.loss,
        "loss_correlation": 0.0, "corruption": 0.0, "reorder": 0.0, "limit_packets": 100,
    }  # fmt: skip
    return {
        "name": f"{link.a}-{link.b}", "a": link.a, "b": link.b, "distance_m": link.distance_m,
        "age_s": link.age_years * 365.25 * 86400, "condition": link.condition,
        "forward": direction, "backward": direction, "packets_per_bdp": 3.4,
    }  # fmt: skip


if __name__ == "__main__":
    print(make_run(Path(sys.argv[1])))
