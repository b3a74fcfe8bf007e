"""The answer hangs on files and seed, and on nothing that happened in the guest before."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.run.conftest import HERE, Done, Runs, longhaul

OURS = "from controller.routed import Routed\nclass Same(Routed): pass\n"
"""Our own controller, as an application in a file."""
BUSY_BEFORE = """\
import os, subprocess
for number in range(1000):
    open(f"/tmp/{number}", "w").close()
for _ in range(50):
    subprocess.run(["/bin/true"])
for _ in range(500):
    os.urandom(99)
"""


def run_with(runs: Runs, folder: Path, before: str) -> Done:
    """A run whose controller does something before it controls."""
    file = folder / "application.py"
    file.write_text(before + OURS)
    return runs("spines", "verified", "--controller", str(file))


def test_files_processes_and_draws_before_the_workload_do_not_reach_into_it(
    runs: Runs, tmp_path: Path
) -> None:
    quiet, busy = tmp_path / "quiet", tmp_path / "busy"
    for folder in (quiet, busy):
        folder.mkdir()
    expected = run_with(runs, quiet, "").summary["digest"]
    assert run_with(runs, busy, BUSY_BEFORE).summary["digest"] == expected
    assert runs("spines", "verified").summary["digest"] == expected


def test_a_run_is_made_again_by_its_folder_and_is_the_same(runs: Runs, tmp_path: Path) -> None:
    first = runs("spines", "verified")
    again = longhaul("run", "--reproduce", first.folder, "--out", tmp_path / "again")
    assert again.status == 0, again.complaint
    assert "events are the same, to the nanosecond" in again.out


@pytest.mark.usefixtures("kernel")
def test_a_folder_whose_files_have_changed_is_not_made_again(tmp_path: Path) -> None:
    file = tmp_path / "spines.yaml"
    file.write_text((HERE / "spines.yaml").read_text())
    first = longhaul("run", file, "--workload", HERE / "verified.yaml", "--out", tmp_path / "r")
    assert first.status == 0, first.complaint
    file.write_text(file.read_text() + "# otherwise\n")
    again = longhaul("run", "--reproduce", tmp_path / "r")
    assert again.status == 2
    assert "spines.yaml has changed since" in again.complaint
