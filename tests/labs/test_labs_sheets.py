"""A marked sheet in every form; grades of a course, and what is flagged in them."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from longhaul.folder import FolderTaken
from longhaul.labs import attempt, calls, draws, folders, sheets
from longhaul.labs.attempt import ANSWERS, Marked, unread
from longhaul.labs.catalogue import lab
from longhaul.labs.exercises import policy
from longhaul.labs.grading import Graded, flagged, grade_all, table
from longhaul.labs.guest import calling, policies
from longhaul.labs.marking import fair
from longhaul.labs.sheets import FORMS, MarkedSheet

SHEET = MarkedSheet(
    lab("1"),
    "ada",
    (
        Marked("round-trip", True, "39 ms", "39 ms"),
        Marked("ten-percent", False, "10 %", "<7> %", given=200.0),
    ),
)


def test_points_are_those_of_the_right_tasks() -> None:
    assert (SHEET.points, SHEET.lab.points, SHEET.whole) == (4, 10, False)


def test_a_wrong_task_is_told_with_its_form_and_a_hint() -> None:
    said = FORMS["text"](SHEET)
    assert "wrong  ten-percent: 0 of 6 points" in said
    assert lab("1").sheet.tasks["ten-percent"].hint in said
    assert lab("1").sheet.tasks["round-trip"].hint not in said


def test_junit_is_xml_with_a_failure_for_each_wrong_task() -> None:
    suite = ElementTree.fromstring(FORMS["junit"](SHEET))
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    failure = suite.find("testcase[@name='ten-percent']/failure")
    assert failure is not None
    assert "<7> %" in str(failure.get("message"))


def test_gradescope_adds_up() -> None:
    read = json.loads(FORMS["gradescope"](SHEET))
    assert read["score"] == sum(test["score"] for test in read["tests"]) == 4
    assert read["max_score"] == sum(test["max_score"] for test in read["tests"]) == 10
    assert [test["status"] for test in read["tests"]] == ["passed", "failed"]


def graded(who: str, given: object, right: bool) -> Graded:
    marks = (Marked("round-trip", True, "", ""), Marked("ten-percent", right, "", "", given, given))
    return Graded(f"{who}.zip", json.loads(FORMS["json"](MarkedSheet(lab("1"), who, marks))))


def test_a_wrong_answer_that_is_right_for_another_student_is_flagged() -> None:
    rows = flagged(
        [graded("ada", 204.2, True), graded("bob", 204.2, False), graded("eve", 99.0, False)]
    )
    assert [row.flags for row in rows] == [(), ("ten-percent is right for ada",), ()]


def test_the_table_has_a_row_for_each_and_no_formula() -> None:
    rows = [graded("ada", 1.0, True), Graded("=cmd.zip", {}, "-1 cannot be read")]
    read = list(csv.DictReader(table(rows).splitlines()))
    assert [(row["student"], row["points"], row["of"]) for row in read] == [
        ("ada", "10", "10"),
        ("", "0", ""),
    ]
    assert read[1]["submission"] == "'=cmd.zip"
    assert read[1]["problem"].startswith("'-1")


def test_only_a_teachers_sheet_has_the_references() -> None:
    sheet = replace(SHEET, marks=(Marked("round-trip", False, "", "", 1, 2),))
    assert json.loads(FORMS["json"](sheet))["tasks"][0]["right_is"] is None
    assert json.loads(FORMS["json"](replace(sheet, teachers=True)))["tasks"][0]["right_is"] == 2


def handed_in(folder: Path, who: str, product: str) -> None:
    """Lab 2 with the first answer alone, which needs no run."""
    one = lab("2")
    folders.new(one, folder / who, who, b"a secret of one course")
    (folder / who / ANSWERS).write_text(f"in-flight: {product}\nqueue: null\n")


def test_a_course_is_graded_flagged_and_graded_again_without_marking_again(tmp_path: Path) -> None:
    secret = tmp_path / "course.secret"
    secret.write_bytes(b"a secret of one course")
    everybody = tmp_path / "submissions"
    products = {}
    for who in ("ada", "bob"):
        drawn = draws.drawn(lab("2"), secret.read_bytes(), who, fair(lab("2")))
        products[who] = (
            f"{float(drawn['rate_Gbps']) * 1e9 / 8 * 2 * float(drawn['distance_km']) * 4.897e-6:.0f}B"
        )
    handed_in(everybody, "ada", products["ada"])
    handed_in(everybody, "bob", products["ada"])
    (everybody / "torn.zip").write_bytes(b"PK torn")
    heard: list[str] = []
    given = {"course": secret, "variants": None}
    for _ in range(2):
        rows = grade_all(everybody, tmp_path / "grades.csv", 2, given, heard.append)
    assert len(heard) == 3
    assert [(row.sheet.get("points"), row.flags) for row in rows] == [
        (2, ()),
        (0, ("in-flight is right for ada",)),
        (None, ()),
    ]
    assert "no zip" in rows[2].problem
    read = list(csv.DictReader((tmp_path / "grades.csv").read_text().splitlines()))
    assert [row["student"] for row in read] == ["ada", "bob", ""]


def test_what_cannot_be_marked_has_a_row_that_says_why(tmp_path: Path) -> None:
    """Links, pipes, damaged and huge archives, a made-up id, a part that an interrupted grading left."""
    everybody, table_ = tmp_path / "submissions", tmp_path / "grades.csv"
    handed_in(everybody, "ada", "null")
    folders.pack(everybody / "ada", lab("2"), everybody / "ada-again.zip")
    whole = (everybody / "ada-again.zip").read_bytes()
    (everybody / "bent.zip").write_bytes(whole[:60] + b"\0" * 40 + whole[100:])
    (everybody / "linked.zip").symlink_to(everybody / "ada-again.zip")
    os.mkfifo(everybody / "pipe.zip")
    with (everybody / "huge.zip").open("wb") as file:
        file.truncate(folders.MOST_ARCHIVE_BYTES + 1)
    handed_in(everybody, "eve", "null")
    own = everybody / "eve" / "lab.yaml"
    own.write_text(own.read_text().replace("student: eve", "student: ../../etc"))
    handed_in(everybody, "mal", "null")
    (everybody / "mal" / ANSWERS).unlink()
    (everybody / "mal" / ANSWERS).symlink_to("/etc/passwd")
    parts = tmp_path / "grades.csv.parts"
    parts.mkdir()
    (parts / "ada.json").write_text('{"key": "tor')
    rows = grade_all(everybody, table_, 2, {}, lambda _: None)
    problems = {row.name: row.problem for row in rows}
    wrong = {row.name: row.sheet["tasks"][0]["measured"] for row in rows if row.sheet}
    assert problems["ada"] == problems["ada-again.zip"] == ""
    assert [row.flags for row in rows][:2] == [("ada hands this in more than once",)] * 2
    assert "no zip file" in problems["bent.zip"]
    assert "neither" in problems["linked.zip"]
    assert "neither" in problems["pipe.zip"]
    assert "larger" in problems["huge.zip"]
    assert "student" in problems["eve"]
    assert "missing" in wrong["mal"]
    assert len(table_.read_text().splitlines()) == 1 + len(rows) == 9


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "1e999", "true", "null", '"5"', "[1]", "1" + "0" * 400]
)
def test_what_is_no_number_is_never_right(value: str) -> None:
    """Written past our own JSON by a student's program."""
    answer = calls._answered(f'{calling.ANSWER}{{"value": {value}}}')
    assert unread(answer)


