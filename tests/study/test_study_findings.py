"""What studies say, where it is known what they must say: effects, turning verdicts, samples, a model that is wrong."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow.parquet
import pytest

from analysis.export import studies as exported
from analysis.form.study import StudyFindings
from analysis.report.study import turned, write_page
from analysis.studies.comparing import NotAlike, compare_studies
from analysis.studies.findings import findings
from analysis.studies.ruling import ruled
from analysis.studies.turning import wilson
from longhaul.studies.rows import WantedRow, read_units, table, write
from longhaul.studies.sampling import sample
from longhaul.studies.store import Record
from scenario.study.designs import design
from scenario.text.units import YEAR_S
from scenario.types.study import Study
from tests.analysis.browser import CUT_OFF, Browser
from tests.study.test_study_language import read

VARY = """\
vary:
  links.c1-c2.distance: {range: [0.001km, 10.001km], steps: 11}
  accelerators.H100.mfu: {range: [0.1, 0.6], steps: 6}
"""
MEASURE = "measure: [iterations.p50_s, lost, verdict]\nverdict: lost > 50%\n"
Figure = Callable[[float, float], float]


def found(  # noqa: PLR0913 - what a study asks, and what comes of it
    tmp_path: Path,
    more: str,
    time_s: Figure,
    lost: Figure,
    fabric: Figure | None = None,
    *,
    asked: str = VARY + MEASURE,
) -> tuple[Study, StudyFindings, pl.DataFrame]:
    """A study whose figures are functions of the first two things varied: the distance in km, the share of the peak."""
    study = read(tmp_path, asked + more)
    made = design(study)
    records, wanted = {}, []
    for point in made.points:
        x, z = point.values[0].number / 1000, point.values[1].number
        records[str(point.index)] = Record({"iterations.p50_s": time_s(x, z), "lost": lost(x, z)})
        seed = None if study.depth == "model" else 1
        wanted.append(WantedRow(point, seed, study.depth, str(point.index)))
    why: dict[int, str] = {}
    if study.depth == "model":
        why = sample(study, made.points, table(study, wanted, records))
        for index in why:
            x, z = (value.number for value in made.points[index].values)
            seen = (fabric or time_s)(x / 1000, z)
            records[f"run {index}"] = Record({"iterations.p50_s": seen, "lost": lost(x / 1000, z)})
            wanted.append(WantedRow(made.points[index], 1, "fabric", f"run {index}"))
    rows = table(study, wanted, records)
    return study, findings(study, made, rows, why, lambda _: None), rows


def far(x: float, _: float) -> float:
    return x / 10


def both(x: float, z: float) -> float:
    return 1 + 2 * x + 10 * z


def test_effects_are_the_means_of_the_rows_and_the_strongest_comes_first(tmp_path: Path) -> None:
    _, answer, rows = found(tmp_path, "", both, far)
    time_s = answer.measured[0]
    distance, share = time_s.effects
    assert (distance.path, share.path) == ("links.c1-c2.distance", "accelerators.H100.mfu")
    assert distance.span == pytest.approx(20)
    assert share.span == pytest.approx(5)
    assert [level.label for level in share.levels] == ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6"]
    assert distance.levels[0].mean == pytest.approx(1 + 0.002 + 3.5)
    assert distance.levels[0].count == 6
    assert time_s.least.value == pytest.approx(rows["iterations.p50_s"].min())
    assert "0.6" in time_s.most.says
    (pair,) = time_s.together
    assert pair.share == pytest.approx(0, abs=1e-12)  # they only add up
    assert time_s.heat
    assert len(time_s.heat.cells) == 6


def test_an_interaction_of_two_things_is_seen_in_a_grid(tmp_path: Path) -> None:
    _, answer, _ = found(tmp_path, "", lambda x, z: (x - 5.001) * (z - 0.35), far)
    (pair,) = answer.measured[0].together
    assert pair.share == pytest.approx(1, abs=1e-9)


def test_the_verdict_turns_where_it_does_and_by_what_turns_it(tmp_path: Path) -> None:
    _, answer, _ = found(tmp_path, "", both, far)
    verdict = answer.verdict
    assert verdict
    assert verdict.asked == "lost > 50%"
    assert sum(verdict.counts.values()) == 66
    assert verdict.counts == {
        "yes": 36,
        "no": 30,
    }  # 5.001 km and more, of 11 lengths; six shares each
    assert not verdict.drawn
    assert verdict.interval is None
    first, second = verdict.turns
    assert (first.path, first.span, second.span) == ("links.c1-c2.distance", 1, 0)
    assert verdict.boundary
    edges = {edges for _, cells in turned(verdict.boundary) for _, _, edges in cells}
    assert edges == {"", "edge-right"}


def test_a_drawn_design_says_a_probability_with_its_interval(tmp_path: Path) -> None:
    _, answer, _ = found(tmp_path, "design: latin-hypercube\npoints: 400\n", both, far)
    verdict = answer.verdict
    assert verdict
    assert verdict.drawn
    assert verdict.flips == pytest.approx(0.5, abs=0.01)
    assert verdict.interval == wilson(round(verdict.flips * 400), 400)
    assert "with a probability of" in answer.headline
    assert verdict.independent == 400


@pytest.mark.parametrize(("lost", "said"), [(0.1, "no"), (0.9, "every")])
def test_a_verdict_that_never_turns_is_said_of_all_points(
    lost: float, said: str, tmp_path: Path
) -> None:
    _, answer, _ = found(tmp_path, "", both, lambda *_: lost)
    assert answer.headline.startswith(f"lost > 50% holds at {said} point.")


def test_wilson_s_interval_is_the_textbook_s() -> None:
    low, high = wilson(10, 100)
    assert (round(low, 4), round(high, 4)) == (0.0552, 0.1744)


def test_the_costliest_cause_is_the_verdict_and_shares_sum_to_what_is_lost() -> None:
    none, a, b, ab = frozenset[str](), frozenset("a"), frozenset("b"), frozenset("ab")
    ruling = ruled({none: 1.1, a: 1.2, b: 1.6, ab: 2.0}, ["a", "b"], 1.0)
    assert ruling.verdict == "b"
    assert sum(ruling.shares.values()) == pytest.approx((2.0 - 1.0) / 2.0)
    assert ruled({none: 1.0, a: 1.001}, ["a"], 1.0).verdict == "nothing"
    assert ruled({none: 1.5, a: 1.6}, ["a"], 1.0).verdict == "links"


def test_a_model_that_is_right_is_believed_and_its_sample_is_where_it_matters(
    tmp_path: Path,
) -> None:
    study, answer, rows = found(tmp_path, "depth: model\nsample: {points: 12}\n", both, far)
    assert answer.sample
    assert answer.sample.concludes
    points = answer.sample.figures[0].points
    assert len(points) == 12
    reasons = [point.why for point in points]
    assert "least iterations.p50_s" in reasons
    assert "most iterations.p50_s" in reasons
    near = [point for point in points if point.why == "the verdict turns nearby"]
    assert len(near) >= 2
    kilometres = (
        rows.filter(pl.col("point").is_in([p.point for p in near]))["links.c1-c2.distance"] / 1000
    )
    assert set(kilometres.round(0)) <= {4.0, 5.0}
    assert "spread" in reasons
    assert study.sample.points == 12


def test_a_sample_is_of_points_of_different_settings(tmp_path: Path) -> None:
    """Blocks of a Sobol' design repeat points where what is exchanged is equal: here one of two words."""
    vary = "vary:\n  links.c1-c2.condition: [dry, damp]\n  workload.collective.algorithm: [ring, tree]\n"
    study = read(tmp_path, vary + MEASURE + "design: sobol\npoints: 48\ndepth: model\n")
    points = design(study).points
    records = {str(one.index): Record({"iterations.p50_s": 1.0, "lost": 0.1}) for one in points}
    wanted = [WantedRow(one, None, "model", str(one.index)) for one in points]
    chosen = sample(study, points, table(study, wanted, records))
    assert len({points[index].settings(study) for index in chosen}) == len(chosen) == 4


