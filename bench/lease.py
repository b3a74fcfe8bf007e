"""Training against inference on the same fabric: what each loses as delay, loss and mixing grow.

Twelve hosts of `topologies/colossus.yaml` with new fibre and nothing but GB200, then one thing worse at
a time. Each fabric is run twice: all three campuses train one model; and campus 1 serves requests that come
in at all three borders. Prints a table in Markdown.

    python -m bench.lease [--out FOLDER] [--plot FILE.svg] [--seed NUMBER] [--only TEXT]
"""

from __future__ import annotations

import argparse
import html
import math
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from analysis.form.serving import Service
from analysis.form.summary import Summary, TrainingSummary, read_summary

ROOT = Path(__file__).parents[1]
TOPOLOGY = ROOT / "topologies" / "colossus.yaml"
HERE = Path(__file__).parent
SEED = 1
COLOURS = ("#d55e00", "#56b4e9", "#0072b2")


@dataclass(frozen=True)
class Variant:
    """One row: what is worse than in the first one."""

    name: str
    hosts: str = "[{count: 6, accelerator: GB200}]"
    distance: str = "10mi"
    loss: str = "0"

    @property
    def overrides(self) -> list[str]:
        """As `--set` takes them."""
        links = [
            f"links.{link}.{key}" for link in ("c1-c2", "c1-c3") for key in ("distance", "loss")
        ]
        values = [self.distance, self.loss] * 2
        smaller = [f"campuses.{campus}.hosts[0].count=3" for campus in ("c2", "c3")]
        changed = [f"{path}={value}" for path, value in zip(links, values, strict=True)]
        return [f"campuses.c1.hosts={self.hosts}", *smaller, *changed]


MIXED = "[{count: 3, accelerator: H100, gpus: 4}, {count: 3, accelerator: GB200}]"

FABRICS = (
    Variant("new fibre, 10 mi, all GB200"),
    Variant("1,000 mi", distance="1000mi"),
    Variant("3,000 mi", distance="3000mi"),
    Variant("loss 1e-4", loss="0.01%"),
    Variant("loss 1e-3", loss="0.1%"),
    Variant("loss 1e-2", loss="1%"),
    Variant("three of six hosts H100", hosts=MIXED),
    Variant("1,000 mi, loss 1e-3, three H100", distance="1000mi", loss="0.1%", hosts=MIXED),
)
HEAD = (
    "fabric", "iteration p50", "GPU time lost", "first token p50", "p99", "whole answer p50",
    "between tokens p99.9", "kept both objectives",
)  # fmt: skip


@dataclass(frozen=True)
class LeaseOutcome:
    """What a fabric did to both: the runs' summaries, `served` the part about requests."""

    fabric: Variant
    trained: TrainingSummary
    served: Service

    @property
    def times_s(self) -> tuple[float, float, float]:
        """An iteration, a first token and a whole answer, all p50."""
        return (
            self.trained.iterations.p50_s,
            self.served.first_token.p50_s,
            self.served.end_to_end.p50_s,
        )


def main() -> None:
    """Run all, print a row each as soon as it is there, and draw them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--out", type=Path, help="keep the run folders here, and use those that are there"
    )
    parser.add_argument("--plot", type=Path, help="draw what grew, and by how much, as SVG")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of all runs (default: {SEED})")
    parser.add_argument("--only", default="", help="the rows whose names have this in them")
    words = parser.parse_args()
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="longhaul-lease-") as scratch:
        folder = words.out or Path(scratch)
        for cells in (HEAD, ("---",) * len(HEAD)):
            print(f"| {' | '.join(cells)} |", flush=True)
        for fabric in (one for one in FABRICS if words.only in one.name):
            trained, served = (
                _run(fabric, kind, folder, words.seed) for kind in ("training", "inference")
            )
            assert isinstance(trained, TrainingSummary)
            outcomes.append(LeaseOutcome(fabric, trained, served.serving[0]))
            print(f"| {' | '.join(_cells(outcomes[-1]))} |", flush=True)
    if words.plot:
        words.plot.write_text(picture(outcomes), encoding="utf-8")


def _run(fabric: Variant, kind: str, folder: Path, seed: int) -> Summary:
    """A run's summary, of one that is there already if there is one."""
    workload = HERE / f"lease-{kind}.yaml"
    name = f"{kind}-{re.sub('[^a-z0-9]+', '-', fabric.name.lower())}"
    out = folder / (name if seed == SEED else f"{name}-seed-{seed}")
    if not (out / "summary.json").exists():
        sets = [word for override in fabric.overrides for word in ("--set", override)]
        words = ("run", TOPOLOGY, *sets, "--workload", workload, "--seed", seed, "--out", out)
        command = [sys.executable, "-m", "longhaul", *map(str, words)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{fabric.name}: {done.stderr}")
    return read_summary(out)


def _cells(outcome: LeaseOutcome) -> list[str]:
    trained, served = outcome.trained, outcome.served
    alone, gaps = trained.stalls.one_campus, served.inter_token
    assert alone
    assert gaps
    return [
        outcome.fabric.name,
        f"{trained.iterations.p50_s:.3f} s",
        f"{1 - alone.iteration_s / trained.iterations.mean_s:.1%}",
        f"{served.first_token.p50_s * 1e3:.1f} ms",
        f"{served.first_token.p99_s * 1e3:.0f} ms",
        f"{served.end_to_end.p50_s * 1e3:.0f} ms",
        f"{gaps.p999_s * 1e3:.1f} ms",
        f"{served.goodput.share:.1%}",
    ]


def picture(outcomes: list[LeaseOutcome]) -> str:
    """Bars of what an iteration, a first token and a whole answer take, as multiples of the first row,
    on a logarithmic axis. Okabe and Ito's colours, which the colour-blind can tell apart."""
    base = outcomes[0].times_s
    rows = [
        (
            outcome.fabric.name,
            [mine / first for mine, first in zip(outcome.times_s, base, strict=True)],
        )
        for outcome in outcomes
    ]
    octaves = math.log2(max(2.0, *(factor for _, factors in rows for factor in factors)))
    parts = [_legend()]
    for index, (name, factors) in enumerate(rows):
        top = 40 + index * 58
        parts.append(f'<text x="268" y="{top + 28}" text-anchor="end">{html.escape(name)}</text>')
        parts += [_bar(top + 16 * n, COLOURS[n], x, octaves) for n, x in enumerate(factors)]
    height = 40 + 58 * len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 {height}" role="img"'
        ' font-family="sans-serif" font-size="13"><title>What training and inference take, as multiples'
        f' of the first row</title><rect width="960" height="{height}" fill="#fff"/>'
        f"{''.join(parts)}</svg>\n"
    )


def _bar(top: float, colour: str, factor: float, octaves: float) -> str:
    width = max(2.0, 580 * math.log2(max(factor, 1.0)) / octaves)
    return (
        f'<rect x="280" y="{top}" width="{width:.1f}" height="13" fill="{colour}"/>'
        f'<text x="{286 + width:.1f}" y="{top + 11}" font-size="11">× {factor:.3g}</text>'
    )


def _legend() -> str:
    names = ("training: an iteration", "inference: first token", "inference: whole answer")
    return "".join(
        f'<rect x="{280 + 190 * n}" y="10" width="13" height="13" fill="{COLOURS[n]}"/>'
        f'<text x="{299 + 190 * n}" y="21">{name}</text>'
        for n, name in enumerate(names)
    )


if __name__ == "__main__":
    main()
