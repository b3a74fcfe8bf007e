"""A ring all-reduce replayed by longhaul, in virtual or real time; and iperf3 carrying the same bytes."""

from __future__ import annotations

import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from bench import iperf_ring
from bench.guests import PATIENCE_S, SEED, BenchError, exec_job, heard
from longhaul.emulation.fidelity import ECHO_FRAME_BYTES, directions
from longhaul.planning import make_plan
from longhaul.runs.life import Request, collect, make_job, prepare, read
from longhaul.runs.workloads import Chosen
from scenario.loading import load_topology
from scenario.plan.types import Plan
from traffic.host.program import CollectiveTask, Program

REPLAYING = "bench.replaying"


@dataclass(frozen=True)
class ReplayedRun:
    """One run. `collectives_s` are durations by iteration, from the last rank's entry to the last
    rank's end; `rtts_s` are echoes over one long-haul link; `bytes_by_rank` is what each
    rank sent in the iterations after the first; `wall_s_per_gb` their wall time per 1e9 payload bytes
    that all ranks sent."""

    collectives_s: tuple[float, ...]
    predicted_s: float
    rtts_s: tuple[float, ...]
    asked_rtt_s: float
    bytes_by_rank: int
    wall_s_per_gb: float


def replay(topology: Path, workload: Path, clock: str) -> ReplayedRun:
    """The ranks' programs as `longhaul run --time CLOCK` replays them. Raises BenchError."""
    rtts_s: tuple[float, ...] = ()
    ended_s: list[float] = []
    with tempfile.TemporaryDirectory(prefix="longhaul-bench-") as name:
        run, request = Path(name), _request(topology, workload, clock)
        inputs = read(request)
        prepare(run, inputs)
        with closing(heard(run, inputs.plan, make_job(request, inputs), REPLAYING)) as progress:
            for wall_s, message in progress:
                rtts_s = tuple(message.get("rtts_s", rtts_s))
                ended_s += [wall_s] if "iteration" in message else []
        collect(run, inputs)
        collectives_s = collective_times(run / "events.parquet")
    about = inputs.prepared[0].about
    first = next(iter(inputs.prepared[0].programs.values()))
    bytes_by_rank = _sent(first.program) * len(collectives_s)
    return ReplayedRun(
        collectives_s=collectives_s,
        predicted_s=about["prediction"]["collective_s"],
        rtts_s=rtts_s,
        asked_rtt_s=asked_rtt_s(inputs.plan),
        bytes_by_rank=bytes_by_rank,
        wall_s_per_gb=(ended_s[-1] - ended_s[0]) / (bytes_by_rank * len(inputs.plan.hosts)) * 1e9,
    )


def asked_rtt_s(plan: Plan) -> float:
    """What an echo over the first long-haul link should take, its own frames included."""
    way = next(directions(plan))
    return way.rtt_s + way.frames_s(ECHO_FRAME_BYTES)


def _sent(program: Program) -> int:
    """Bytes that a rank sends in an iteration."""
    collectives = (task for task in program.tasks if isinstance(task, CollectiveTask))
    return sum(op.size for task in collectives for op in task.ops if op.kind == "send")


def collective_times(events: Path) -> tuple[float, ...]:
    """Seconds by iteration, without the first (warm-up)."""
    ranks = pl.col("kind") == "collective"
    durations = (
        pl.read_parquet(events)
        .filter(ranks, pl.col("iteration") > 0)
        .group_by("iteration", maintain_order=True)
        .agg((pl.col("end_ns").max() - pl.col("start_ns").max()).alias("ns"))
    )
    return tuple(ns / 1e9 for ns in durations["ns"])


def _request(topology: Path, workload: Path, clock: str) -> Request:
    return Request(
        topology=topology,
        workloads=(Chosen(workload),),
        overrides=(),
        seed=SEED,
        time=clock,
        machine="uml",
        out=None,
        cpu=None,
        patience_s=PATIENCE_S,
        command=("bench",),
    )


def iperf_wall_s_per_gb(topology: Path, size_bytes: int) -> float:
    """Wall seconds per 1e9 bytes of iperf3 around the ring of all hosts, each sending `size_bytes`,
    in virtual time; what starting iperf3 costs is taken off. Raises BenchError."""
    plan = make_plan(load_topology(topology, ()))
    addresses = [host.ip for host in plan.hosts]
    argv = [sys.executable, iperf_ring.__file__, str(size_bytes), *addresses]
    small, warm, full = round_ends_s(plan, argv)
    wall_s = (full - warm) - (warm - small)
    return wall_s / (len(addresses) * size_bytes) * 1e9


def round_ends_s(plan: Plan, argv: list[str]) -> list[float]:
    """When, in wall seconds, the last host has ended each round."""
    ends: dict[str, float] = {}
    with (
        tempfile.TemporaryDirectory(prefix="longhaul-bench-") as folder,
        closing(heard(Path(folder), plan, exec_job(plan, argv, "*"))) as progress,
    ):
        for wall_s, message in progress:
            if message.get("status"):
                raise BenchError("iperf3 did not carry its bytes around the ring")
            if message.get("line", "").startswith("round "):
                ends[message["line"]] = wall_s
    return list(ends.values())
