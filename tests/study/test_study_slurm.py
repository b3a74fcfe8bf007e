"""Studies in jobs of SLURM: what is submitted is a script that works, and nothing is left running.

No SLURM is here: `sbatch` and `scancel` are stand-ins that start and end the script as a process of this machine.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import polars as pl
import pytest

from tests.study.conftest import Desk

SBATCH = """#!/bin/sh
[ "$1" != --test-only ] || exec grep -q "^#SBATCH" "$2"
cp "$1" "{spool}/$$.script"
setsid sh "{spool}/$$.script" >"{spool}/$$.log" 2>&1 &
echo $! >"{spool}/$!.job"
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
kill -- "-$1"
mv "{spool}/$1.job" "{spool}/$1.cancelled"
"""
REFUSES = """#!/bin/sh
echo "sbatch: error: invalid partition specified: moon" >&2
exit 1
"""


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the stand-ins leave scripts, logs and jobs."""
    spool, programs = tmp_path / "spool", tmp_path / "programs"
    for path in (spool, programs):
        path.mkdir()
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        _write(programs / name, text.format(spool=spool))
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return spool


def _write(program: Path, text: str) -> None:
    program.write_text(text)
    program.chmod(0o755)


@pytest.mark.slow
def test_a_study_in_jobs_of_slurm_finds_what_it_finds_here(
    desk: Desk,
    spool: Path,
    kernel: Path,  # noqa: ARG001
) -> None:
    desk.write("far", "  links.*.distance: [10mi, 1000mi]\n", "keep: none\n")
    status, _, said = desk.do(
        "run", "far.yaml", "--slurm", "2", "--sbatch=--partition=long", "--sbatch=--account=us"
    )
    logs = "".join(path.read_text() for path in spool.glob("*.log"))
    assert status == 0, said + logs
    scripts = [path.read_text() for path in spool.glob("*.script")]
    assert len(scripts) >= 2
    for script in scripts:
        for line in (
            "-J longhaul-study",
            "-n 1",
            "--cpus-per-task=1",
            "--partition=long",
            "--account=us",
        ):
            assert f"#SBATCH {line}\n" in script
        assert "distributed.cli.dask_worker tcp://" in script
    assert not list(spool.glob("*.job"))
    assert len(list(spool.glob("*.cancelled"))) == len(scripts)
    assert _ended([int(path.stem) for path in spool.glob("*.cancelled")])
    rows = pl.read_parquet(desk.results("far"))
    assert rows["status"].to_list() == ["done"] * 2
    (desk.path / "runs").rename(desk.path / "there")
    assert desk.do("run", "far.yaml", "--jobs", "1")[0] == 0
    assert pl.read_parquet(desk.results("far")).equals(rows)


def _ended(groups: list[int]) -> bool:
    """Whether all of these groups of processes end soon."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if not any(_alive(group) for group in groups):
            return True
        time.sleep(0.1)
    return False


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_slurm_refuses_is_said_and_ends_with_2(desk: Desk, spool: Path) -> None:
    _write(spool.parent / "programs" / "sbatch", REFUSES)
    desk.write("far", "  links.*.distance: [10mi, 1000mi]\n", "keep: none\n")
    status, _, said = desk.do("run", "far.yaml", "--slurm", "2", "--sbatch=--partition=moon")
    assert status == 2, said
    assert "invalid partition specified: moon" in said
    assert "Traceback" not in said


def test_without_sbatch_slurm_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    desk.write("far", "  links.*.distance: [10mi, 1000mi]\n", "")
    status, _, said = desk.do("run", "far.yaml", "--slurm", "2")
    assert (status, "there is no sbatch here" in said) == (2, True), said
    status, _, said = desk.do("run", "far.yaml", "--sbatch=--partition=long")
    assert (status, "--sbatch goes with --slurm" in said) == (2, True), said
