"""What studies cost: `python -m bench.studies [POINTS [JOBS]]`; with 0 points forecasts alone.

First CPU seconds of a forecast of `colossus`, from its files to its time, among many, alone, and where connections
compete for wires. Then points of
`two-hosts` in the fabric, in rounds: some by `longhaul run`, one by one, then as a study on so many CPUs. The ratio is
the study's wall time for a point, times the CPUs, over that of a single run (1 is all that can be had; a guest that
carried several points could have less). Rounds are interleaved so that whatever else the machine does falls on both;
the ratio of the CPU seconds of both hangs less on that. Every run by itself has the digest of the study's.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path

import longhaul as lh
from longhaul.planning import make_plan
from longhaul.studies.forecasting import Forecasts, forecasts
from longhaul.studies.luggage import Luggage
from scenario.loading import load_topology, load_workload
from scenario.types.topology import Training
from traffic.model.forecast import duration_s
from traffic.training.kind import cycles

ROOT = Path(__file__).parents[1]
TOPOLOGIES = ROOT / "topologies"
TRAINING = ROOT / "traffic" / "workloads" / "training.yaml"
STUDY = """\
longhaul: 1
kind: study
name: cost
topology: {topology}
workload: {workload}
set: {{{short}}}
vary: {{links.*.distance: [{miles}]}}
measure: [iterations.p50_s]
keep: none
"""
MANY, ALONE = 500, 10
COMPETING = ("collective.algorithm=hierarchical",)
ROUND, SINGLY = 50, 10
MILE_M = 1609.344
SHORT = ("iterations=1", "warmup=0", "batch.tokens=64Ki")
_ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}


@dataclass(frozen=True)
class RunCost:
    """Of a run, on average: seconds by the clock, and of CPU, those of all its processes."""

    wall_s: float
    cpu_s: float

    def __str__(self) -> str:
        return f"{self.wall_s:.2f} s ({self.cpu_s:.2f} s of CPU)"


@contextmanager
def _measured(runs: int) -> Iterator[list[RunCost]]:
    """A list that has the cost of a run in it once the block, which makes so many of them, is done."""
    found: list[RunCost] = []
    wall_s, cpu_s = time.perf_counter(), _cpu_s()
    yield found
    found.append(RunCost((time.perf_counter() - wall_s) / runs, (_cpu_s() - cpu_s) / runs))


def _cpu_s() -> float:
    """Of this process and of all that it has waited for."""
    every = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in every)


def in_fabric(points: int, jobs: int) -> None:
    """Rounds of single runs and of a study, and the median of the rounds' ratios."""
    miles = [10 + 990 * index / points for index in range(points)]
    by_wall, by_cpu = [], []
    with tempfile.TemporaryDirectory() as scratch, chdir(scratch):
        for first in range(0, points, ROUND):
            own = miles[first : first + ROUND]
            alone, digests = _singly(own[:SINGLY])
            among, found = _as_study(own, jobs)
            assert [found[mile] for mile in own[:SINGLY]] == digests, "equal runs, equal events"
            by_wall.append(among.wall_s * jobs / alone.wall_s)
            by_cpu.append(among.cpu_s / alone.cpu_s)
            print(f"a single run {alone}; of a study {among}: {by_wall[-1]:.2f}", flush=True)
    wall, cpu = statistics.median(by_wall), statistics.median(by_cpu)
    print(
        f"{points} points, {jobs} at a time: {wall:.2f} of single runs over CPUs, {cpu:.2f} of their CPU "
        f"({len(by_wall)} rounds)"
    )


def _singly(miles: Sequence[float]) -> tuple[RunCost, list[str]]:
    """What a run by itself costs, and what came of each."""
    found = []
    with _measured(len(miles)) as cost:
        for mile in miles:
            out = Path("single")
            settings = [
                f"--set=links.c1-c2.distance={mile}mi",
                *(f"--set-workload={one}" for one in SHORT),
            ]
            file = str(TOPOLOGIES / "two-hosts.yaml")
            command = [sys.executable, "-m", "longhaul", "run", file, "--out", str(out), "--quiet"]
            subprocess.run(
                [*command, *settings], check=True, stdout=subprocess.DEVNULL, env=_ENVIRONMENT
            )
            found.append(str(lh.Run.load(out).summary.digest))
            shutil.rmtree(out)
    return cost[0], found


def _as_study(miles: Sequence[float], jobs: int) -> tuple[RunCost, dict[float, str]]:
    """What a point of a study costs, and what came of each."""
    file = Path("cost.yaml")
    listed = ", ".join(f"{mile}mi" for mile in miles)
    text = STUDY.format(
        topology=TOPOLOGIES / "two-hosts.yaml",
        workload=TRAINING,
        short=", ".join("workload." + one.replace("=", ": ") for one in SHORT),
        miles=listed,
    )
    file.write_text(text)
    with _measured(len(miles)) as cost:
        rows = lh.study(file).run(jobs=jobs).results
    found = {
        round(metres / MILE_M, 6): digest
        for metres, digest in rows.select("links.*.distance", "digest").rows()
    }
    return cost[0], {mile: found[round(mile, 6)] for mile in miles}


def by_the_model() -> None:
    """CPU seconds a forecast takes, among many and alone."""
    chance = random.Random(1)
    settings = tuple(
        (
            f"links.c1-c2.age={chance.uniform(0, 25):.3f}y",
            f"links.c1-c3.distance={chance.uniform(10, 1000):.2f}mi",
            f"accelerators.H100.mfu={chance.uniform(0.3, 0.5):.4f}",
        )
        for _ in range(MANY)
    )
    files = Luggage.of(TOPOLOGIES / "colossus.yaml", TRAINING, travels=False)
    began = time.process_time()
    found = forecasts(Forecasts(files, settings))
    together_s = (time.process_time() - began) / MANY
    assert all(one.reason is None for one in found)
    alone_s, competing_s = (_forecast_s(settings[:ALONE], one) for one in ((), COMPETING))
    whole_s = 5000 * together_s / 2
    print(
        f"a forecast of colossus: {1e3 * together_s:.1f} ms of CPU among {MANY}, {1e3 * alone_s:.0f} ms alone, "
        f"{competing_s / alone_s:.1f} times that with {COMPETING[0]}; 5,000 on 2 cores: {whole_s:.0f} s"
    )


def _forecast_s(settings: Sequence[tuple[str, ...]], changed: tuple[str, ...]) -> float:
    """CPU seconds of a forecast by itself, with some of the workload's settings changed."""
    workload = load_workload(TRAINING, changed)
    assert isinstance(workload, Training)
    began = time.process_time()
    for texts in settings:
        for cycle in cycles(
            workload, make_plan(load_topology(TOPOLOGIES / "colossus.yaml", texts))
        ):
            duration_s(cycle)
    return (time.process_time() - began) / len(settings)


def main(points: str = "200", jobs: str = "2") -> None:
    """Both."""
    by_the_model()
    if int(points):
        in_fabric(int(points), int(jobs))


if __name__ == "__main__":
    main(*sys.argv[1:3])