def test_a_reference_that_another_check_is_making_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two that are marked at a time, the second one was told "is being written by another run", and got nothing."""
    monkeypatch.setattr(attempt, "LOOK_EVERY_S", 0.01)
    work = attempt.Attempt(lab("3"), tmp_path, "ada", {})
    place, tries = tmp_path / "kept", []

    def make() -> None:
        tries.append(1)
        if len(tries) == 3:
            place.mkdir()
        raise FolderTaken("is being written by another run")

    work._make(place, SimpleNamespace(name="light"), make)  # type: ignore[arg-type]
    assert len(tries) == 3


def test_an_error_is_told_by_the_line_of_the_students_own_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Called through a file of ours, whose lines say nothing to a student."""
    monkeypatch.chdir(tmp_path)
    Path("policy.py").write_text("def MyPolicy(routing):\n    return {}['nothing']\n")
    arguments = {"file": "policy.py", "links": [], "message_bytes": 1.0}
    call = {"file": policies.__file__, "function": "answered", "arguments": arguments}
    answer = json.loads(calling.answered(call))
    assert answer["error"] == "KeyError: 'nothing' (line 2 of policy.py)"


def test_paths_that_were_not_asked_for_are_refused() -> None:
    one = {"cut": None, "source": "c1", "sink": "c2", "paths": [["c1-c2"]]}
    assert policy.formed(one)
    assert (
        policy._wrong(1, [one] * 160)
        == policy._wrong(1, [one])
        == "answers that were not asked for"
    )
    odd: object
    for odd in (
        {},
        [],
        None,
        one | {"paths": 5},
        one | {"paths": [[5]]},
        one | {"paths": ["c1-c2"]},
    ):
        assert not policy.formed(odd)


def test_on_a_terminal_texts_are_folded_beside_what_they_are() -> None:
    line = "       hint      " + "what still comes: a frame that passes before the pause, " * 3
    told = sheets.folded(line, 80).splitlines()
    assert len(told) > 1
    assert all(len(one) <= 80 for one in told)
    assert told[0].startswith("       hint      what still")
    assert all(one.startswith(" " * 17) and one[17] != " " for one in told[1:])
    assert " ".join(" ".join(told).split()) == " ".join(line.split())
