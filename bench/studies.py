"""What studies cost: `python -m bench.studies [POINTS [JOBS]]`.

First CPU seconds of a forecast of `colossus`, from its files to its time, among many and alone. Then points of
`two-hosts` in the fabric, in rounds: some by `longhaul run`, one by one, then as a study on so many CPUs. The ratio is
the study's wall time for a point, times the CPUs, over that of a single run (1 is all that can be had; a guest that
carried several points could have less). Rounds are interleaved so that whatever else the machine does falls on both.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import chdir
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
ROUND, SINGLY = 10, 2
MILE_M = 1609.344
SHORT = ("iterations=1", "warmup=0", "batch.tokens=64Ki")
_ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}


def in_fabric(points: int, jobs: int) -> None:
    """Rounds of single runs and of a study, and the median of the rounds' ratios."""
    miles = [10 + 990 * index / points for index in range(points)]
    ratios = []
    with tempfile.TemporaryDirectory() as scratch, chdir(scratch):
        for first in range(0, points, ROUND):
            own = miles[first : first + ROUND]
            single_s, digests = _singly(own[:SINGLY])
            study_s, found = _as_study(own, jobs)
            assert [found[mile] for mile in own[:SINGLY]] == digests, (
                "the same runs, the same answers"
            )
            ratios.append(study_s * jobs / single_s)
            print(
                f"a single run {single_s:.2f} s; of a study {study_s:.2f} s: {ratios[-1]:.2f}",
                flush=True,
            )
    middle = statistics.median(ratios)
    print(
        f"{points} points, {jobs} at a time: {middle:.2f} of single runs over CPUs ({len(ratios)} rounds)"
    )


def _singly(miles: Sequence[float]) -> tuple[float, list[str]]:
    """Seconds of a run by itself, and what came of each."""
    began, found = time.perf_counter(), []
    for mile in miles:
        out = Path("single")
        settings = [
            f"--set=links.c1-c2.distance={mile}mi",
            *(f"--set-workload={one}" for one in SHORT),
        ]
        command = [
            sys.executable,
            "-m",
            "longhaul",
            "run",
            str(TOPOLOGIES / "two-hosts.yaml"),
            "--out",
            str(out),
        ]
        subprocess.run(
            [*command, "--quiet", *settings],
            check=True,
            stdout=subprocess.DEVNULL,
            env=_ENVIRONMENT,
        )
        found.append(str(lh.Run.load(out).summary.digest))
        shutil.rmtree(out)
    return (time.perf_counter() - began) / len(miles), found


def _as_study(miles: Sequence[float], jobs: int) -> tuple[float, dict[float, str]]:
    """Seconds of a point of a study, and what came of each."""
    file = Path("cost.yaml")
    listed = ", ".join(f"{mile}mi" for mile in miles)
    text = STUDY.format(
        topology=TOPOLOGIES / "two-hosts.yaml",
        workload=TRAINING,
        short=", ".join("workload." + one.replace("=", ": ") for one in SHORT),
        miles=listed,
    )
    file.write_text(text)
    began = time.perf_counter()
    rows = lh.study(file).run(jobs=jobs).results
    took_s = (time.perf_counter() - began) / len(miles)
    found = {
        round(metres / MILE_M, 6): digest
        for metres, digest in rows.select("links.*.distance", "digest").rows()
    }
    return took_s, {mile: found[round(mile, 6)] for mile in miles}


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
    workload = load_workload(TRAINING)
    assert isinstance(workload, Training)
    began = time.process_time()
    for texts in settings[:ALONE]:
        for cycle in cycles(
            workload, make_plan(load_topology(TOPOLOGIES / "colossus.yaml", texts))
        ):
            duration_s(cycle)
    alone_s = (time.process_time() - began) / ALONE
    whole_s = 5000 * together_s / 2
    print(
        f"a forecast of colossus: {1e3 * together_s:.1f} ms of CPU among {MANY}, {1e3 * alone_s:.0f} ms alone; "
        f"5,000 on 2 cores: {whole_s:.0f} s"
    )


def main(points: str = "200", jobs: str = "2") -> None:
    """Both."""
    by_the_model()
    in_fabric(int(points), int(jobs))


if __name__ == "__main__":
    main(*sys.argv[1:3])
