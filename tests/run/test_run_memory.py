"""A run whose guest's memory is full ends at once, and says whom its kernel has killed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from bench.guests import BenchError, heard
from longhaul.inside.killed import message
from longhaul.runs.life import Request, make_job, prepare, read
from longhaul.runs.workloads import Chosen
from tests.run.conftest import HERE


@pytest.mark.slow
@pytest.mark.usefixtures("kernel")
def test_a_run_in_which_somebody_is_killed_for_want_of_memory_says_who_and_where(
    tmp_path: Path,
) -> None:
    request = Request(
        topology=HERE / "spines.yaml", workloads=(Chosen(HERE / "verified.yaml"),), overrides=(), seed=1,
        time="virtual", machine="uml", out=None, cpu=None, patience_s=60.0, command=(),
        memory_bytes=600_000_000, workload_overrides=("iterations=1000",),
    )  # fmt: skip
    inputs = read(request)
    prepare(tmp_path, inputs)
    last = inputs.plan.hosts[-1].name
    with (
        closing(
            heard(tmp_path, inputs.plan, make_job(request, inputs), "tests.run.hoarding")
        ) as messages,
        pytest.raises(
            BenchError,
            match=rf"^{last}: python3\S* was killed, as the guest's memory is full \(0\.6 GB",
        ),
    ):
        list(messages)


def test_a_hosts_own_process_is_called_its_agent() -> None:
    assert message("c1-h100-1", "c1-h100-1").startswith("c1-h100-1: its agent was killed")
    assert message("a-campus-accelerator-17", "a-campus-accele").startswith(
        "a-campus-accelerator-17: its agent"
    )
    assert message("the fabric", "ovs-vswitchd").startswith("the fabric: ovs-vswitchd was killed")
