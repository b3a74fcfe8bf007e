"""A study's file: what is wrong with it is said with its place; what is right comes to values in SI."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.studies.measures import measurable, unit
from longhaul.cli import main
from scenario.study.loading import load_study
from scenario.text.diagnostics import InvalidInput
from scenario.text.units import YEAR_S
from scenario.types.study import Choices, Normal, Stretch, Study

ROOT = Path(__file__).parents[2]
HEAD = f"""\
longhaul: 1
kind: study
name: tried
topology: {ROOT}/topologies/colossus.yaml
workload: {ROOT}/traffic/workloads/training.yaml
"""
MEASURE = "measure: [iterations.p50_s, lost]\n"
VARY = "vary: {links.c1-c2.age: [0y, 10y]}\n"


def read(tmp_path: Path, body: str) -> Study:
    file = tmp_path / "tried.yaml"
    file.write_text(HEAD + body, encoding="utf-8")
    return load_study(file, measurable)


BAD = [
    ("vary: {links.c1-c2.age: {range: [25y, 0y]}}\n" + MEASURE, 6, 39, "does not go up"),
    ("vary: {link.*.age: [0y]}\n" + MEASURE, 6, 8, "nothing matches"),
    ("vary: {links.c9-*.age: [0y]}\n" + MEASURE, 6, 8, "nothing matches"),
    ("vary: {links.c1-c2.age: [0y, 5]}\n" + MEASURE, 6, 30, "needs its unit"),
    ("vary: {links.c1-c2.age: [0y, 0y]}\n" + MEASURE, 6, 30, "the same value again"),
    ("vary: {links.c1-c2.agee: [0y]}\n" + MEASURE, 6, 8, "unknown key"),
    ("vary: {wrokload.batch.tokens: [1Mi]}\n" + MEASURE, 6, 8, "unknown key"),
    (VARY + MEASURE + "set: {workload.batch.tokns: 1Mi}\n", 8, 7, "unknown key"),
    (VARY + MEASURE + "set: {links.*.condition: dmp}\n", 8, 26, "not one of the choices"),
    ("vary: {workload.batch.tokens: {range: [1Mi, 1mi]}}\n" + MEASURE, 6, 45, "two kinds"),
    ("vary: {links.c1-c2.age: {steps: 3}}\n" + MEASURE, 6, 8, "varied over nothing"),
    ("vary: {links.c1-c2.age: {values: [0y], range: [0y, 1y]}}\n" + MEASURE, 6, 8, "both values and range"),
    ("vary: {links.c1-c2.age: {normal: [3y, 0y]}}\n" + MEASURE, 6, 39, "no standard deviation"),
    ("vary: {links.c1-c2.age: {range: [0y, 9y], spacing: logarithmic}}\n" + MEASURE, 6, 34, "no logarithm"),
    ("vary: {links.c1-c2.age: {range: [0y, 9y], names: [a]}}\n" + MEASURE, 6, 43, "`names` goes with"),
    ("vary: {links.c1-c2.age: {values: [0y, 9y], names: [a]}}\n" + MEASURE, 6, 44, "1 names of 2"),
    ("vary: {}\n" + MEASURE, 6, 1, "too few entries"),
    (VARY + "measure: [iterations.p50s]\n", 7, 22, "iterations has no 'p50s'"),
    (VARY + "measure: ['stalls.by_rank[*].compute_s']\n", 7, 12, "not one figure"),
    (VARY + "measure: [verdict]\n", 7, 1, "nothing beside the verdict"),
    (VARY + MEASURE + "verdict: lost > 3%\n", 8, 1, "a verdict that is not measured"),
    (VARY + "measure: [lost, verdict]\nverdict: lost >\n", 8, 16, "a value is missing"),
    (VARY + "measure: [lost, verdict]\nverdict: loss > 3%\n", 8, 10, "no such name: loss"),
    (VARY + MEASURE + 'constraints: ["links.c1-c3.age < 3y"]\n', 8, 16, "no such name"),
    (VARY + MEASURE + 'constraints: ["links.c1-c2.age < 3mi"]\n', 8, 32, "a duration compared with a distance"),
    (VARY + "measure: [lost, verdict]\nverdict: lost > 3s\n", 8, 15, "a number compared with a duration"),
    (VARY + MEASURE + "design: sobol\npoints: 64\n", 8, 9, "for two things varied"),
    (VARY + MEASURE + "design: random\n", 8, 9, "`points` is missing"),
    (VARY + MEASURE + "points: 9\n", 8, 1, "says itself how many"),
    (VARY + MEASURE + "depth: model\nsample: {measure: [verdict]}\n", 9, 20, "not measured by the study"),
    (VARY + MEASURE + "sample: {points: 3}\n", 8, 1, "carried out already"),
    (VARY + "measure: [stalls.waste]\ndepth: model\n", 7, 11, "not a figure"),
    (VARY + MEASURE + "set: {links.c1-*.color: red, links.x-*.age: 3y}\n", 8, 30, "nothing matches"),
    (VARY + MEASURE + "seeds: 0\n", 8, 8, "out of bounds"),
    (VARY + MEASURE + "budget: {time: 30}\n", 8, 16, "needs its unit"),
    (VARY + MEASURE + "keep: some\n", 8, 7, "not one of the choices"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "line", "column", "message"), BAD, ids=lambda one: str(one)[:40])
def test_what_is_wrong_is_said_with_its_place(
    body: str, line: int, column: int, message: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(tmp_path, body)
    told = [(one.line, one.col) for one in caught.value.diagnostics if message in one.message]
    assert told == [(line, column)], str(caught.value)


def test_a_topology_that_is_not_there_and_one_that_is_wrong_are_told(tmp_path: Path) -> None:
    file = tmp_path / "tried.yaml"
    file.write_text("longhaul: 1\nkind: study\nname: x\ntopology: nowhere.yaml\n" + VARY + MEASURE)
    with pytest.raises(InvalidInput, match=r"tried\.yaml:4:11: error: no such file"):
        load_study(file)
    (tmp_path / "nowhere.yaml").write_text("longhaul: 1\nnam: x\n")
    with pytest.raises(InvalidInput, match=r"nowhere\.yaml:2:1: error: unknown key"):
        load_study(file)


def test_a_wrong_study_ends_with_status_2_and_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "tried.yaml"
    file.write_text(HEAD + VARY + "measure: [3]\n")
    assert main(["validate", str(file)]) == 2
    assert "tried.yaml:7:11: error: not text" in capsys.readouterr().err


def test_values_are_read_in_si_and_written_as_the_file_writes_them(tmp_path: Path) -> None:
    study = read(
        tmp_path,
        """vary:
  links.c1-*.age: {range: [0y, 25y], steps: 6}
  links.c1-c2.distance: [10mi, 100mi]
  accelerators.H100.mfu: {normal: [0.38, 0.02]}
  workload.collective.algorithm: [ring, hierarchical]
  workload.strategy:
    values: [{kind: plain}, {kind: ddp, bucket: 2GB}]
    names: [plain, overlapped]
