"""Background load as a kind of workload: a program for either end, and what they counted as a table."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from scenario.plan import forwarding
from scenario.plan.types import Plan, PlannedHost
from scenario.types.background import Background, Pattern
from traffic.adapters import MOST, paths, roce_settings
from traffic.background.form import BIN_NS, FIELDS, UDP_HEADERS, ReceiverProgram, SenderProgram
from traffic.framing import Framing, framing
from traffic.host.transport import Settings
from traffic.kind import Assignment, Placed, Prepared, Tables
from traffic.model.wires import Wires
from traffic.rows import read_rows

MODELLED: tuple[str, ...] = (
    "background load is one paced stream of full packets per workload, not the flows of many users",
)
BACKGROUND = {
    "workload": pl.String,
    "side": pl.String,
    "begin_ns": pl.Int64,
    "bytes": pl.Int64,
}
"""The table `background`: payload bytes (as carried) that were `sent` and `received` within a millisecond, from
`begin_ns` after the start of the workloads on; bins without any are left out."""
FIRST_PORT, PORTS = 10_000, 20_000


def prepare(workload: Background, plan: Plan, seed: int) -> Prepared:
    """A program for either end. Raises ValueError where one is not there."""
    source, sink = (_place(workload, plan, name) for name in (workload.origin, workload.target))
    packets = _packets(workload, plan)
    rate_bps = workload.rate_bps / plan.scale_bytes
    there = forwarding.of(plan).walk(source, sink)
    frame_bits = 8 * packets.frame_bytes
    queues_s = sum(x.shape.limit_packets * frame_bits / x.shape.rate_bps for x in there[1:])
    grace_s = 2 * (queues_s + sum(end.shape.delay_s for end in there))
    port = FIRST_PORT + zlib.crc32(workload.name.encode()) % PORTS
    transport = _transport(workload, plan, source, sink)
    sender = SenderProgram(
        address=sink.ip,
        port=port,
        transport=transport,
        payload_bytes=packets.payload_bytes,
        gap_ns=max(round(1e9 * frame_bits / rate_bps), 1),
        pattern=workload.pattern.kind,
        arguments=_arguments(workload.pattern, f"{seed}/{workload.name}"),
    )
    receiver = ReceiverProgram(port, transport, round(grace_s * 1e9))
    programs = {
        source.name: Assignment("traffic.background.sender", sender, follows=True),
        sink.name: Assignment("traffic.background.receiver", receiver, follows=True),
    }
    return Prepared(programs, _about(workload, packets.payload_share), grace_s)


def _packets(workload: Background, plan: Plan) -> Framing:
    if workload.protocol == "udp":
        return Framing(plan.frame_bytes - UDP_HEADERS, UDP_HEADERS, 0.0)
    return framing(plan, workload.transport)


def _transport(
    workload: Background, plan: Plan, source: PlannedHost, sink: PlannedHost
) -> Settings | None:
    """None for datagrams. Raises ValueError where an adapter is asked for and there is none."""
    if workload.protocol == "udp":
        return None
    if workload.transport.kind == "tcp":
        return Settings(unsent_bytes=_packets(workload, plan).payload_bytes)
    for end in (source, sink):
        if end.rank < 0:
            raise ValueError(
                f"{workload.name}: the border of {end.campus} has no adapter for RDMA: name hosts"
            )
    wires = Wires(plan, workload.transport)
    made = roce_settings(wires, workload.transport, MOST, discards=True)
    ways = paths(wires, source)
    return replace(made, path=ways[sink.rank] if ways else made.path)


def _place(workload: Background, plan: Plan, name: str) -> PlannedHost:
    """A host by its name, or the probe of a campus."""
    known = {probe.campus: probe for probe in plan.probes} | {h.name: h for h in plan.hosts}
    if name not in known:
        raise ValueError(
            f"{workload.name}: no campus with a long-haul link, and no host, is called {name};"
            f" there are {', '.join(known)}"
        )
    return known[name]


def _arguments(pattern: Pattern, seed: str) -> dict[str, Any]:
    if pattern.kind == "constant":
        return {}
    times = {"busy_s": pattern.busy_s, "idle_s": pattern.idle_s}
    return times | ({"shape": pattern.shape, "seed": seed} if pattern.kind == "pareto" else {})


def _about(workload: Background, payload_share: float) -> dict[str, Any]:
    """Rates are the real world's; `offered_bps` is the mean, of frames."""
    return {
        "from": workload.origin,
        "to": workload.target,
        "protocol": workload.protocol if workload.transport.kind == "tcp" else "roce",
        "pattern": workload.pattern.kind,
        "rate_bps": workload.rate_bps,
        "offered_bps": workload.rate_bps * workload.pattern.duty,
        "payload_share": payload_share,
    }


def collect(placed: Placed, folder: Path, start_ns: int) -> Tables:  # noqa: ARG001 (bins count from it)
    """The table `background`."""
    workload = placed.workload
    assert isinstance(workload, Background)
    ends = {"sent": workload.origin, "received": workload.target}
    found = pl.concat(
        read_rows(folder / _place(workload, placed.plan, name).name, FIELDS).with_columns(
            side=pl.lit(side)
        )
        for side, name in ends.items()
    )
    found = found.with_columns(workload=pl.lit(workload.name), begin_ns=pl.col("bin") * BIN_NS)
    return {
        "background": found.select(pl.col(name).cast(kind) for name, kind in BACKGROUND.items())
    }
