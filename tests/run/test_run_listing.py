"""`longhaul runs`: every folder is listed as what it is; only what is meant is removed."""

from __future__ import annotations

import fcntl
import json
import os
from datetime import datetime
from pathlib import Path

import pytest

from analysis.findings.summary import write_summary
from longhaul.cli import main
from longhaul.runs.listing import Wanted, listed
from tests.analysis.make_run import Scenario, make_run, uniform


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs of all states, and folders that are none."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "runs"
    write_summary(make_run(root / "good-1", uniform(4)))
    write_summary(make_run(root / "off-1", Scenario(faithful=False, iterations=4)))
    write_summary(make_run(root / "cut-1", uniform(4)))
    (root / "cut-1" / "summary.json").write_text('{"version": 1, "head')
    write_summary(make_run(root / "odd-1", uniform(4)))
    (root / "odd-1" / "manifest.json").write_text("[1]")
    (root / "died-1.failed" / "logs").mkdir(parents=True)
    (root / ".gone-1.partial" / "logs").mkdir(parents=True)
    (root / "trials" / "abc").mkdir(parents=True)
    (root / "link").symlink_to(root / "good-1")
    return root


def test_every_folder_is_listed_as_what_it_is(runs: Path) -> None:
    states = {one.name: one.state for one in listed(runs)}
    assert states == {
        "good-1": "faithful", "off-1": "unfaithful", "cut-1": "damaged", "odd-1": "damaged",
        "died-1.failed": "failed", "gone-1": "failed",
    }  # fmt: skip


def test_one_that_is_being_written_is_told_from_one_that_was(runs: Path) -> None:
    held = os.open(runs / ".gone-1.partial", os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    assert {one.state for one in listed(runs) if one.name == "gone-1"} == {"running"}
    assert main(["runs", "gone-1", "--remove", "--yes"]) == 2
    os.close(held)
    assert (runs / ".gone-1.partial").exists()


def test_filters_choose(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.utime(runs / "good-1", (0, 0))
    assert main(["runs", "--before", "2000-01-01", "--format", "json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["folder"], one["verdict"]) == ("runs/good-1", "faithful")
    assert one["iteration_s"] > 0
    assert main(["runs", "--verdict", "damaged", "--since", "1h", "--format", "json"]) == 0
    told = {one["folder"]: one["why"] for one in json.loads(capsys.readouterr().out)}
    assert told.keys() == {"runs/cut-1", "runs/odd-1"}
    assert "summary.json" in told["runs/cut-1"]


def test_the_table_fits_eighty_columns(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert runs.is_dir()
    assert main(["runs"]) == 0
    said = capsys.readouterr().out
    assert "UNFAITHFUL" in said
    assert max(map(len, said.splitlines())) <= 80


def test_only_what_is_meant_is_removed_and_only_when_that_is_said(runs: Path) -> None:
    assert main(["runs", "--remove", "--yes"]) == 2
    assert main(["runs", "--verdict", "failed", "--remove"]) == 2  # nobody to ask
    assert len(listed(runs)) == 6
    assert main(["runs", "--verdict", "failed", "--remove", "--yes"]) == 0
    assert {one.state for one in listed(runs)} == {"faithful", "unfaithful", "damaged"}
    assert main(["runs", "g*", "--remove", "--yes"]) == 0
    assert not (runs / "good-1").exists()
    assert (runs / "trials" / "abc").is_dir()


def test_no_folder_is_no_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert listed(Path("runs")) == []
    assert main(["runs"]) == 0


@pytest.mark.parametrize("when", ["yesterday", "3", "2 parsecs", "2026-13-01"])
def test_a_moment_that_is_none_is_refused(when: str) -> None:
    with pytest.raises(SystemExit):
        main(["runs", f"--since={when}"])


def test_what_is_wanted_is_between_two_moments(runs: Path) -> None:
    now = datetime.now().astimezone()
    assert [one for one in listed(runs) if Wanted(since=now).means(one)] == []