def test_indices_do_without_the_blocks_that_lack_a_point_and_say_so(tmp_path: Path) -> None:
    study = read(tmp_path, VARY + MEASURE + "design: sobol\npoints: 768\n")
    made = design(study)
    values = {one.index: 2 * one.values[0].number + one.values[1].number for one in made.points}
    wanted = [WantedRow(one, 1, "fabric", str(one.index)) for one in made.points]
    records = {str(i): Record({"iterations.p50_s": v, "lost": 0.1}) for i, v in values.items()}
    whole = findings(study, made, table(study, wanted, records), {}, lambda _: None)
    assert not [note for note in whole.notes if "blocks" in note]
    for failed in (3, 4, 100):  # of the first block two, of another one
        records[str(failed)] = Record(reason="the link is down")
    less = findings(study, made, table(study, wanted, records), {}, lambda _: None)
    assert made.block == 6
    assert "indices of iterations.p50_s are of 126 of 128 blocks" in " ".join(less.notes)
    for before, after in zip(whole.measured[0].indices, less.measured[0].indices, strict=True):
        assert before.path == after.path
        assert after.total == pytest.approx(before.total, abs=0.05)
    page = write_page(less, tmp_path / "study.html").read_text()
    assert "126 of 128 blocks" in page


def test_elementary_effects_do_without_trajectories_that_lack_a_point(tmp_path: Path) -> None:
    study = read(tmp_path, VARY + MEASURE + "design: morris\npoints: 60\n")
    made = design(study)
    wanted = [WantedRow(one, 1, "fabric", str(one.index)) for one in made.points]
    records = {
        str(one.index): Record({"iterations.p50_s": 3 * chance[0] + chance[1], "lost": 0.1})
        for one, chance in zip(made.points, made.chances, strict=True)
    }
    records["0"] = Record(reason="the link is down")
    found = findings(study, made, table(study, wanted, records), {}, lambda _: None)
    first, second = found.measured[0].elementary
    assert [first.mu_star, second.mu_star] == pytest.approx([3, 1])
    assert "19 of 20 blocks" in " ".join(found.notes)


