"""The waterfall: steps that join, bars that fit, a page that escapes, a terminal of 80 columns."""

import io
from pathlib import Path

import msgspec
from rich.console import Console

from analysis.form.attribution import Attribution, TrialRun
from analysis.pictures.waterfall import LEFT, RIGHT, characters, waterfall
from analysis.report.attribution import write_page
from analysis.series.attribution import Cause, Trials, attribute
from analysis.series.shapley import subsets
from analysis.series.verdict import headline
from analysis.terminal.attribution import print_attribution

NAMES = ["distance", "aging", "<b>own</b>"]


def found(*seconds: tuple[float, ...]) -> Attribution:
    """An attribution of three causes; the third makes things faster."""
    causes = tuple(Cause(name, f"no {name}") for name in NAMES)
    rows = seconds or tuple(
        (2 + 1.0 * ("distance" in c) + 3.0 * ("aging" in c) - 0.5 * (NAMES[2] in c),) * 2
        for c in subsets(NAMES)
    )
    made = attribute(Trials(causes, dict(zip(subsets(NAMES), rows, strict=True))))
    runs = [TrialRun([], seed=1, folder="f", digest="d" * 64, iteration_s=1.0, faithful=False)]
    known = msgspec.structs.asdict(made)
    return Attribution(**known, name="<i>x</i>", without_effect=[], runs=runs, command="c")


def test_each_step_begins_where_the_one_before_ended() -> None:
    steps = waterfall(found()).steps
    assert [step.label for step in steps] == ["ideal", "aging", "distance", "<b>own</b>", "actual"]
    assert [step.kind for step in steps] == ["whole", "loss", "loss", "gain", "whole"]
    ideal, aging, distance, own, actual = steps
    assert aging.x == ideal.x + ideal.width
    assert abs(distance.x - (aging.x + aging.width)) < 1e-6
    assert abs(own.x + own.width - (distance.x + distance.width)) < 1e-6
    assert abs(actual.x + actual.width - own.x) < 1e-6
    assert aging.value == "+3 s"
    assert own.value == "−500 ms"
    assert all(LEFT <= s.x <= s.x + s.width <= RIGHT for s in steps)


def test_bars_of_characters_fit_their_width() -> None:
    rows = characters(found(), width=20)
    assert max(len(bar) for _, bar, _ in rows) == 20
    assert all(bar.strip() for _, bar, _ in rows)


def test_the_sentence_names_causes_by_what_they_cost() -> None:
    assert headline(found()) == (
        "An iteration takes 5.5 s, 3.5 s (64 %) of it lost: aging 86 %, distance 29 % and "
        "<b>own</b> −14 %."
    )
    nothing = found(*((1.0,),) * 8)
    assert headline(nothing).endswith("it would not be faster.")


def test_the_page_escapes_names_and_alarms_of_unfaithful_runs(tmp_path: Path) -> None:
    text = write_page(found(), tmp_path / "a.html").read_text()
    assert "<b>own" not in text
    assert "<i>x" not in text
    assert "1 of 1 runs were unfaithful" in text
    assert text.count("<rect") == 5


def test_what_is_not_detectable_has_no_share(tmp_path: Path) -> None:
    slower = tuple((1 + 1e-5 * ("distance" in c),) for c in subsets(NAMES))
    text = write_page(found(*slower), tmp_path / "a.html").read_text()
    assert text.count("not detectable") == 2 * len(NAMES)  # the picture's and the table's
    assert "100 %" not in text.split("<body")[1]
    assert "no price" not in text


def test_the_terminal_fits_80_columns_and_escapes_markup() -> None:
    out = io.StringIO()
    made = msgspec.structs.replace(found(), name="[bold]x[/]")
    print_attribution(made, Path("a.html"), Console(file=out, width=80, highlight=False))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert "[bold]x[/]" in lines[0]
    assert any(line.startswith("aging") and "86 %" in line and "▓" in line for line in lines)
