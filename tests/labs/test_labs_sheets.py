"""A marked sheet in every form; grades of a course, and what is flagged in them."""

from __future__ import annotations

import csv
import json
from xml.etree import ElementTree

from longhaul.labs.attempt import Marked
from longhaul.labs.catalogue import lab
from longhaul.labs.grading import Graded, flagged, table
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
