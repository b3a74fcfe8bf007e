"""Run folders: numbered, whole or called failed, never two runs in one, nothing lost to a kill."""

import fcntl
import json
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from longhaul import folder
from longhaul.folder import FolderTaken


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has a working folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(where: Path) -> set[str]:
    return {path.name for path in where.iterdir()}


def abandon(partial: Path) -> None:
    """Leave a partial folder as a run that was killed does: with files, held by nobody."""
    partial.mkdir(parents=True)
    (partial / "half").write_text("a line\n")


def attempt(final: Path, said: str = "", error: BaseException | None = None) -> None:
    """A run that says something, and may end badly."""
    with folder.new(final) as partial:
        (partial / "console.log").write_text(said)
        if error:
            raise error


# --- names ---------------------------------------------------------------------------------------


def test_the_first_run_is_number_one() -> None:
    assert folder.next_free("colossus") == Path("runs/colossus-1")


def test_numbers_go_on_after_the_highest_whatever_became_of_it() -> None:
    for name in ("metro-1", "metro-7.failed", ".metro-12.partial"):
        Path("runs", name).mkdir(parents=True)
    assert folder.next_free("metro") == Path("runs/metro-13")


@pytest.mark.parametrize(
    "other", ["metro-2-9", "xmetro-9", "metro-9.old", "metro-", "metro", "metroX9", "up-metro-9"]
)
def test_other_names_do_not_count(other: str) -> None:
    Path("runs", other).mkdir(parents=True)
    assert folder.next_free("metro") == Path("runs/metro-1")


def test_a_name_with_dots_in_it_is_taken_literally() -> None:
    Path("runs/aXb-5").mkdir(parents=True)
    assert folder.next_free("a.b") == Path("runs/a.b-1")


# --- writing -------------------------------------------------------------------------------------


def test_a_run_gets_its_name_only_when_it_is_whole(here: Path) -> None:
    final = here / "runs" / "metro-1"
    with folder.new(final) as partial:
        (partial / "summary.json").write_text("{}")
        assert names(here / "runs") == {".metro-1.partial"}
    assert names(here / "runs") == {"metro-1"}
    assert names(final) == {"summary.json"}


def test_a_folder_is_renamed_and_not_copied(here: Path) -> None:
    with folder.new(here / "a") as partial:
        inode = partial.stat().st_ino
    assert (here / "a").stat().st_ino == inode


def test_an_empty_folder_may_be_named(here: Path) -> None:
    (here / "a").mkdir()
    with folder.new(here / "a") as partial:
        (partial / "x").touch()
    assert names(here / "a") == {"x"}


def test_folders_above_are_made(here: Path) -> None:
    with folder.new(Path("b/c/d")):
        pass
    assert (here / "b/c/d").is_dir()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_run_that_ends_badly_is_called_failed_and_keeps_its_logs(
    here: Path, error: type[BaseException]
) -> None:
    with pytest.raises(error):
        attempt(here / "a", "why", error())
    assert names(here) == {"a.failed"}
    assert (here / "a.failed" / "console.log").read_text() == "why"


def test_a_second_failure_takes_the_place_of_the_first(here: Path) -> None:
    for why in ("first", "second"):
        with pytest.raises(ValueError, match=why):
            attempt(here / "a", why, ValueError(why))
    assert (here / "a.failed" / "console.log").read_text() == "second"


def test_a_success_leaves_an_older_failure_alone(here: Path) -> None:
    abandon(here / "a.failed")
    with folder.new(here / "a"):
        pass
    assert names(here) == {"a", "a.failed"}


# --- what is taken -------------------------------------------------------------------------------


def test_a_folder_with_something_in_it_is_not_touched(here: Path) -> None:
    (here / "a").mkdir()
    (here / "a" / "mine").write_text("dear")
    with pytest.raises(FolderTaken, match="a is not empty: name another folder with --out"):
        attempt(here / "a")
    assert (here / "a" / "mine").read_text() == "dear"
    assert names(here) == {"a"}


