"""Schedules of a user's own: read, shown to be right, written out again; and how any schedule is drawn."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from longhaul.cli import main
from scenario.text.diagnostics import InvalidInput
from tests.traffic.replay_in_memory import bytes_sent
from tests.traffic.steps import longest_chain
from traffic.collectives import ALGORITHMS, Layout, Options, make_schedule, results
from traffic.collectives.drawing import messages, svg, written
from traffic.collectives.proof import complaints
from traffic.schedule import Op

HALVES = """\
longhaul: 1
name: halves
kind: schedule
op: all_reduce
ranks: 2
chunks: 2
steps:
  - [{from: 0, to: 1, chunk: 1, do: reduce}, {from: 1, to: 0, chunk: 0, do: reduce}]
  - [{from: 0, to: 1, chunk: 0}, {from: 1, to: 0, chunk: 1}]
"""
TWO = Layout.one_campus(2)


def file(folder: Path, text: str, name: str = "own.yaml") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def test_a_schedule_in_a_file_is_what_it_says(tmp_path: Path) -> None:
    made = make_schedule("all_reduce", file(tmp_path, HALVES), TWO, 800)
    assert bytes_sent(made) == [800, 800]
    assert made[0] == (
        Op("send", 1, 400, 400),
        Op("reduce", 1, 0, 400),
        Op("send", 1, 0, 400, (1,)),
        Op("copy", 1, 400, 400, (0,)),
    )


def test_a_schedule_that_is_not_what_it_is_meant_to_be_is_refused(tmp_path: Path) -> None:
    wrong = HALVES.replace("chunk: 0, do: reduce", "chunk: 0")
    with pytest.raises(ValueError, match="is no all_reduce: rank 0 does not end with the bytes of"):
        make_schedule("all_reduce", file(tmp_path, wrong), TWO, 800)


def test_a_schedule_for_other_ranks_or_another_collective_is_refused(tmp_path: Path) -> None:
    path = file(tmp_path, HALVES)
    with pytest.raises(ValueError, match="halves is for 2 ranks, and there are 3"):
        make_schedule("all_reduce", path, Layout.one_campus(3), 800)
    with pytest.raises(ValueError, match="is a schedule for all_reduce, not for all_gather"):
        make_schedule("all_gather", path, TWO, 800)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("{from: 0, to: 1, chunk: 0}", "{from: 0, to: 2, chunk: 0}", r"9:\d+: error: no such rank"),
        ("{from: 0, to: 1, chunk: 0}", "{from: 0, to: 0, chunk: 0}", "a rank that sends to itself"),
        ("{from: 0, to: 1, chunk: 0}", "{from: 0, to: 1, chunk: 16}", "chunks beyond the buffers"),
        ("{from: 0, to: 1, chunk: 0}", "{from: 0, chunk: 0}", r"9:\d+: error: .*missing"),
        ("do: reduce", "do: multiply", r"8:\d+: error: "),
        ("op: all_reduce", "op: all_sum", "4:5: error: "),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_its_place(
    old: str, new: str, complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput) as caught:
        make_schedule("all_reduce", file(tmp_path, HALVES.replace(old, new)), TWO, 800)
    assert re.search(complaint, str(caught.value)), str(caught.value)


PYTHON = """
from traffic.collectives.building import copy, reduce

def star(build, members, piece):
    first, *others = members
    for other in others:
        build.step([reduce(other, first, piece)])
    for other in others:
        build.step([copy(first, other, piece)])

def half(build, members, piece):
    build.step([reduce(members[1], members[0], piece)])

def broken(build, members, piece):
    return members[99]
"""


def test_a_python_function_is_an_algorithm(tmp_path: Path) -> None:
    path = file(tmp_path, PYTHON, "own.py")
    made = make_schedule("all_reduce", f"{path}:star", Layout.one_campus(5), 400)
    assert bytes_sent(made) == [1600, 400, 400, 400, 400]


@pytest.mark.parametrize(
    ("function", "complaint"),
    [
        ("half", "own.py:half is no all_reduce: rank 0 does not"),
        ("broken", "own.py:broken: IndexError: range object index out of range (line 15)"),
        ("missing", "own.py has no function missing"),
    ],
)
def test_a_python_function_that_does_not_do_is_refused(
    function: str, complaint: str, tmp_path: Path
) -> None:
    path = file(tmp_path, PYTHON, "own.py")
    with pytest.raises(ValueError, match=re.escape(complaint)):
        make_schedule("all_reduce", f"{path}:{function}", Layout.one_campus(3), 400)


def test_a_python_file_that_is_not_there_or_does_not_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.py is no Python file"):
        make_schedule("all_reduce", "nowhere.py:ring", TWO, 400)
    path = file(tmp_path, "1 / 0", "own.py")
    with pytest.raises(ValueError, match=r"own\.py does not run: ZeroDivisionError"):
        make_schedule("all_reduce", f"{path}:ring", TWO, 400)


@pytest.mark.parametrize(("op", "algorithm"), sorted(ALGORITHMS))
@given(st.integers(2, 9), st.integers(1, 3))
@settings(max_examples=5)
def test_what_is_written_out_is_right_when_it_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, op: str, algorithm: str, ranks: int, campuses: int
) -> None:
    layout = Layout(tuple(f"c{rank % campuses}" for rank in range(ranks)))
    size = 4 * ranks * ranks
    drawn = messages(make_schedule(op, algorithm, layout, size))
    data = written(drawn, ranks, size, op, "own")
    path = tmp_path_factory.mktemp("own") / "own.yaml"
    path.write_text(yaml.safe_dump(data))
    assert sum(bytes_sent(make_schedule(op, str(path), layout, size))) == sum(
        x.piece.size for x in drawn
    )


@pytest.mark.parametrize(("op", "algorithm"), sorted(ALGORITHMS))
def test_the_proof_holds_for_all_algorithms_that_there_are(op: str, algorithm: str) -> None:
    layout, size = Layout(("a", "b", "a", "a", "b")), 4 * 5 * 24
    schedule = make_schedule(op, algorithm, layout, size)
    assert list(complaints(schedule, results(op, 5, size, Options()))) == []


@given(st.integers(2, 12))
def test_a_ring_is_drawn_in_as_many_steps_as_it_has_latencies(ranks: int) -> None:
    schedule = make_schedule("all_reduce", "ring", Layout.one_campus(ranks), 4 * ranks)
    drawn = messages(schedule)
    assert max(x.step for x in drawn) + 1 == longest_chain(schedule) == 2 * (ranks - 1)
    assert len(drawn) == 2 * (ranks - 1) * ranks


def test_a_drawing_has_an_arrow_per_message_and_no_markup_from_outside() -> None:
    drawn = messages(make_schedule("all_reduce", "ring", Layout.one_campus(3), 36))
    root = ElementTree.fromstring(svg(drawn, 3, "<script>&"))
    arrows = [path for path in root.iter() if path.get("marker-end")]
    assert len(arrows) == len(drawn) == 12
    assert root[0].text == "<script>&"


@pytest.mark.parametrize("form", ["text", "svg", "json", "yaml"])
def test_the_verb_prints_every_form(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schedule", "hierarchical", "--campuses", "2,3", "--format", form]) == 0
    out = capsys.readouterr().out
    reads = {"json": yaml.safe_load, "yaml": yaml.safe_load, "svg": ElementTree.fromstring}
    assert reads.get(form, str.splitlines)(out)


def test_the_verb_refuses_what_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schedule", "tree", "--op", "broadcast"]) == 2
    assert "'tree' is not an algorithm for broadcast: ring, binomial" in capsys.readouterr().err
