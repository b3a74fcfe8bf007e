"""What studies know, where it cannot be read or kept: said in a line."""

import os
import subprocess
import sys

import pytest

from .conftest import ROOT, Desk

FILL = 'mount -t tmpfs -o size="$1" none runs && exec "$2" -m longhaul study run few.yaml --jobs 1'


def few(desk: Desk) -> None:
    """A study of two forecasts and a run."""
    desk.write(
        "few", "  links.c1-c2.distance: [10mi, 100mi]\n", "depth: model\nsample: {points: 1}\n"
    )
    (desk.path / "runs").mkdir()


def test_a_file_that_holds_no_records_is_named(desk: Desk) -> None:
    few(desk)
    (desk.path / "runs" / "studies").mkdir()
    (desk.path / "runs" / "studies" / "records.sqlite").write_bytes(b"my shopping list\n" * 99)
    status, _, said = desk.do("run", "few.yaml")
    assert status == 1
    assert said.splitlines() == [
        "longhaul: runs/studies/records.sqlite: what studies know: file is not a database; "
        "moved elsewhere, it is begun anew"
    ]


@pytest.mark.parametrize(
    "room",
    [
        pytest.param("16k", id="at-the-start"),
        pytest.param("48k", id="at-a-forecast"),
        pytest.param("80k", id="at-the-run", marks=pytest.mark.slow),
    ],
)
def test_a_disk_that_fills_is_said_in_a_line(desk: Desk, room: str) -> None:
    few(desk)
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", FILL, "sh", room, sys.executable],
        cwd=desk.path, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert " is full" in done.stderr.splitlines()[-1]


def test_a_file_where_the_studies_folder_should_be_is_named(desk: Desk) -> None:
    few(desk)
    (desk.path / "taken").touch()
    status, _, said = desk.do("run", "few.yaml", "--out", "taken")
    assert status == 2
    assert "taken cannot be made" in said
