"""Could a guest carry several points of a study? `python -m bench.warm` asks whether a warm one records the same.

`two-hosts` without loss and with 0.1 %: the same workload twice in one guest, and whether both recorded the same
events, to the nanosecond.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing
from pathlib import Path

import polars as pl

from bench.guests import heard
from longhaul.runs.life import Inputs, Request, collect, make_job, prepare, read
from longhaul.runs.workloads import Chosen

ROOT = Path(__file__).parents[1]
SHORT = ("iterations=3", "warmup=0", "batch.tokens=64Ki")
CASES: dict[str, tuple[str, ...]] = {
    "no loss": (),
    "0.1 % loss": ("links.c1-c2.loss=0.1%", "links.c1-c2.distance=100mi"),
}


def events(folder: Path, inputs: Inputs) -> pl.DataFrame:
    """What a run folder's raw rows come to."""
    collect(folder, inputs)
    return pl.read_parquet(folder / "events.parquet")


def differing(overrides: tuple[str, ...]) -> list[str]:
    """The columns of events in which the second time differs from the first."""
    request = Request(
        topology=ROOT / "topologies/two-hosts.yaml", workloads=(Chosen(ROOT / "traffic/workloads/training.yaml"),),
        overrides=overrides, seed=1, time="virtual", machine="uml", out=None, cpu=None, patience_s=300.0, command=(),
        workload_overrides=SHORT,
    )  # fmt: skip
    inputs = read(request)
    with tempfile.TemporaryDirectory() as scratch:
        warm, fresh = Path(scratch) / "warm", Path(scratch) / "fresh"
        warm.mkdir()
        prepare(warm, inputs)
        with closing(heard(warm, inputs.plan, make_job(request, inputs), "bench.warming")) as told:
            list(told)
        shutil.copytree(warm, fresh)
        shutil.rmtree(fresh / "events")
        (fresh / "first").rename(fresh / "events")
        before, after = events(fresh, inputs), events(warm, inputs)
    return [name for name in before.columns if not before[name].equals(after[name])]


def main() -> None:
    """Both cases."""
    for name, overrides in CASES.items():
        found = differing(overrides)
        print(f"{name}: {'others in ' + ', '.join(found) if found else 'the same events'}")


if __name__ == "__main__":
    main()
