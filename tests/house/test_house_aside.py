"""Temporary folders: gone with the body, gone with the process, and taken away where a process was killed."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from longhaul.aside import YOUNG_S, aside
from longhaul.folder import new

HOLDS = """
import sys
from longhaul.aside import kept_aside
print(kept_aside(), flush=True)
sys.stdin.read()
"""


def holder(place: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that has a folder there, as old as makes it be looked at."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"TMPDIR": str(place)},
    )  # fmt: skip
    assert process.stdout
    folder = Path(process.stdout.readline().strip())
    (folder / "something").mkdir()
    then_s = time.time() - 2 * YOUNG_S
    os.utime(folder.parent, (then_s, then_s))
    return process, folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_goes_with_its_body(place: Path) -> None:
    with aside() as made:
        assert made.parent.parent == place
        (made / "file").touch()
    assert list(place.iterdir()) == []


@pytest.mark.usefixtures("place")
def test_a_run_folder_can_be_made_in_it() -> None:
    with aside() as made, new(made / "run") as partial:
        (partial / "file").touch()


def test_what_a_killed_process_left_goes_and_what_is_held_or_young_stays(place: Path) -> None:
    killed, left = holder(place)
    living, held = holder(place)
    killed.kill()
    killed.communicate()
    young = place / f"{left.parent.name}-young"
    young.mkdir()
    with aside():
        assert not left.parent.exists()
        assert held.exists()
        assert young.exists()
    living.communicate("")
    assert not held.parent.exists()
    assert living.returncode == 0


def test_a_link_of_that_name_leads_nowhere(place: Path) -> None:
    victim = place / "victim"
    (victim / "kept").mkdir(parents=True)
    (place / "longhaul-aside-link").symlink_to(victim)
    os.utime(place / "longhaul-aside-link", (0, 0), follow_symlinks=False)
    with aside():
        assert (victim / "kept").exists()
