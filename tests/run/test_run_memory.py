"""A run whose guest's memory is full ends at once, and says whom its kernel has killed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bench.guests import BenchError, heard
from longhaul.inside.killed import message
from longhaul.runs.life import Request, make_job, prepare, read
from longhaul.runs.workloads import Chosen
from tests.run.conftest import HERE


@pytest.mark.slow
@pytest.mark.usefixtures("kernel")
def test_a_run_whose_numbers_do_not_fit_says_whose_agent_was_killed(tmp_path: Path) -> None:
    """Eight agents with 100 MB each, as nothing is scaled, planned for 2 GB: in a guest of 500 MB."""
    request = Request(
        topology=HERE / "spines.yaml", workloads=(Chosen(HERE / "verified.yaml"),),
        overrides=("scale.bytes=1",), seed=1, time="virtual", machine="uml", out=None, cpu=None,
        patience_s=600.0, command=(), memory_bytes=2_000_000_000,
    )  # fmt: skip
    inputs = read(request)
    prepare(tmp_path, inputs)
    job = replace(make_job(request, inputs), memory_bytes=500_000_000)
    with (
        closing(heard(tmp_path, inputs.plan, job)) as messages,
        pytest.raises(
            BenchError,
            match=r": its agent was killed, as the guest's memory is full \(0\.5 GB, for all",
        ),
    ):
        list(messages)


def test_a_hosts_own_process_is_called_its_agent() -> None:
    assert message("c1-h100-1", "c1-h100-1").startswith("c1-h100-1: its agent was killed")
    assert message("a-campus-accelerator-17", "a-campus-accele").startswith(
        "a-campus-accelerator-17: its agent"
    )
    assert message("the fabric", "ovs-vswitchd").startswith("the fabric: ovs-vswitchd was killed")
