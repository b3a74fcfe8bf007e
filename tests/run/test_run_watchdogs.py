"""A run that cannot end is ended: by what the ranks wait for, in virtual time; by wall time else."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from longhaul.machine import dispatch
from longhaul.machine.dispatch import MachineError, carry_out, choose
from longhaul.runs.life import Inputs, Request, make_job, prepare, read
from scenario.job import Command, Job
from tests.run.conftest import ROOT

Change = Callable[[int, dict[str, Any]], object]


def prepared(folder: Path, change: Change) -> tuple[Inputs, Job]:
    """A run of two hosts, ready to go, with every rank's program changed."""
    request = Request(
        topology=ROOT / "topologies" / "two-hosts.yaml", workloads=(), overrides=(),
        seed=1, time="virtual", machine="uml", out=None, cpu=None, patience_s=600.0, command=(),
    )  # fmt: skip
    inputs = read(request)
    prepare(folder, inputs)
    for file in (folder / "programs" / "training").iterdir():
        program = json.loads(file.read_text())
        change(program["rank"], program)
        file.write_text(json.dumps(program))
    return inputs, make_job(request, inputs)


def told(folder: Path, job: Job, patience_s: float = 600.0) -> str:
    """How a job that cannot end is ended."""
    with pytest.raises(MachineError) as caught:
        carry_out(choose("uml", "virtual"), folder, job, lambda _: None, patience_s)
    return str(caught.value)


@pytest.mark.usefixtures("kernel")
def test_ranks_that_wait_for_ever_are_named_with_those_they_wait_for(tmp_path: Path) -> None:
    def forget_the_last_send(rank: int, program: dict[str, Any]) -> None:
        ops = program["tasks"][1]["ops"]
        if rank == 0:
            kind, peer, _, _, _, channel = ops[-2]
            assert kind == "send"
            ops[-2] = [kind, peer, 0, 0, [], channel]

    _, job = prepared(tmp_path, forget_the_last_send)
    why = told(tmp_path, replace(job, patience_s=100.0))
    assert "the workload hangs: no rank has finished an iteration for 100 s of virtual time" in why
    # What rank 1 still lacked it had from the next iteration's first send: there it stands.
    assert "rank 0 (c1-h100-1) waits for rank 1 (c2-h100-1) to send 7000000 of 7000000" in why
    assert "rank 1 (c2-h100-1) waits for rank 0 (c1-h100-1) to send 7000000 of 7000000" in why
    assert "(iteration 1, operation 1)" in why


@pytest.mark.usefixtures("kernel")
def test_a_run_that_wall_time_passes_by_says_who_waits_for_whom(tmp_path: Path) -> None:
    def compute_for_many_hours(rank: int, program: dict[str, Any]) -> None:
        if rank == 0:
            program["tasks"][0]["ns"] = 10**17  # three years

    def stopped_after(patience_s: float) -> str:
        folder = tmp_path / f"{patience_s:g}"
        folder.mkdir()
        _, job = prepared(folder, compute_for_many_hours)
        return told(folder, replace(job, patience_s=1e9), patience_s=patience_s)

    # On a busy machine the ranks may need longer than the first of these to begin at all.
    for why in map(stopped_after, (3.0, 15.0, 75.0, 375.0)):
        assert "the workload was stopped for want of progress" in why
        if "rank 1 (c2-h100-1) waits for rank 0 (c1-h100-1) to send" in why:
            return
    pytest.fail(f"nobody waits for anybody: {why}")


@pytest.mark.usefixtures("kernel")
def test_a_machine_in_which_nothing_moves_any_more_is_ended_from_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that computes for ever stops the guest's virtual time, and all others with it."""
    monkeypatch.setattr(dispatch, "_ANSWER_WITHIN_S", 1.0)
    _, job = prepared(tmp_path, lambda *_: None)
    command = Command(("python3", "-c", "while True: pass"), "*", "/", {})
    for_ever = replace(job, verb="exec", command=command, patience_s=1e9)
    why = told(tmp_path, for_ever, patience_s=4.0)
    assert "nothing happened for 4 s of wall time, and the ranks do not answer" in why


@pytest.mark.usefixtures("kernel")
def test_a_failure_in_a_host_ends_the_run_and_says_where_it_was(tmp_path: Path) -> None:
    def congest_in_an_unknown_way(rank: int, program: dict[str, Any]) -> None:
        if rank == 1:
            program["transport"]["congestion"] = "no-such-algorithm"

    _, job = prepared(tmp_path, congest_in_an_unknown_way)
    assert "c2-h100-1" in told(tmp_path, job)
