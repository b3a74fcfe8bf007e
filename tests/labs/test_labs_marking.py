"""Every lab, as students meet it: what they begin with is wrong, the solution is right, each with parameters of
their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from longhaul.labs import draws
from longhaul.labs.catalogue import Lab
from longhaul.labs.folders import new
from longhaul.labs.marking import Teacher, attempt_of, marked
from tests.labs.conftest import CASES, solved

pytestmark = pytest.mark.usefixtures("kernel")


@pytest.mark.slow
@pytest.mark.parametrize(("one", "who"), CASES)
def test_what_a_student_begins_with_is_wrong_in_every_task(
    one: Lab, who: str, tmp_path: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(runs)
    new(one, tmp_path / "own", who, draws.PUBLIC)
    sheet = marked(attempt_of(tmp_path / "own", Teacher(), print))
    assert [mark for mark in sheet.marks if mark.right] == []


@pytest.mark.slow
@pytest.mark.parametrize(("one", "who"), CASES)
def test_the_solution_is_right_in_every_task(
    one: Lab, who: str, tmp_path: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(runs)
    folder = solved(one, tmp_path / "own", who)
    sheet = marked(attempt_of(folder, Teacher(), print))
    assert [mark for mark in sheet.marks if not mark.right] == []
