"""The harness for Atheris starts and tries inputs; Atheris itself is an option: `pip install atheris`."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.test_fuzz import ROOT


@pytest.mark.parametrize("target", ["yaml", "traces", "stored"])
def test_inputs_are_made_and_tried(target: str, tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="no Atheris: .venv/bin/pip install atheris")
    command = [
        sys.executable,
        "-m",
        "tests.fuzz.guided",
        target,
        str(tmp_path / "kept"),
        "-runs=60",
        "-seed=1",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Done" in done.stderr
    assert len(list((tmp_path / "kept").iterdir())) >= 1
