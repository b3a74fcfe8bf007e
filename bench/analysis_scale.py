"""How long the analysis of ten million events takes, and in how much memory.

`python bench/analysis_scale.py [EVENTS]` makes a run of that size and analyses it in a process of its own.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
EVENTS = 10_000_000
LIMIT_S, LIMIT_BYTES = 20.0, 4e9
_PER_ITERATION = 24 * (2 + 2 * 2 * 23)
"""24 ranks: a compute, a collective, and 46 sends and 46 receives of its ring."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", type=int, nargs="?", default=EVENTS)
    events = parser.parse_args().events
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        _make(path, max(2, round(events / _PER_ITERATION)))
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-m", "analysis", "summary", path], cwd=ROOT, check=True)
        took = time.perf_counter() - begin
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    print(f"{events:,} events: {took:.1f} s, at most {most / 1e9:.2f} GB")
    return 0 if took < LIMIT_S and most < LIMIT_BYTES else 1


def _make(path: Path, iterations: int) -> None:
    sys.path.insert(0, str(ROOT))
    from tests.analysis.make_run import Scenario, make_run  # noqa: PLC0415

    make_run(path, Scenario(iterations=iterations))


if __name__ == "__main__":
    sys.exit(main())
