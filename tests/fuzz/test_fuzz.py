"""Whatever a file holds, longhaul reads it or refuses it with a place: within 10 s of CPU and 500 MB, and without a
traceback. Inputs are made by rule; `LONGHAUL_FUZZ=10000` tries that many of each kind, `LONGHAUL_FUZZ_FIRST` others.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz import trying

ROOT = Path(__file__).parents[2]
COUNT = int(os.environ.get("LONGHAUL_FUZZ", "125"))
FIRST = int(os.environ.get("LONGHAUL_FUZZ_FIRST", "0"))


@pytest.mark.parametrize(
    "kind", ["traces", "stored", "topologies", "plans", "workloads", "studies", "schedules"]
)
def test_every_mutated_input_is_read_or_refused(kind: str) -> None:
    command = [sys.executable, "-m", "tests.fuzz.trying", kind, str(FIRST), str(COUNT)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


@pytest.mark.slow
def test_a_defect_would_be_found() -> None:
    command = [sys.executable, "-m", "tests.fuzz.trying", "defective", "0", "4"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert len(said) == 4
    assert "ZeroDivisionError" in said[0]
    assert "MemoryError" in said[1]
    assert "SIGXCPU" in said[2] or "SIGKILL" in said[2]
    assert "commands the terminal" in said[3]


def test_a_process_that_ends_without_a_word_is_found_and_the_next_seed_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def answered(_: object, seed: int, __: Path) -> str:
        if seed == 3:
            raise MemoryError
        return "wrong" if seed == 5 else ""

    monkeypatch.setattr(trying, "_answered", answered)
    found = list(trying.tried(None, range(8), tmp_path, 0))  # type: ignore[arg-type]
    assert [one.seed for one in found] == [*range(8)]
    assert {one.seed: one.said for one in found if one.said} == {
        3: "ended with 1: out of memory?",
        5: "wrong",
    }