def test_where_a_link_is_down_is_an_answer_and_no_failure(tmp_path: Path) -> None:
    vary = "vary:\n  links.c1-*.age: {range: [0y, 25y], steps: 6}\n  links.*.distance: [10mi, 1000mi]\n"
    study = read(tmp_path, vary + "measure: [iterations.p50_s, lost, verdict]\n")
    made = design(study)
    down = Record(reason="a link this old is down: it loses 99% of its packets")
    records = {
        str(one.index): down
        if one.values[0].number > 10 * YEAR_S and one.values[1].number > 1e6
        else Record({"iterations.p50_s": 1.0 + one.values[0].number, "lost": 0.1}, "aging")
        for one in made.points
    }
    records["0"] = Record(reason="the machine was unplugged")
    wanted = [WantedRow(one, 1, "fabric", str(one.index)) for one in made.points]
    rows = table(study, wanted, records)
    assert rows["status"].value_counts().sort("status").rows() == [
        ("done", 8), ("down", 3), ("failed", 1),
    ]  # fmt: skip
    answer = findings(study, made, rows, {}, lambda _: None)
    assert (answer.down, answer.failed) == (3, {"the machine was unplugged": 1})
    assert "in 3 of 12 rows a link is down" in answer.notes[0]
    assert answer.verdict
    assert answer.verdict.counts == {"aging": 8, "down": 3}
    heat = answer.measured[0].heat
    assert heat
    assert sorted(cell.down for row in heat.cells for cell in row) == [0] * 9 + [1] * 3
    assert "down</td>" in write_page(answer, tmp_path / "study.html").read_text().replace(
        '<span class="line fine"></span>', ""
    )


def test_every_column_of_the_file_has_its_unit(tmp_path: Path) -> None:
    study, _, rows = found(tmp_path, "", both, far)
    file = tmp_path / "results.parquet"
    write(rows, study, file)
    schema = pyarrow.parquet.read_schema(file)
    told = {one.name: (one.metadata or {}).get(b"unit") for one in schema}
    assert told == dict.fromkeys(rows.columns) | {
        "links.c1-c2.distance": b"m",
        "accelerators.H100.mfu": b"",
        "iterations.p50_s": b"s",
        "lost": b"1",
    }
    assert pl.read_parquet(file).equals(rows)
    assert pyarrow.parquet.read_table(file).num_rows == rows.height
    known = {name: unit.decode() for name, unit in told.items() if unit is not None}
    assert read_units(file) == known == json.loads(pl.read_parquet_metadata(file)["units"])


def test_a_model_that_is_wrong_somewhere_is_not_believed_anywhere(tmp_path: Path) -> None:
    def lossy(x: float, z: float) -> float:
        return both(x, z) * (1.2 if x > 9 else 1.0)

    _, answer, _ = found(tmp_path, "depth: model\nsample: {points: 12}\n", both, far, lossy)
    assert answer.sample
    assert not answer.sample.concludes
    assert answer.headline.startswith(
        "No conclusion: model and fabric differ by 20 % in iterations.p50_s"
    )
    page = write_page(answer, tmp_path / "study.html").read_text()
    assert "The model is not shown to be right here." in page


