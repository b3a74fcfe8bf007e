"""Comparing runs: what is real, what is chance, and what is the same to the nanosecond."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from analysis.report.compare import forest, render_comparison, sentence
from analysis.run import Run, load_run
from analysis.series.compare import Comparison, compare, holm, things
from analysis.series.settings import Contrast, set_differently
from analysis.terminal.compare import print_comparison
from tests.analysis.make_run import Scenario, make_run, uniform

NOISY = uniform(4, jitter=0.05, iterations=25, messages=False)


def run_of(path: Path, made: Scenario) -> Run:
    return load_run(make_run(path, made))


def shown(found: Comparison) -> str:
    out = io.StringIO()
    print_comparison(found, Console(file=out, width=80, highlight=False))
    return out.getvalue()


def test_equal_runs_are_identical_and_said_to_be(tmp_path: Path) -> None:
    found = compare([run_of(tmp_path / "a", NOISY), run_of(tmp_path / "b", NOISY)])[0]
    assert found.identical
    assert "identical, every event to the nanosecond" in shown(found)


def test_what_was_set_differently_is_said(tmp_path: Path) -> None:
    folders = [make_run(tmp_path / name, NOISY) for name in "ab"]
    same = compare([load_run(folder) for folder in folders])[0]
    assert set_differently(same.before, same.after) == []
    assert "Nothing was set differently" in render_comparison([same])
    manifest = json.loads((folders[1] / "manifest.json").read_text())
    (file,) = manifest["inputs"]
    changed = {
        "inputs": {"other.yaml": "ab" * 32},
        "overrides": ["links.*.distance=1000mi"],
        "without": ["aging"],
        "seed": 2,
    }
    (folders[1] / "manifest.json").write_text(json.dumps(manifest | changed))
    found = compare([load_run(folder) for folder in folders])[0]
    assert set_differently(found.before, found.after) == [
        Contrast(f"file {file}", "SHA-256 5f3c5f3c5f3c…", "not read"),
        Contrast("seed", str(manifest["seed"]), "2"),
        Contrast("file other.yaml", "not read", "SHA-256 abababababab…"),
        Contrast("--set links.*.distance", "as the files have it", "1000mi"),
        Contrast("--without aging", "as the files have it", "switched off"),
    ]
    page = render_comparison([found])
    assert "links.*.distance" in page
    assert "switched off" in page


def test_a_planted_difference_is_real_and_its_interval_holds_it(tmp_path: Path) -> None:
    slower = replace(NOISY, slowdown={1: 1.2}, seed=7, name="slower")
    found = compare([run_of(tmp_path / "a", NOISY), run_of(tmp_path / "b", slower)])[0]
    wait = {one.figure: one for one in found.differences}
    # Rank 1 takes 0.084 s longer, a quarter of that on the mean; chance had made others late before.
    assert wait["compute"].interval.holds(0.084 / 4)
    assert wait["iteration"].real
    assert 0.04 < wait["iteration"].interval.low < wait["iteration"].interval.high < 0.1
    assert not found.identical
    assert "yes" in shown(found)


def test_a_longer_tail_is_told_from_a_longer_iteration(tmp_path: Path) -> None:
    plain = replace(NOISY, iterations=401)
    heavy = {(1, number): 2.0 for number in range(10, 401, 15)}
    tailed = replace(plain, seed=7, name="tailed", throttled=heavy)
    found = compare([run_of(tmp_path / "a", plain), run_of(tmp_path / "b", tailed)])[0]
    by_name = {one.figure: one for one in found.differences}
    assert by_name["iteration p99"].real
    # Rank 1 computes 0.42 s longer in one iteration out of fifteen.
    assert by_name["iteration p99"].after_s - by_name["iteration p99"].before_s > 0.3
    assert abs(by_name["iteration p50"].after_s - by_name["iteration p50"].before_s) < 0.01


@pytest.mark.slow
def test_chance_alone_is_real_about_once_in_twenty(tmp_path: Path) -> None:
    base = run_of(tmp_path / "base", NOISY)
    others = [
        run_of(tmp_path / f"{i}", replace(NOISY, seed=100 + i, name=f"o{i}")) for i in range(30)
    ]
    found = [compare([base, other])[0].differences[0] for other in others]
    again = [
        compare([a, b])[0].differences[0] for a, b in zip(others[::2], others[1::2], strict=True)
    ]
    assert sum(one.real for one in found + again) <= 8


def test_runs_that_differ_in_their_seed_alone_are_samples_of_one_thing(tmp_path: Path) -> None:
    seeds = [run_of(tmp_path / f"s{i}", replace(NOISY, seed=i)) for i in range(3)]
    other = run_of(tmp_path / "o", replace(NOISY, name="other"))
    found = things([*seeds, other])
    assert [len(one.runs) for one in found] == [3, 1]
    assert found[0].name == "s0 and 2 more"


def test_seeds_of_one_thing_alone_are_compared_with_each_other(tmp_path: Path) -> None:
    seeds = [run_of(tmp_path / f"s{i}", replace(NOISY, seed=i)) for i in range(2)]
    found = compare(seeds)
    assert len(found) == 1
    assert not found[0].identical
    assert "one seed" in shown(found[0])


def test_the_sentence_of_a_difference_says_two_times_that_differ(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / f"s{i}", replace(NOISY, seed=i)) for i in range(2)]
    (found,) = compare(runs)
    (iteration,) = [one for one in found.differences if one.figure == "iteration"]
    near = replace(iteration, before_s=21.67690, after_s=21.67830)
    others = tuple(one for one in found.differences if one is not iteration)
    said = sentence(replace(found, differences=(near, *others)))
    assert "went from 21.677 s to 21.678 s (+0.0065 %)" in said


def test_the_same_comparison_gives_the_same_intervals(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / f"s{i}", replace(NOISY, seed=i)) for i in range(2)]
    assert compare(runs)[0].as_dict() == compare(runs)[0].as_dict()


def test_the_terminal_fits_80_columns(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / f"s{i}", replace(NOISY, seed=i)) for i in range(2)]
    assert max(map(len, shown(compare(runs)[0]).splitlines())) <= 80


@pytest.mark.parametrize("form", ["json", "text"])
def test_the_verb_compares_run_folders(tmp_path: Path, form: str) -> None:
    folders = [make_run(tmp_path / f"s{i}", replace(NOISY, seed=i)) for i in range(2)]
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "longhaul",
        "compare",
        *folders,
        "--format",
        form,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if form == "json":
        figures = json.loads(done.stdout)[0]["differences"]
        assert [one["figure"] for one in figures] == [
            "iteration",
            "compute",
            "sync wait",
            "transfer",
            "iteration p50",
        ]


def test_what_is_no_run_is_told_plainly(tmp_path: Path) -> None:
    command: list[str | Path] = [sys.executable, "-m", "longhaul", "compare", tmp_path, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "not the folder of a finished run" in done.stderr


def test_holms_correction_asks_more_of_the_first_than_of_the_last() -> None:
    """Holm 1979: 0.01 and 0.02 of three fall at 0.05/3 and 0.05/2, 0.04 would at 0.05; 0.02 alone of four does not."""
    assert holm([0.04, 0.01, 0.02]) == [True, True, True]
    assert holm([0.5, 0.02, 0.9, 0.8]) == [False, False, False, False]
    assert holm([0.01, 0.04, 0.9]) == [True, False, False]


def test_a_page_says_what_differs_and_needs_nobody(tmp_path: Path) -> None:
    slower = replace(NOISY, slowdown={1: 1.2}, seed=7, name="slower")
    run_of(tmp_path / "a", NOISY)
    run_of(tmp_path / "<b>", slower)
    page = tmp_path / "page.html"
    command = ["compare", str(tmp_path / "a"), str(tmp_path / "<b>"), "--html", str(page)]
    done = subprocess.run(
        [sys.executable, "-m", "longhaul", *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert "a real difference" in text
    assert "&lt;b&gt;" in text
    assert "<b>:" not in text
    assert "http" not in text.split("</style>")[1].split("<script>")[0]


def test_every_interval_of_the_picture_lies_on_its_axis(tmp_path: Path) -> None:
    slower = replace(NOISY, slowdown={1: 1.2}, seed=7, name="slower")
    found = compare([run_of(tmp_path / "a", NOISY), run_of(tmp_path / "b", slower)])[0]
    picture = forest(found.differences)
    for row, one in zip(picture.rows, found.differences, strict=True):
        assert 150 <= row.low <= row.middle <= row.high <= 760
        assert (row.low > picture.zero) == (one.interval.low > 0)
