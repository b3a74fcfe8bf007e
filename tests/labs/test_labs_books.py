"""What the labs' READMEs tell a student to type is typed, in a student's folder; and each has what a README must
have."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from longhaul.labs import draws
from longhaul.labs.catalogue import LABS, Lab, labs
from longhaul.labs.folders import new
from longhaul.machine.kernel import cached_kernel

GUEST = ("run", "bench", "exec")
LATER = ("lab", "compare")
"""`lab` is tried elsewhere; what is compared must have been run."""
FAILS = {
    "longhaul schedule schedule.py:all_reduce --campuses 2,2",
    "longhaul schedule schedule.py:all_reduce -n 5",
}
FAILS |= {
    "longhaul bench campuses.yaml --algorithm schedule.py:all_reduce,ring --sizes 64M --check"
}
"""With the skeleton, whose mistake they show."""
LOSE = (2,)
"""Labs whose benchmarks are meant to lose packets; elsewhere they are held against a model without losses."""
PARTS = ("Theory", "Steps", "Your task", "How it is graded", "To read")
DONE = [
    pytest.param(one, id=one.folder.name, marks=pytest.mark.slow if one.number in (5, 9) else [])
    for one in labs().values()
    if one.number != 5 or cached_kernel()
]
"""Lab 5's folder is made by a run, lab 9 plans many retrofits."""


def book(one: Lab) -> str:
    return (one.folder / "README.md").read_text(encoding="utf-8")


def commands(one: Lab) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", book(one), re.M | re.S)
    return [line for block in blocks for line in block.splitlines() if line.startswith("longhaul ")]


@pytest.mark.parametrize("one", [pytest.param(one, id=one.folder.name) for one in labs().values()])
def test_a_readme_has_all_its_parts_and_a_picture(one: Lab) -> None:
    text = book(one)
    assert re.findall(r"^## (.*)$", text, re.M) == list(PARTS)
    assert "](picture.svg)" in text
    assert (one.folder / "picture.svg").is_file()
    assert any(line.endswith("picture.svg") for line in commands(one))
    assert "longhaul lab check" in commands(one)
    assert f"{one.sheet.minutes} minutes" in text
    told = sum(int(count) for count in re.findall(r"\((\d+)(?:, \d+)* (?:and \d+ )?points\)", text))
    assert told <= one.points


@pytest.mark.parametrize("one", DONE)
def test_every_command_of_a_readme_does_what_it_should(one: Lab, tmp_path: Path) -> None:
    """Those that need a guest only where LONGHAUL_LABS is set."""
    own = tmp_path / "own"
    new(one, own, "ada", draws.PUBLIC)
    for line in commands(one):
        words, _, out = line.partition(" > ")
        verb = words.split()[1]
        if (
            verb in LATER
            or "runs/" in words
            or (verb in GUEST and "LONGHAUL_LABS" not in os.environ)
        ):
            continue
        told = subprocess.run(
            [sys.executable, "-P", "-m", "longhaul", *shlex.split(words)[1:]],
            cwd=own, capture_output=True, text=True, check=False,
        )  # fmt: skip
        status = 2 if line in FAILS else 1 if verb == "exec" and one.number == 7 else 0
        assert told.returncode == status, (line, told.stderr[-2000:])
        assert "UNFAITHFUL" not in told.stdout, line
        assert one.number in LOSE or "had some dropped" not in told.stdout, line
        if out:
            (own / out).write_text(told.stdout)


def test_the_course_names_every_lab() -> None:
    text = (LABS / "README.md").read_text(encoding="utf-8")
    assert [
        one.folder.name for one in labs().values() if f"({one.folder.name}/README.md)" not in text
    ] == []
    assert len(labs()) == 12
