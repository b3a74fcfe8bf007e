"""`longhaul aging`: what the model says of a span, as a table, as JSON and as a picture."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from longhaul.cli import main
from longhaul.verbs.aging import ages
from scenario.loading import Span, aging_table
from scenario.text.units import YEAR_S

SPAN = ("--distance", "16km", "--margin", "0dB")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("20", [20]),
        ("20y", [20]),
        ("0..3", [0, 1, 2, 3]),
        ("0y..20y:5y", [0, 5, 10, 15, 20]),
        ("0..1:0.25", [0, 0.25, 0.5, 0.75, 1]),
        ("1..4:2", [1, 3]),
    ],
)
def test_ages_are_a_year_or_a_range_with_steps(text: str, years: list[float]) -> None:
    assert list(ages(text)) == years


@pytest.mark.parametrize(
    "age", ["25..3", "-1", "0..101", "0..5:0", "0..5:-1", "x", "0..1:1e-9", ""]
)
def test_ages_that_are_none_are_refused(age: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["aging", *SPAN, f"--age={age}"])
    assert ended.value.code == 2
    assert f"argument --age: {age!r} is not" in capsys.readouterr().err


def test_a_distance_needs_its_unit(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["aging", "--distance", "16"])
    assert "did you mean 16m, 16km, 16mi?" in capsys.readouterr().err


def test_json_is_what_the_model_says(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--condition", "damp", "--age", "10..30:10", "--mtu", "1500", "--rate", "400G")
    assert main(["aging", *SPAN, *words, "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    ages_s = [year * YEAR_S for year in (10, 20, 30)]
    states = aging_table(Span(16e3, 0.0, "damp", 0.0), ages_s, "loss", 1500)
    assert [row["packet_loss"] for row in rows] == [state.packet_loss for state in states]
    assert [row["age_s"] for row in rows] == ages_s
    assert {row["rate_bps"] for row in rows} == {400e9}


def test_a_table_of_one_condition_shows_the_whole_chain(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("--condition", "waterlogged", "--age", "0..10:5", "--mode", "step", "--rate", "400G")
    assert main(["aging", *SPAN, *words]) == 0
    told = capsys.readouterr().out
    assert "400 Gbit/s" in told
    assert "100 Gbit/s" in told
    assert "● waterlogged" in told


def test_without_a_condition_all_are_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["aging", *SPAN, "--age", "0..20:10"]) == 0
    told = capsys.readouterr().out
    assert "packet loss: ● dry, ▲ damp, ■ waterlogged" in told
    assert "down" in told


@pytest.mark.parametrize("mode", ["loss", "step"])
def test_a_plot_has_a_line_per_condition_and_a_text_alternative(
    mode: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "aging.svg"
    assert main(["aging", *SPAN, "--mode", mode, "--plot", str(file)]) == 0
    assert capsys.readouterr().out
    picture = ET.fromstring(file.read_text(encoding="utf-8"))
    assert picture.get("role") == "img"
    titles = [title.text for title in picture.findall(f"{SVG}path/{SVG}title")]
    assert titles == ["dry", "damp", "waterlogged"]
    assert "16 km" in (picture.findtext(f"{SVG}title") or "")


def test_a_plot_that_cannot_be_written_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["aging", *SPAN, "--plot", str(tmp_path / "no" / "a.svg")]) == 2
    assert "a.svg cannot be written: No such file" in capsys.readouterr().err


def test_the_spread_tells_how_many_links_stand_at_each_rate(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [
        "aging",
        "--distance",
        "10mi",
        "--condition",
        "waterlogged",
        "--age",
        "10",
        "--mode",
        "step",
    ]
    assert main([*words, "--spread"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    shares = [int(share) for share in re.findall(r"(\d+)% (?:\d+ %|down)", told)]
    assert "400 links drawn" in told
    assert len(shares) > 3
    assert sum(shares) == pytest.approx(100, abs=3)
