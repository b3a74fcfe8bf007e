"""A run that its guest's memory is too small for says so, and whom it hit."""

from __future__ import annotations

import re
from pathlib import Path

from tests.run.conftest import HERE, longhaul

FEW = ("run", HERE / "spines.yaml", "--workload", HERE / "large.yaml", "--memory", "270MB")


def test_a_run_whose_agent_is_killed_for_want_of_memory_says_which(
    kernel: Path,  # noqa: ARG001
    tmp_path: Path,
) -> None:
    done = longhaul(*FEW, "--out", tmp_path / "run")
    assert done.status == 1
    assert re.search(r"was killed, as the guest's memory is full \(0\.\d GB", done.complaint)
