"""A run whose guest's memory is full ends at once, and says whom its kernel has killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from longhaul.inside.killed import message
from tests.run.conftest import HERE, longhaul


@pytest.mark.slow
@pytest.mark.usefixtures("kernel")
def test_a_run_whose_numbers_do_not_fit_says_whose_agent_was_killed(tmp_path: Path) -> None:
    """Eight agents with 100 MB each, as nothing is scaled, and 500 MB."""
    files = (HERE / "spines.yaml", "--workload", HERE / "verified.yaml")
    done = longhaul(
        "run", *files, "--set", "scale.bytes=1", "--memory", "500MB", "--out", tmp_path / "run"
    )
    assert done.status == 1, done.out
    said = " ".join(done.complaint.split())
    assert ": its agent was killed, as the guest's memory is full (0.5 GB, for all" in said
    assert "Give it more: --memory 1GB" in said


def test_a_hosts_own_process_is_called_its_agent() -> None:
    assert message("c1-h100-1", "c1-h100-1").startswith("c1-h100-1: its agent was killed")
    assert message("a-campus-accelerator-17", "a-campus-accele").startswith(
        "a-campus-accelerator-17: its agent"
    )
    assert message("the fabric", "ovs-vswitchd").startswith("the fabric: ovs-vswitchd was killed")
