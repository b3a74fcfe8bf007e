"""A ring all-reduce by longhaul next to PyTorch's (Gloo, unmodified) on the same fabric, in virtual time.

    LONGHAUL_TORCH_PYTHON=venv/bin/python python -m bench.gloo [TOPOLOGY] [--sizes 4M,64M]

Sizes are as carried. Times are from the last rank's entry to the last rank's end, medians over the iterations
after the first; so both sides and the model mean the same.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import polars as pl
from rich.console import Console
from rich.table import Table

from analysis.findings.benchmark import rows
from bench.guests import PATIENCE_S, SEED, BenchError, exec_job, heard
from longhaul.planning import make_plan
from longhaul.runs.benchmark import read
from longhaul.runs.life import Request, collect, make_job, prepare
from longhaul.verbs.bench import sizes
from scenario.loading import load_topology
from scenario.plan.types import Plan
from scenario.types.topology import Collective
from traffic.benchmark import Benchmark, carried

TOPOLOGY = Path(__file__).parents[1] / "tests" / "run" / "ring-three-campuses.yaml"
PROGRAM = Path(__file__).with_name("gloo_ring.py")
SIZES = "1MB,16MB"
ITERATIONS = 3
REPLAYING = "bench.replaying"


@dataclass(frozen=True)
class Ours:
    """What longhaul's ring takes, and what the model says of it, seconds."""

    time_s: float
    predicted_s: float


def main() -> int:
    """Measure and print; 1 if something could not be measured."""
    words = parser().parse_args()
    plan = make_plan(load_topology(words.topology, ()))
    table = Table("carried bytes", "longhaul, ms", "Gloo, ms", "Gloo ÷ longhaul", "model, ms")
    try:
        for wanted in words.sizes:
            size = carried(plan, wanted * plan.scale_bytes)
            mine, theirs = ours(words.topology, size * plan.scale_bytes), gloo_s(plan, size)
            cells = (f"{x * 1e3:.3f}" for x in (mine.time_s, theirs))
            table.add_row(
                f"{size:,}", *cells, f"{theirs / mine.time_s:.3f}", f"{mine.predicted_s * 1e3:.3f}"
            )
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    Console(highlight=False).print(table)
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(description="longhaul's ring next to PyTorch's Gloo.")
    made.add_argument("topology", type=Path, nargs="?", default=TOPOLOGY)
    made.add_argument("--sizes", type=sizes, default=SIZES, help=f"as carried (default {SIZES})")
    return made


def ours(topology: Path, real_bytes: float) -> Ours:
    """A ring as `longhaul bench` measures it. Raises BenchError."""
    wanted = Benchmark(
        name="bench",
        source="",
        algorithms=("ring",),
        sizes_bytes=(real_bytes,),
        iterations=ITERATIONS,
        warmup=1,
        collective=Collective(),
    )
    request = Request(
        topology=topology, workloads=(), overrides=(), seed=SEED, time="virtual", machine="uml", out=None,
        cpu=None, patience_s=PATIENCE_S, command=("bench",),
    )  # fmt: skip
    inputs = read(request, wanted)
    with tempfile.TemporaryDirectory(prefix="longhaul-bench-") as name:
        run = Path(name)
        prepare(run, inputs)
        with closing(heard(run, inputs.plan, make_job(request, inputs), REPLAYING)) as progress:
            for _ in progress:
                pass
        collect(run, inputs)
        about = inputs.prepared[0].about | {"ranks": inputs.placed[0].ranks}
        (row,) = rows(about, pl.read_parquet(run / "events.parquet"), None)
    return Ours(row.p50_s, row.predicted_s)


def gloo_s(plan: Plan, size_bytes: int) -> float:
    """Seconds that PyTorch's all-reduce takes. Raises BenchError."""
    python = os.environ.get("LONGHAUL_TORCH_PYTHON", sys.executable)
    argv = [python, str(PROGRAM), str(size_bytes), str(ITERATIONS + 1)]
    starts, ends = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
    said: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="longhaul-bench-") as folder,
        closing(heard(Path(folder), plan, exec_job(plan, argv, "*"))) as progress,
    ):
        for _, message in progress:
            said += [message["line"]] if "line" in message else []
    for words in (line.split() for line in said):
        if words[:1] == ["iteration"]:
            starts[int(words[1])].append(int(words[2]))
            ends[int(words[1])].append(int(words[3]))
    if [len(starts[n]) for n in range(ITERATIONS + 1)] != [len(plan.hosts)] * (ITERATIONS + 1):
        raise BenchError("Gloo did not do its sums:\n" + "\n".join(said[-8:]))
    return median((max(ends[n]) - max(starts[n])) / 1e9 for n in range(1, ITERATIONS + 1))


if __name__ == "__main__":
    sys.exit(main())