def test_two_runs_cannot_write_one_folder(here: Path) -> None:
    with folder.new(here / "a") as partial:
        (partial / "first").touch()
        with pytest.raises(FolderTaken, match="a is being written by another run"):
            attempt(here / "a")
    assert names(here / "a") == {"first"}


def test_a_file_of_that_name_is_not_touched(here: Path) -> None:
    (here / "a").write_text("dear")
    with pytest.raises(FolderTaken, match="a is not a folder"):
        attempt(here / "a")
    assert (here / "a").read_text() == "dear"


def test_a_symbolic_link_is_refused_before_the_run_begins(here: Path) -> None:
    (here / "link").symlink_to(here / "nowhere")
    with pytest.raises(FolderTaken, match="is a symbolic link"), folder.new(here / "link"):
        pytest.fail("the run began")
    assert [path.name for path in here.iterdir()] == ["link"]


def test_a_run_cannot_be_put_below_a_file(here: Path) -> None:
    (here / "a").write_text("dear")
    with pytest.raises(FolderTaken, match="a cannot be made: "):
        attempt(here / "a" / "b")


# --- what was left behind ------------------------------------------------------------------------


def test_what_a_killed_run_left_is_called_failed_by_the_next_one(here: Path) -> None:
    abandon(here / ".a.partial")
    with folder.new(here / "b"):
        pass
    assert names(here) == {"a.failed", "b"}
    assert (here / "a.failed" / "half").read_text() == "a line\n"


def test_a_killed_run_can_be_tried_again_under_the_same_name(here: Path) -> None:
    abandon(here / ".a.partial")
    with folder.new(here / "a") as partial:
        assert names(partial) == set()
    assert names(here) == {"a", "a.failed"}


def test_what_another_run_is_writing_is_left_alone(here: Path) -> None:
    abandon(here / ".a.partial")
    held = os.open(here / ".a.partial", os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with folder.new(here / "b"):
        pass
    os.close(held)
    assert names(here) == {".a.partial", "b"}


KILLED = """
import os, signal, sys
from pathlib import Path
from longhaul import folder
with folder.new(Path(sys.argv[1])) as partial:
    (partial / "half").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_run_that_is_really_killed_is_found_and_called_failed(here: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(here / "a")], check=False)
    assert killed.returncode == -9
    assert names(here) == {".a.partial"}
    folder.sweep(here)
    assert names(here) == {"a.failed"}


# --- scratch -------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_a_scratch_folder_goes_however_its_use_ends(
    here: Path, error: type[BaseException] | None
) -> None:
    try:
        with folder.scratch("up-metro") as partial:
            assert partial.parent == here / "runs"
            (partial / "plan.json").touch()
            if error:
                raise error
    except (ValueError, KeyboardInterrupt):
        assert error
    assert names(here / "runs") == set()


def test_two_scratch_folders_may_be_used_at_once() -> None:
    with folder.scratch("up-metro") as one, folder.scratch("up-metro") as two:
        assert one != two


def test_json_is_written_for_people(here: Path) -> None:
    folder.write_json(here / "x.json", {"link": "c1→c2"})
    text = (here / "x.json").read_text()
    assert "c1→c2" in text
    assert text.endswith("}\n")
    assert json.loads(text) == {"link": "c1→c2"}


def make_many(number: int) -> None:
    for i in range(40):
        with folder.new(Path("runs") / f"r{number}-{i}") as partial:
            (partial / "done").touch()


def test_runs_that_start_together_do_not_take_each_other_for_dead() -> None:
    context = multiprocessing.get_context("fork")
    makers = [context.Process(target=make_many, args=(number,)) for number in range(6)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert [maker.exitcode for maker in makers] == [0] * len(makers)
    assert names(Path("runs")) == {f"r{number}-{i}" for number in range(6) for i in range(40)}


def test_a_scratch_folder_beneath_a_link_is_named_without_it(here: Path) -> None:
    """A guest that sees the working folder would look for what the link leads to, and not find it."""
    elsewhere = here / "large-disk"
    elsewhere.mkdir()
    (here / "runs").symlink_to(elsewhere)
    with folder.scratch("up-metro") as partial:
        assert partial.is_dir()
        assert partial.parent == elsewhere.resolve()
    assert names(elsewhere) == set()
