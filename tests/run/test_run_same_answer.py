"""The answer hangs on files and seed, and on nothing that happened in the guest before."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.run.conftest import Runs, longhaul

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


def test_files_processes_and_draws_before_the_workload_do_not_reach_into_it(
    runs: Runs, tmp_path: Path
) -> None:
    busy = tmp_path / "application.py"
    busy.write_text(BUSY_BEFORE + OURS)
    expected = runs("spines", "verified").summary["digest"]
    assert runs("spines", "verified", "--controller", str(busy)).summary["digest"] == expected


def test_a_run_is_made_again_by_its_folder_and_is_the_same(runs: Runs, tmp_path: Path) -> None:
    first = runs("spines", "verified")
    again = longhaul("run", "--reproduce", first.folder, "--out", tmp_path / "again")
    assert again.status == 0, again.complaint
    assert "events are the same, to the nanosecond" in again.out


def test_a_folder_whose_files_have_changed_is_not_made_again(runs: Runs, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(runs("spines", "verified").folder, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["inputs"] = dict.fromkeys(manifest["inputs"], "0" * 64)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    again = longhaul("run", "--reproduce", folder)
    assert again.status == 2
    assert "spines.yaml has changed since" in again.complaint
