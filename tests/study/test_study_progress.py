"""What a study says of how far it is: one line, as wide as a terminal at most."""

import pytest

from longhaul.shown.study import told
from longhaul.studies.carrying import Tally
from longhaul.studies.progress import ExtremePoint, Heard

FEW, MANY = ("ring", "10mi"), ("0.3813", "2.1dB", "17.3y", "damp", "412mi", "per-gpu", "overlapped")


def line(
    values: tuple[str, ...], width: int, failed: int = 0, figure: str = "iterations.p50_s"
) -> str:
    least, most = ExtremePoint(0.4312, 1794, values), ExtremePoint(4.8, 12, values)
    return told(
        "sensitivity-colossus",
        Heard("forecasts", Tally(2304, 512, failed), figure, least, most),
        width,
    )


def test_the_extremes_name_their_points_and_what_is_varied_there_where_there_is_room() -> None:
    said = line(FEW, 200)
    assert said == (
        "sensitivity-colossus: forecasts: 512 of 2304 done, iterations.p50_s 431 ms (point 1794: ring 10mi) "
        "to 4.8 s (point 12: ring 10mi)"
    )


def test_else_the_points_alone() -> None:
    said = "sensitivity-colossus: forecasts: 512 of 2304 done, "
    assert line(MANY, 110) == said + "iterations.p50_s 431 ms (point 1794) to 4.8 s (point 12)"
    assert line(MANY, 100) == said + "p50_s 431 ms (1794) to 4.8 s (12)"
    assert line(MANY, 60) == said.rstrip(", ")


@pytest.mark.parametrize("width", [78, 100])
@pytest.mark.parametrize("failed", [0, 17])
def test_a_line_is_no_wider_than_it_may_be(width: int, failed: int) -> None:
    assert len(line(MANY, width, failed)) <= width


def test_before_anything_is_found_there_are_no_extremes() -> None:
    assert (
        told("far", Heard("runs", Tally(24), "lost", None, None), 80) == "far: runs: 0 of 24 done"
    )
