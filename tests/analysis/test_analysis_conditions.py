"""`--fail-if`: paths and comparisons, and nothing else; what cannot be told is not passed over."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.checks.conditions import condition
from analysis.form.attribution import attribution_schema
from analysis.form.benchmark import benchmark_schema
from analysis.form.summary import summary_schema
from longhaul.machine.dispatch import MachineError
from longhaul.verbs.judging import Judge
from scenario.errors import WrongInput
from scenario.text.diagnostics import InvalidInput

SCHEMA = summary_schema()
FOUND: dict[str, Any] = {
    "iterations": {"p50_s": 3.2, "p99_s": 4.0},
    "faithful": False,
    "stalls": {"waste": 0.4, "one_campus": None, "by_rank": [{"share": 1}, {"compute_s": 0.5}]},
}


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("iterations.p50_s > 3", True),
        ("iterations.p50_s > 3.2s", False),
        ("iterations.p50_s >= 3200ms", True),
        ("stalls.waste > 39%", True),
        ("faithful == 0", True),
        ("not faithful", True),
        ("iterations.p99_s - iterations.p50_s > 700ms", True),
        ("not (stalls.waste > 50% or iterations.p50_s > 3s)", False),
        ("iterations.p99_s < iterations.p50_s", False),
        ("iterations.p50_s > 9 or stalls.waste > 0.3 and faithful == 0", True),
        ("iterations.p50_s > 3 and stalls.waste > 0.5", False),
        ("stalls.one_campus.waste > 0", None),
        ("stalls.one_campus.waste > 0 or iterations.p50_s > 3", True),
        ("stalls.by_rank[*].compute_s > 0.4", True),
        ("stalls.by_rank[0].compute_s > 0.4", None),
    ],
)
def test_a_condition_is_met_or_not_or_cannot_be_told(text: str, met: bool | None) -> None:
    assert condition(text, SCHEMA).met(FOUND) is met


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("iteration.p50_s > 3", 1, "did you mean iterations?"),
        ("1s > 2s or  iterations.p50 > 3", 23, "did you mean iterations.p50_s?"),
        ("iterations.p50_s", 1, "neither true nor false"),
        ("1 > 2", 1, "no figure"),
        ("iterations.p50_s > 3parsec", 20, "no number with a unit"),
        ("iterations.p50_s > 3mi", 18, "a duration compared with a distance"),
        ("stalls.waste > 3s", 14, "a number compared with a duration"),
        ("__import__('os').system('id') > 1", 11, "has ended before this"),
        ("iterations.p50_s > 1 > 2", 22, "has ended before this"),
        ("headline == 1", 1, "headline is no number"),
        ("x" * 2000, 1, "too long"),
        ("a-b > 1", 2, "not the path of a figure"),
        ("", 1, "a value is missing"),
    ],
)
def test_what_is_no_condition_is_told_with_its_place_before_the_run(
    text: str, column: int, said: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        condition(text, SCHEMA)
    (told,) = caught.value.diagnostics
    assert (told.file, told.line, told.col) == ("--fail-if", 1, column), str(told)
    assert said in str(told)


def test_rates_are_compared_in_bits_or_bytes_as_they_are_written() -> None:
    document = {"rows": [{"busbw_Bps": 50e9}]}
    for text, met in (("400Gbit/s", True), ("50GB/s", True), ("401Gbit/s", False)):
        assert condition(f"rows[*].busbw_Bps >= {text}", benchmark_schema()).met(document) is met


PARTS = [
    "iterations.p50_s",
    "stalls.by_rank[*].compute_s",
    "stalls.one_campus.waste",
    "faithful",
    "3s",
    "40%",
    "2",
]


@given(
    st.lists(
        st.sampled_from([*PARTS, "and", "or", "not", ">", "==", "+", "/", "(", ")", "'"]),
        max_size=30,
    )
)
def test_any_words_are_a_condition_or_wrong_input(words: list[str]) -> None:
    try:
        made = condition(" ".join(words), SCHEMA)
    except InvalidInput:
        return
    assert made.met(FOUND) in (True, False, None)
    assert made.met({}) in (True, False, None)


@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_wrong_input(text: str) -> None:
    try:
        condition(text, SCHEMA).met(FOUND)
    except WrongInput:
        return


def test_the_forms_of_other_verbs_have_figures_too() -> None:
    assert condition("rows[*].wrong > 0", benchmark_schema()).met({"rows": [{"wrong": 1}]})
    assert condition("lost_s > 1", attribution_schema()).met({"lost_s": 2.0})


def words(tmp_path: Path, *texts: str) -> argparse.Namespace:
    return argparse.Namespace(fail_if=list(texts), junit=tmp_path / "out.xml")


def test_a_condition_that_is_met_ends_with_one_and_stands_in_the_junit_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge = Judge(words(tmp_path, "iterations.p50_s > 3", "stalls.waste > 0.5"), "t.yaml", SCHEMA)
    assert judge.status([FOUND]) == 1
    assert "--fail-if 'iterations.p50_s > 3': iterations.p50_s is 3.2" in capsys.readouterr().err
    root = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert root.attrib == {"tests": "3", "failures": "1", "errors": "0"}


def test_what_cannot_be_told_is_not_passed(tmp_path: Path) -> None:
    judge = Judge(words(tmp_path, "stalls.one_campus.waste > 0"), "t.yaml", SCHEMA)
    assert judge.status([FOUND]) == 1
    assert ElementTree.parse(tmp_path / "out.xml").getroot().get("errors") == "1"


def test_a_run_that_dies_stands_in_the_junit_file(tmp_path: Path) -> None:
    judge = Judge(words(tmp_path), "t.yaml", SCHEMA)
    with pytest.raises(MachineError), judge.watching():
        raise MachineError("no kernel")
    assert "no kernel" in (tmp_path / "out.xml").read_text()
