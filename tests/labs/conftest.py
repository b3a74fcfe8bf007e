"""Students for the labs' tests. All labs for three students are half an hour of guests: LONGHAUL_LABS=3 asks for that.

Else there is one student, and of the labs one for each way to answer: functions, a schedule, counts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from longhaul.labs import draws
from longhaul.labs.catalogue import LABS, Lab, labs
from longhaul.labs.folders import new
from longhaul.machine.kernel import cached_kernel

SOLUTIONS = LABS / "solutions"
ALL = "LONGHAUL_LABS" in os.environ
STUDENTS = ("ada", "grace", "barbara")[: int(os.environ.get("LONGHAUL_LABS", "1"))]
QUICK = (1, 4, 8)
SOLVE = "solve.py"


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the reference runs are kept, for all tests together."""
    return tmp_path_factory.mktemp("desk")


def solved(one: Lab, folder: Path, who: str) -> Path:
    """A student's folder with the solution in it; where that hangs on what was drawn, it is worked out."""
    new(one, folder, who, draws.PUBLIC)
    for path in (SOLUTIONS / one.folder.name).iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    if (folder / SOLVE).is_file():
        subprocess.run([sys.executable, SOLVE], cwd=folder, check=True, timeout=600)
    return folder


CASES = [
    pytest.param(one, who, id=f"{one.folder.name}-{who}")
    for one in labs().values()
    for who in STUDENTS
    if ALL or one.number in QUICK
]


@pytest.fixture(scope="session")
def kernel() -> Path:
    """The virtual-time kernel; without one, tests that need it are skipped."""
    found = cached_kernel()
    if found is None:
        pytest.skip("no virtual-time kernel here")
    return found
