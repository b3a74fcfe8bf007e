"""Whatever a name leads to (a pipe, a device, a circle of links, a folder), a verb that reads or writes it says what is
wrong in a line, with status 2, at once."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOPOLOGY = ROOT / "topologies/two-hosts.yaml"
PLACES = (
    "pipe",
    "circle",
    "circle/file.yaml",
    "dangling",
    "folder",
    "/dev/zero",
    "/dev/null",
    "n" * 300,
)
READING = ("plan {}", "import {}", "show {}")
TAKEN = ("folder", "circle", "missing/made.txt", "/dev/full")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("places")
    os.mkfifo(made / "pipe")
    (made / "circle").symlink_to("circle")
    (made / "dangling").symlink_to("nowhere")
    (made / "folder").mkdir()
    return made


def longhaul(folder: Path, *words: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "longhaul", *map(str, words)], cwd=folder, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, timeout=600, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.mark.parametrize("reading", READING)
def test_what_is_no_file_is_refused_in_a_line(folder: Path, reading: str) -> None:
    for place in PLACES:
        done = longhaul(folder, *reading.format(place).split())
        assert done.returncode == 2, (place, done.stderr)
        assert "Traceback" not in done.stderr
        assert 1 <= len(done.stderr.splitlines()) <= 4, (place, done.stderr)


@pytest.mark.parametrize("place", TAKEN)
def test_what_cannot_be_written_is_refused_in_a_line(folder: Path, place: str) -> None:
    done = longhaul(folder, "plan", TOPOLOGY, "-o", place)
    assert done.returncode == 2
    assert "cannot be written: " in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("place", ["circle", "dangling", "pipe"])
def test_a_run_begins_only_where_its_folder_can_be_made(folder: Path, place: str) -> None:
    done = longhaul(folder, "run", TOPOLOGY, "--out", place)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


NOBODY = (
    ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups") if os.geteuid() == 0 else ()
)
"""Whom permissions bind."""


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder that an ordinary user can neither read nor write, in one that everybody can enter."""
    if (
        NOBODY
        and subprocess.run([*NOBODY, "test", "-r", ROOT / "setup.sh"], check=False).returncode
    ):
        pytest.skip(
            "the checkout is in a folder that only root can enter: run the tests as its owner"
        )
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        (Path(made) / "closed").mkdir(mode=0)
        yield Path(made) / "closed"
        (Path(made) / "closed").chmod(0o700)


@pytest.mark.parametrize(
    "words", ["run {} --out closed/run", "exec {} -- true", "up {}", "attribute {}", "plan {} -o closed/p.txt",
              "show closed", "show closed/run", "export closed --format csv --out x", "plan closed/x.yaml",
              "compare closed closed"],
)  # fmt: skip
def test_what_an_ordinary_user_may_not_is_refused_in_a_line(closed: Path, words: str) -> None:
    command = [*NOBODY, sys.executable, "-P", "-m", "longhaul", *words.format(TOPOLOGY).split()]
    done = subprocess.run(
        command, cwd=closed.parent, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=600,
        env=os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(closed), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert 1 <= len(done.stderr.splitlines()) <= 4, done.stderr


def test_spaces_and_every_script_are_names_like_others(folder: Path) -> None:
    file = folder / "wo rk, ünï 東京" / "t 'o\" $x.yaml"
    file.parent.mkdir()
    file.write_bytes(TOPOLOGY.read_bytes())
    done = longhaul(folder, "plan", file, "-o", file.with_suffix(".txt"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "c1-h100-1" in file.with_suffix(".txt").read_text(encoding="utf-8")
