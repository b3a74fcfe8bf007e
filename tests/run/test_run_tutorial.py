"""The first hour, as a newcomer has it: every command of docs/tutorial.md, in order, in an empty folder."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.run.conftest import ROOT, Done, longhaul

BOOK = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(?:sh|text)\n(.*?)^```", BOOK, re.M | re.S)
TYPED = "".join(
    f"{line.partition('> ')[2]}\n" for line in BOOK.splitlines() if line.startswith("fabric 0.0")
)


def commands() -> list[list[str]]:
    """The words of every command."""
    lines = (line for block in BLOCKS for line in block.splitlines())
    return [shlex.split(line)[1:] for line in lines if re.match(r"longhaul [a-z]", line)]


@pytest.fixture(scope="module")
def hour(kernel: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Done]:  # noqa: ARG001
    """What each command came to, by its text."""
    desk = tmp_path_factory.mktemp("desk")
    (desk / "topologies").symlink_to(ROOT / "topologies")
    done = {}
    for words in commands():
        typed = TYPED if words[0] == "up" else None
        done[" ".join(words)] = longhaul(*words, cwd=desk, typed=typed, folder=desk)
    return done


@pytest.mark.slow
def test_every_command_of_the_first_hour_works(hour: dict[str, Done]) -> None:
    assert len(hour) > 10
    failed = {
        text: one.complaint[-2000:]
        for text, one in hour.items()
        if one.status != 0 and not text.startswith("doctor")  # which may find something to mend
    }
    assert failed == {}


@pytest.mark.slow
def test_the_slow_host_costs_what_the_text_says_it_does(hour: dict[str, Done]) -> None:
    desk = next(iter(hour.values())).folder
    before, slow, cut = (
        json.loads((desk / "runs" / name / "summary.json").read_text())
        for name in ("first", "slow", "cut")
    )
    told = slow["iterations"]["p50_s"] / before["iterations"]["p50_s"]
    assert told == pytest.approx(1.5, abs=0.05)
    assert slow["faithful"]
    assert cut["timeline"][0]["touched"]


@pytest.mark.slow
def test_nothing_is_left_but_the_named_runs(hour: dict[str, Done]) -> None:
    desk = next(iter(hour.values())).folder
    assert not list((desk / "runs").glob("mesh-*"))
    assert (desk / "runs" / "first" / "report.html").exists()
