"""What studies cost: `python -m bench.studies [POINTS [JOBS]]`.

First CPU seconds of a forecast of `colossus`, from its files to its time, among many and alone. Then points of
`two-hosts` in the fabric, one by one and as a study on so many CPUs: the study's wall time over the sum of the single
runs divided by the CPUs (1 is all that can be had).
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import time
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
set: {{workload.iterations: 1, workload.warmup: 0, workload.batch.tokens: 64Ki}}
vary: {{links.*.distance: {{range: [10mi, 1000mi], steps: {points}}}}}
measure: [iterations.p50_s]
keep: none
"""
MANY, ALONE = 500, 10


def in_fabric(points: int, jobs: int) -> None:
    """Single runs, then the same as a study."""
    with tempfile.TemporaryDirectory() as scratch, chdir(scratch):
        file = Path(scratch) / "cost.yaml"
        text = STUDY.format(
            topology=TOPOLOGIES / "two-hosts.yaml", workload=TRAINING, points=points
        )
        file.write_text(text)
        study = lh.study(file)
        began = time.perf_counter()
        singly = study.run(jobs=1, out=Path(scratch) / "singly")
        single_s = time.perf_counter() - began
        digests = singly.results["digest"].to_list()
        shutil.rmtree("runs")
        began = time.perf_counter()
        again = study.run(jobs=jobs, out=Path(scratch) / "together")
        wall_s = time.perf_counter() - began
        assert again.results["digest"].to_list() == digests, "the same runs, the same answers"
    ratio = wall_s / (single_s / jobs)
    print(
        f"{points} points one by one {single_s:.1f} s; {jobs} at a time {wall_s:.1f} s: {ratio:.2f} of the least"
    )


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


def main(points: str = "20", jobs: str = "2") -> None:
    """Both."""
    by_the_model()
    in_fabric(int(points), int(jobs))


if __name__ == "__main__":
    main(*sys.argv[1:3])
