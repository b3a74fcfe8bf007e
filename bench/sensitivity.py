"""What the conclusions hang on: `python -m bench.sensitivity` changes one assumption at a time and attributes anew.

Every time is the α–β forecast of an iteration, without a fabric: the real one agrees with it within about 1 % (the
table of README). Lost is against one uniform campus with the same FLOP/s; what none of the factors explains of it is
thin links.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from analysis.series.shapley import shapley, subsets
from longhaul.planning import make_plan
from scenario.factors import effective, load_without
from scenario.loading import load_workload
from scenario.text.units import YEAR_S
from scenario.topology.aging import Span, aged, drawn
from scenario.types.topology import Training
from traffic.training.kind import prepare

ROOT = Path(__file__).parents[1]
COLOSSUS = ROOT / "topologies" / "colossus.yaml"
TRAINING = ROOT / "traffic" / "workloads" / "training.yaml"
FACTORS = ("distance", "aging", "generation", "hardware")
OLD = ("links.c1-c2", "links.c1-c3")
DDP = "strategy={kind: ddp, bucket: 2GB, first-bucket: 500MB}"
PROPORTIONAL = "batch.shares=proportional"
WET = tuple(f"{link}.condition=waterlogged" for link in OLD)
OF_2016 = ("defaults.links.generation=2016", "defaults.campuses.generation=2016")
OF_2020 = tuple(text.replace("2016", "2020") for text in OF_2016)
CONNECTIONS = "collective.channels=8"
THIN = tuple(f"links.{name}.rate=160Gbit/s" for name in ("c1-c2", "c1-c3", "c2-c3"))


@dataclass(frozen=True)
class Assumption:
    """An assumption changed: overrides of the topology and of the workload."""

    name: str
    topology: tuple[str, ...] = ()
    workload: tuple[str, ...] = ()


def _each(key: str, *values: str) -> tuple[str, ...]:
    return tuple(f"{link}.{key}={value}" for link, value in zip(OLD, values, strict=True))


def _by_hand(**shares: str) -> tuple[str, ...]:
    return tuple(f"accelerators.{name}.mfu={share}" for name, share in shares.items())


CASES = (
    Assumption("as shipped: per GPU, BF16, plain ring, damp, 12 y"),
    Assumption("shares per host", workload=("batch.shares=per-host",)),
    Assumption("shares in proportion", workload=(PROPORTIONAL,)),
    Assumption("FP8", workload=("model.precision=fp8",)),
    Assumption("one share by hand: 36.3 % and 38.7 %", _by_hand(H100="36.3%", H200="36.3%", GB200="38.7%")),
    Assumption("H200 15 % faster", _by_hand(H200="59.8%")),
    Assumption("GB200 as fast as in FP8, 2.7 times H100", _by_hand(GB200="55%")),
    Assumption("DDP, overlapped", workload=(DDP,)),
    Assumption("DDP and shares in proportion", workload=(DDP, PROPORTIONAL)),
    Assumption("waterlogged, 10 y", (*WET, *(f"{link}.age=10y" for link in OLD))),
    Assumption("waterlogged, 12 y", WET),
    Assumption("waterlogged, 12 y, shares in proportion", WET, (PROPORTIONAL,)),
    Assumption("waterlogged, 12 y, DDP and shares in proportion", WET, (DDP, PROPORTIONAL)),
    Assumption("PAM4 optics, damp, 25 y", _each("age", "25y", "25y") + _each("aging", "loss", "loss")),
    Assumption("equipment of 2016 on all links and campuses", OF_2016),
    Assumption("equipment of 2016, shares in proportion", OF_2016, (PROPORTIONAL,)),
    Assumption("equipment of 2016, shares in proportion, 8 connections", OF_2016, (PROPORTIONAL, CONNECTIONS)),
    Assumption("equipment of 2020, shares in proportion", OF_2020, (PROPORTIONAL,)),
    Assumption("equipment of 2020, shares in proportion, 8 connections", OF_2020, (PROPORTIONAL, CONNECTIONS)),
    Assumption("70B parameters, fully sharded, shares in proportion", workload=(
        "model={parameters: 70e9, layers: 80}", "strategy={kind: fsdp}", PROPORTIONAL)),
    Assumption("ten times as far, shares in proportion", _each("distance", "100mi", "120mi"), (PROPORTIONAL,)),
    Assumption("a hundred times as far, shares in proportion", _each("distance", "1000mi", "1200mi"), (PROPORTIONAL,)),
    Assumption("links a tenth as fast, shares in proportion", THIN, (PROPORTIONAL,)),
    Assumption("a tenth of the batch, shares in proportion", workload=("batch.tokens=420k", PROPORTIONAL)),
    Assumption("experts over all campuses (MoE, all-to-all in each of 4 layers)", workload=(
        "model={parameters: 47e9, active: 13e9, layers: 4, hidden: 4096}",
        "strategy={kind: moe, experts: 8, top-k: 2}", PROPORTIONAL,
    )),
)  # fmt: skip


def predicted(case: Assumption, without: tuple[str, ...] = ()) -> tuple[float, float]:
    """An iteration by the model, and on one uniform campus."""
    workload = load_workload(TRAINING, case.workload)
    assert isinstance(workload, Training)
    plan = make_plan(load_without(COLOSSUS, case.topology, without))
    found = prepare(workload, plan, seed=1).about["prediction"]
    return float(found["iteration_s"]), float(found["ideal_iteration_s"])


def spreads() -> None:
    """How many of 1000 lines of ten miles and twelve years keep their rate, by how far margins spread."""
    print("  spread        damp  waterlogged   (lines of 10 miles and 12 years at their full rate)")
    for spread_db in (0.3, 0.5, 1.0):
        cells = []
        for condition in ("damp", "waterlogged"):
            lines = drawn(Span(16_093.0, 12 * YEAR_S, condition), 1000, spread_db=spread_db)
            full = sum(aged(one, "step", 9000).rate_share == 1.0 for one in lines)
            cells.append(f"{full / 10:10.1f}%")
        print(f"{spread_db:5.1f} dB {'  '.join(cells)}")


def main(wanted: str = "") -> None:
    """A row per case; with `spread`, what the spread of margins makes of lines."""
    if wanted == "spread":
        spreads()
        return
    print(f"iteration    lost  {'  '.join(f'{name:>10}' for name in FACTORS)}  assumption")
    for case in CASES:
        if wanted not in case.name:
            continue
        acting_here = _effective(case)
        times = {
            acting: predicted(case, tuple(name for name in acting_here if name not in acting))[0]
            for acting in subsets(acting_here)
        }
        actual_s, ideal_s = predicted(case)
        shares = dict.fromkeys(FACTORS, 0.0) | shapley(times, acting_here)
        cells = "  ".join(f"{_share(shares[name], actual_s):>10}" for name in FACTORS)
        print(f"{actual_s:7.3f} s  {1 - ideal_s / actual_s:6.1%}  {cells}  {case.name}", flush=True)


def _effective(case: Assumption) -> tuple[str, ...]:
    """The factors that make a difference to the topology: the others need no forecasts."""
    return tuple(one.name for one in effective(COLOSSUS, case.topology, FACTORS))


def _share(seconds: float, actual_s: float) -> str:
    """Of the iteration; less than a thousandth is not detectable."""
    return "n. d." if abs(seconds) < 1e-3 * actual_s else f"{seconds / actual_s:.1%}"


if __name__ == "__main__":
    main(*sys.argv[1:2])
