"""The pytest plugin's example passes, makes equal runs once, and its assertions can fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def checked(folder: Path) -> subprocess.CompletedProcess[str]:
    words = [
        "-m",
        "pytest",
        "-q",
        "-p",
        "longhaul.pytest_plugin",
        "-p",
        "no:cacheprovider",
        str(folder),
    ]
    return subprocess.run(
        [sys.executable, *words, "--basetemp", str(folder / "made"), "--rootdir", str(folder)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_example_passes_with_two_runs_for_two_tests_and_fails_where_it_should(
    tmp_path: Path,
    kernel: Path,  # noqa: ARG001
) -> None:
    text = (
        (ROOT / "labs" / "ci" / "test_network.py")
        .read_text()
        .replace("Path(__file__).parents[2]", f'Path("{ROOT}")')
    )
    (tmp_path / "test_network.py").write_text(text)
    done = checked(tmp_path)
    assert "2 passed" in done.stdout, done.stdout
    assert len([*tmp_path.glob("made/longhaul0/*/summary.json")]) == 2
    shutil.rmtree(tmp_path / "made")
    (tmp_path / "test_network.py").write_text(text.replace("< 1.01 *", "< 0.99 *"))
    assert "1 failed, 1 passed" in checked(tmp_path).stdout