def test_the_page_is_one_file_that_needs_no_network_and_escapes_what_it_is_given(
    tmp_path: Path,
) -> None:
    evil = 'description: "<script>alert(1)</script>"\n'
    _, answer, _ = found(tmp_path, evil, both, far)
    page = write_page(answer, tmp_path / "study.html").read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "http" not in page.replace("Content-Security-Policy", "").replace("http-equiv", "")
    assert page.count('<svg class="chart wide"') == 2  # a tornado for each figure
    assert 'class="n edge-right"' in page


CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
PHONE = """<!doctype html><title>?</title><iframe width="390" height="900" srcdoc="{page}"></iframe><script>
onload = () => {{
  const page = document.querySelector("iframe").contentDocument.documentElement;
  document.title = page.scrollWidth + " of " + page.clientWidth;
}}
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize(
    "more", ["", "design: sobol\npoints: 96\n", "design: morris\npoints: 60\n"]
)
def test_the_page_is_no_wider_than_a_phone(tmp_path: Path, more: str) -> None:
    _, answer, _ = found(tmp_path, more, both, far)
    page = write_page(answer, tmp_path / "study.html").read_text()
    (tmp_path / "phone.html").write_text(PHONE.format(page=html.escape(page, quote=True)))
    done = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", f"--user-data-dir={tmp_path / 'browser'}",
            "--window-size=1300,900", "--dump-dom", f"file://{tmp_path / 'phone.html'}",
        ],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    told = re.search(r"<title>(\d+) of (\d+)</title>", done.stdout)
    assert told, done.stderr
    inner, width = int(told[1]), int(told[2])
    assert 300 < width <= 390
    assert inner <= width


LONG = """\
vary:
  workload.collective.algorithm: [ring, recursive_doubling, parameter_server]
  workload.model.parameters: [125e6, 7e9]
  links.c1-c2.distance: [10mi, 30mi, 1000mi]
measure: [iterations.p50_s]
"""


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_no_words_of_a_picture_are_cut_off_at_its_edges(tmp_path: Path) -> None:
    _, answer, _ = found(tmp_path, "", lambda x, _: 1 + x, far, asked=LONG)
    page = write_page(answer, tmp_path / "study.html")
    with Browser(tmp_path / "browser", page, 1280, 900) as browser:
        words = browser.run(
            "[...document.querySelectorAll('svg text')].map((one) => one.textContent)"
        )
        assert {"recursive_doub…", "parameter_serv…", "125e6", "7e9", "1000mi"} <= set(words)
        assert browser.run(CUT_OFF) == []


def test_rows_are_exported_with_units_for_programs_for_issues_and_for_papers(
    tmp_path: Path,
) -> None:
    _, answer, rows = found(tmp_path, "", both, far)
    units = {"links.c1-c2.distance": "m", "iterations.p50_s": "s"}
    head, first = exported.csv(answer, rows, units).splitlines()[:2]
    assert "links.c1-c2.distance [m]" in head
    assert first.startswith("fabric,0,1,")
    assert len(exported.markdown(answer, rows, units).splitlines()) == 66 + 6
    latex = exported.latex(answer, rows, units)
    assert r"iterations.p50\_s [s]" in latex
    assert latex.count(r"\\") == 67


def test_two_studies_are_compared_point_by_point(tmp_path: Path) -> None:
    _, one, rows = found(tmp_path, "", both, far)
    _, other, later = found(tmp_path, "", lambda x, z: both(x, z) + 0.5 + x / 100, far)
    compared = compare_studies((one, rows), (other, later))
    time_s, lost = compared.figures
    assert compared.rows == 66
    assert time_s.difference == pytest.approx(0.5 + 5.001 / 100)
    assert time_s.real
    assert not lost.real
    assert compared.verdicts == {"yes": 36, "no": 30}
    with pytest.raises(NotAlike, match="no point in common"):
        compare_studies(
            (one, rows), (other, later.with_columns(pl.col("accelerators.H100.mfu") + 7))
        )


def test_of_a_saltelli_design_the_points_drawn_by_themselves_alone_say_a_probability(
    tmp_path: Path,
) -> None:
    _, answer, rows = found(tmp_path, "design: sobol\npoints: 384\n", both, far)
    assert rows.height == 64 * 6
    assert answer.verdict
    assert answer.verdict.independent == 2 * 64  # the others are mixed of these
    assert answer.verdict.flips == pytest.approx(0.5, abs=0.05)
