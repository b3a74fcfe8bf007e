"""Benches are started as their documents say, `python bench/NAME.py`: their folder is the first of the modules'."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_no_bench_hides_a_package_of_ours_or_a_module_of_pythons() -> None:
    ours = {folder.parent.name for folder in ROOT.glob("*/__init__.py")}
    names = {path.stem for path in (ROOT / "bench").glob("*.py")} - {"__init__"}
    assert {"compare", "failover"} <= names
    assert not names & (ours | sys.stdlib_module_names)


def test_the_bench_of_make_bench_starts() -> None:
    done = subprocess.run(
        [sys.executable, "bench/compare.py", "--help"],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "--repeat" in done.stdout
