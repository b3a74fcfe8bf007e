"""What the tests of studies share: a folder to work in, and the command line in a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from longhaul.machine.kernel import cached_kernel

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def kernel() -> Path:
    """The virtual-time kernel; without one, tests that need it are skipped."""
    found = cached_kernel()
    if found is None:
        pytest.skip("no virtual-time kernel here")
    return found


class Desk:
    """A folder with the shipped files, where studies are written and carried out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name in ("topologies", "traffic"):
            (path / name).symlink_to(ROOT / name)

    def write(self, name: str, vary: str, more: str) -> Path:
        """A study of two hosts, of one short iteration."""
        file = self.path / f"{name}.yaml"
        file.write_text(
            f"longhaul: 1\nkind: study\nname: {name}\ntopology: topologies/two-hosts.yaml\n"
            "workload: traffic/workloads/training.yaml\n"
            "set: {workload.iterations: 1, workload.warmup: 0, workload.batch.tokens: 64Ki}\n"
            f"vary:\n{vary}measure: [iterations.p50_s, lost]\n{more}"
        )
        return file

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """A command line of `longhaul study`."""
        return subprocess.Popen(
            [sys.executable, "-m", "longhaul", "study", *words],
            cwd=self.path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def do(self, *words: str) -> tuple[int, str, str]:
        """The same to its end: status, output, errors."""
        process = self.begin(*words)
        out, said = process.communicate()
        return process.returncode, out, said

    def results(self, name: str) -> Path:
        """The rows of a study."""
        return self.path / "runs" / "studies" / name / "results.parquet"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An empty one."""
    return Desk(tmp_path)
