"""A run folder of somebody else's, truncated, garbled, mixed up: each verb that reads one says which file is wrong and
how, with status 2, or reads it; by rule (tests/fuzz), deterministic by seed."""

import os
import subprocess
import sys

import pytest

from .conftest import ROOT, Runs


@pytest.mark.slow
def test_every_spoilt_run_folder_is_read_or_refused(runs: Runs) -> None:
    good = runs("links", "verified").folder
    count = os.environ.get("LONGHAUL_FUZZ", "100")
    first = os.environ.get("LONGHAUL_FUZZ_FIRST", "0")
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.trying", "folders", first, count],
        cwd=ROOT, env=os.environ | {"LONGHAUL_FUZZ_RUN": str(good)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