"""
        + MEASURE,
    )
    age, distance, mfu, algorithm, strategy = study.varied
    assert age.targets == ("links.c1-c2.age", "links.c1-c3.age")
    assert isinstance(age.spread, Stretch)
    assert [one.text for one in age.spread.levels()] == ["0y", "5y", "10y", "15y", "20y", "25y"]
    assert age.spread.levels()[1].number == 5 * YEAR_S
    assert age.usual.text == "12y"  # as the topology has it
    assert isinstance(distance.spread, Choices)
    assert distance.spread.measured
    assert distance.spread.levels()[0].number == pytest.approx(16093.44)
    assert isinstance(mfu.spread, Normal)
    assert mfu.spread.at(0.5).text == "0.38"
    assert 0.31 < mfu.spread.at(0.0).number < 0.32
    assert isinstance(algorithm.spread, Choices)
    assert not algorithm.spread.measured
    assert [one.number for one in algorithm.spread.values] == [0, 1]
    assert strategy.spread.at(0.9).label == "overlapped"
    assert strategy.settings(strategy.spread.at(0.9)) == (
        'workload.strategy={"kind": "ddp", "bucket": "2GB"}',
    )


def test_figures_have_the_units_of_the_summary() -> None:
    asked = ("iterations.p50_s", "lost", "serving[0].first_token.p99_s", "world_size", "nonsense")
    assert [unit(one) for one in asked] == ["s", "1", "s", "", None]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "studies").glob("*.yaml")), ids=lambda path: path.stem
)
def test_every_shipped_study_loads_under_its_own_name_and_says_what_it_is_to_find_out(
    path: Path,
) -> None:
    study = load_study(path, measurable)
    assert study.name == path.stem
    assert study.description


def test_a_value_s_text_in_a_schema_s_words_is_on_one_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(tmp_path, VARY)
    assert r"\x0a" not in str(caught.value)
