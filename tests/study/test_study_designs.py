"""The points of a study: every combination once, the same at every reading, the whole space seen early."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario.study.designs import NoPoints, design
from scenario.types.study import Design
from tests.study.test_study_language import MEASURE, read

THREE = """\
vary:
  links.c1-c2.age: {range: [0y, 25y], steps: 6}
  links.c1-c3.distance: [10mi, 100mi, 1000mi]
  workload.collective.algorithm: [ring, tree]
"""


def made(tmp_path: Path, more: str, vary: str = THREE) -> Design:
    return design(read(tmp_path, vary + MEASURE + more))


def texts(found: Design) -> list[tuple[str, ...]]:
    return [tuple(value.text for value in point.values) for point in found.points]


def test_a_grid_has_every_combination_once_and_soon_the_ends_of_every_range(tmp_path: Path) -> None:
    found = texts(made(tmp_path, ""))
    assert len(found) == len(set(found)) == 36
    assert set(found[:2]) == {("0y", "10mi", "ring"), ("25y", "1000mi", "tree")}
    assert {(age, distance) for age, distance, _ in found[:8]} >= {
        ("0y", "1000mi"),
        ("25y", "10mi"),
    }


def test_one_at_a_time_begins_with_the_usual_and_changes_one_thing(tmp_path: Path) -> None:
    usual, *others = texts(made(tmp_path, "design: one-at-a-time\n"))
    assert usual == ("12y", "12mi", "ring")
    assert len(others) == 6 + 3 + 1
    assert all(sum(a != b for a, b in zip(usual, other, strict=True)) == 1 for other in others)


@pytest.mark.parametrize(
    ("name", "points", "expected"),
    [("random", 50, 50), ("latin-hypercube", 50, 50), ("sobol", 70, 64), ("morris", 50, 48)],
)
def test_a_drawn_design_is_the_same_at_every_reading_and_another_with_another_seed(
    name: str, points: int, expected: int, tmp_path: Path
) -> None:
    found, again, other = (
        texts(made(tmp_path, f"design: {name}\npoints: {points}\ndraw: {draw}\n"))
        for draw in (1, 1, 2)
    )
    assert len(found) == expected
    assert found == again != other


def test_a_latin_hypercube_has_one_point_in_every_slice_of_every_range(tmp_path: Path) -> None:
    vary = "vary: {links.c1-c2.age: {range: [0y, 20y]}, links.c1-c3.age: {range: [0y, 20y]}}\n"
    found = made(tmp_path, "design: latin-hypercube\npoints: 20\n", vary)
    for column in range(2):
        slices = sorted(
            int(point.values[column].number / (31557600 * 1.0)) for point in found.points
        )
        assert slices == list(range(20))


def test_constraints_leave_points_out_and_say_how_many(tmp_path: Path) -> None:
    clause = "links.c1-c3.distance <= 100mi or workload.collective.algorithm == 'ring'"
    found = made(tmp_path, f'constraints: ["{clause}"]\n')
    assert found.excluded == 6
    assert ("1000mi", "tree") not in {(d, w) for _, d, w in texts(found)}
    assert [point.index for point in found.points] == list(range(30))


def test_constraints_that_leave_nothing_and_designs_without_room_are_refused(
    tmp_path: Path,
) -> None:
    with pytest.raises(NoPoints, match="no point of 36"):
        made(tmp_path, 'constraints: ["links.c1-c2.age > 90y"]\n')
    with pytest.raises(NoPoints, match="needs 16 points"):
        made(tmp_path, "design: sobol\npoints: 15\n")


def test_a_range_of_whole_numbers_has_whole_values(tmp_path: Path) -> None:
    vary = "vary: {workload.collective.channels: {range: [1, 4]}}\n"
    assert {one for (one,) in texts(made(tmp_path, "", vary))} == {"1", "2", "3", "4"}
    drawn = {one for (one,) in texts(made(tmp_path, "design: random\npoints: 60\n", vary))}
    assert drawn == {"1", "2", "3", "4"}
