"""A run that its guest's memory is too small for says so, and whom it hit."""

from __future__ import annotations

import re
from pathlib import Path

from tests.run.conftest import HERE, longhaul

MUCH = ("--set", "scale.bytes=10", "--set-workload", "model.parameters=2e9")
"""400 MB for each of eight hosts to add up."""


def test_a_run_whose_agent_is_killed_for_want_of_memory_says_which(
    kernel: Path,  # noqa: ARG001
    tmp_path: Path,
) -> None:
    files = (HERE / "spines.yaml", "--workload", HERE / "verified.yaml")
    done = longhaul("run", *files, *MUCH, "--out", tmp_path / "run")
    assert done.status == 1
    said = r"c[12]-\w+-\d: its agent was killed, as the guest's memory is full \(1\.\d GB, .*--memory \dGB"
    assert re.search(said, done.complaint), done.complaint
