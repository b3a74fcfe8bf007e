"""A disk that fills while a run is written is told in a line that names it; what there was room for is kept."""

import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import HERE, ROOT

FILL = """
mount -t tmpfs -o size="$1" none "$2"
shift
cd "$1/.." && PYTHONPATH="$2" exec "$3" -m longhaul run "$4" --workload "$5" --out "$1/run"
"""


@pytest.mark.parametrize(
    "room",
    [
        pytest.param("20k", id="at-the-plan"),
        pytest.param("100k", id="in-the-guest", marks=pytest.mark.slow),
        pytest.param("200k", id="at-the-report", marks=pytest.mark.slow),
    ],
)
def test_a_disk_that_fills_is_said_in_a_line(tmp_path: Path, kernel: Path, room: str) -> None:  # noqa: ARG001
    disk = tmp_path / "disk"
    disk.mkdir()
    files = (HERE / "links.yaml", HERE / "verified.yaml")
    words = ["sh", "-c", FILL, "sh", room, disk, ROOT, sys.executable, *files]
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", *map(str, words)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=1800,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1] == (
        f"longhaul: the disk that holds {disk} is full; what there was room for is in {disk}/run.failed"
    )
