"""The straggler study's sample jobs: our slowdowns beside those that the study publishes.

`python bench/straggler_study.py FOLDER`, a checkout of github.com/ByteDance-Seed/StragglerAnalysis (Apache-2.0).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from analysis.findings.imported import read_job, slowdowns

JOBS = ("AR", "SE", "ST")
AGREES = 1e-6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a checkout of the study's artifact")
    data = parser.parse_args().folder / "data"
    table = Table("job", "S ours", "S published", "largest error of S, S_t, S_w", "seconds")
    worst = 0.0
    for job in JOBS:
        published = json.loads((data / f"result-{job}.json").read_text())
        begin = time.perf_counter()
        found = slowdowns(read_job(data / f"trace-{job}.parquet"))
        took = time.perf_counter() - begin
        off = max(
            abs(found.job / published["blocking_slowdown"] - 1),
            _worst(found.by_type, published["blocking_decompose_by_optype"]),
            _worst(found.by_stage, published["blocking_decompose_by_stage"]),
            _worst(found.by_dp_rank, published["blocking_decompose_by_dp_rank"]),
        )
        worst = max(worst, off)
        ours, theirs = found.job, published["blocking_slowdown"]
        table.add_row(job, f"{ours:.6f}", f"{theirs:.6f}", f"{off:.1e}", f"{took:.2f}")
    Console().print(table)
    return 0 if worst < AGREES else 1


def _worst(ours: Mapping[Any, float], published: Mapping[str, float]) -> float:
    named = {str(key): value for key, value in ours.items()}
    return max(abs(named[key] / value - 1) for key, value in published.items())


if __name__ == "__main__":
    sys.exit(main())
