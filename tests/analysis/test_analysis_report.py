"""The report: geometry, what it says, that names cannot break out of it, that it needs no network."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.findings.summary import write_summary
from analysis.pictures.arcs import health
from analysis.pictures.charts import (
    Series,
    distributions,
    nice_ticks,
    stacked_bars,
    survivals,
    time_labels,
)
from analysis.pictures.fabric_map import fabric_map, tiers
from analysis.pictures.lanes import (
    activity_spans,
    message_timeline,
    rank_timeline,
    typical_iteration,
)
from analysis.report.page import write_report
from analysis.run import load_run
from tests.analysis.make_run import Link, Scenario, make_run, uniform

EVIL = '</script><img src=x onerror="alert(1)">{{ 7*7 }}\u2028'


class Page(HTMLParser):
    """Tags with their attributes, scripts, and the visible text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text = ""
        self._inside: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            attributes, text = self.scripts.pop()
            self.scripts.append((attributes, text + data))
        elif self._inside != "style":
            self.text += data

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self._inside = None

    def data(self) -> list[dict[str, Any]]:
        """The embedded data."""
        return [
            json.loads(text)
            for attributes, text in self.scripts
            if attributes.get("class") == "data"
        ]


def report(tmp_path: Path, scenario: Scenario | None = None) -> Page:
    """The report of a made run."""
    path = make_run(tmp_path / "run", scenario)
    write_summary(path)
    return Page(write_report(path).read_text(encoding="utf-8"))


def unpack(packed: list[int]) -> list[tuple[int, int, int, int]]:
    """Spans of a packed lane as the page's script reads them: start, end, kind, mark."""
    spans, at, mark = [], 0, 0
    for gap, length, code in zip(packed[::3], packed[1::3], packed[2::3], strict=True):
        start, at = at + gap, at + gap + length
        mark += code // 4
        spans.append((start, at, code % 4, mark))
    return spans


def evil() -> Scenario:
    """Names that try to break out of text, attributes, JSON and templates."""
    return Scenario(
        name=EVIL,
        hosts={EVIL: (EVIL,) * 2, "b": ("GB200",) * 2},
        links=(Link(EVIL, "b", 1e-4, 5e6, condition=EVIL),),
        compute_s={EVIL: 1.0, "GB200": 0.4},
        iterations=3,
        faithful=False,
    )


def test_names_cannot_inject_anything(tmp_path: Path) -> None:
    page = report(tmp_path, evil())
    assert not [tag for tag, _ in page.tags if tag in {"img", "iframe", "object", "link", "base"}]
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert len(page.scripts) == 5, (
        "two timelines, crossings, rank by rank, and the page's own script"
    )
    assert page.data()[0]["lanes"][0]["campus"] == EVIL
    assert EVIL.removesuffix("\u2028") in page.text


def test_the_page_admits_no_script_but_its_own_and_no_network(tmp_path: Path) -> None:
    page = report(tmp_path, uniform())
    policy = next(a["content"] for tag, a in page.tags if "http-equiv" in a and tag == "meta")
    assert policy is not None
    assert re.fullmatch(
        r"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-[\w+/]+='", policy
    )
    assert not [a for _, a in page.tags if "src" in a]
    assert all((a.get("href") or "#").startswith("#") for _, a in page.tags)


def test_the_report_says_what_the_summary_says(tmp_path: Path) -> None:
    page = report(tmp_path)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    for text in (summary["headline"], summary["digest"], "n<100", "no RDMA"):
        assert text in page.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "every fidelity check passed" not in page.text
    assert "3.4 packets fill memphis-whitehaven for a round trip" in page.text
    assert "Unfaithful run" not in page.text


def test_an_unfaithful_run_alarms(tmp_path: Path) -> None:
    page = report(tmp_path, Scenario(faithful=False, iterations=3))
    assert ("div", {"class": "alarm", "role": "alert"}) in page.tags
    assert "✗ unfaithful" in page.text


def test_every_picture_has_a_text_and_every_scrolling_box_can_be_focused(tmp_path: Path) -> None:
    page = report(tmp_path)
    for tag, attributes in page.tags:
        if tag == "svg":
            assert attributes.get("aria-label") or attributes.get("aria-hidden") == "true"
        if attributes.get("class") == "scroll":
            assert attributes["tabindex"] == "0"
            assert attributes["aria-label"]


def test_a_run_without_messages_or_links_has_a_report_too(tmp_path: Path) -> None:
    page = report(tmp_path, uniform(2, messages=False))
    assert len(page.data()) == 1
    assert "Inside the slowest collective" not in page.text


def test_a_timeline_holds_every_span_of_every_rank(tmp_path: Path) -> None:
    run = load_run(make_run(tmp_path / "run", uniform(3, slowdown={1: 1.5})))
    found = rank_timeline(run)
    spans = [unpack(list(lane)) for lane in found.packed]
    kinds = [[kind for _, _, kind, _ in lane] for lane in spans]
    assert kinds == [[0, 1, 2] * 3, [0, 2] * 3, [0, 1, 2] * 3]
    assert [mark for _, _, _, mark in spans[1]] == [0, 0, 1, 1, 2, 2]
    assert [mark.last for mark in found.marks] == ["1 · home-01"] * 3
    first = activity_spans(run.measured).row(0, named=True)
    took = (first["end_ns"] - first["start_ns"]) // 1000
    assert spans[0][0][1] - spans[0][0][0] == pytest.approx(took, abs=1)


def test_a_timeline_too_long_shows_the_iterations_around_the_slowest_and_says_so(
    tmp_path: Path,
) -> None:
    run = load_run(make_run(tmp_path / "run", uniform(3, iterations=21, jitter=0.1)))
    found = rank_timeline(run, limit=45)  # 180 spans: a quarter of them
    slowest = run_slowest(run)
    assert len(found.marks) == 5
    assert str(slowest) in [mark.label for mark in found.marks]
    assert found.note.startswith("5 of 20 measured iterations")
    assert f"around the slowest ({slowest})" in found.note


def run_slowest(run: Any) -> int:
    """The slowest measured iteration."""
    ends = run.measured.group_by("iteration").agg(pl.col("end_ns").max()).sort("iteration")
    before = run.events.filter(pl.col("iteration") == 0)["end_ns"].max()
    times = ends.with_columns(took=pl.col("end_ns") - pl.col("end_ns").shift().fill_null(before))
    return int(times.sort("took")["iteration"][-1])


def test_messages_too_many_to_show_are_those_between_campuses(tmp_path: Path) -> None:
    run = load_run(make_run(tmp_path / "run", Scenario(iterations=3)))
    everything, some = message_timeline(run), message_timeline(run, limit=10)
    assert everything is not None
    assert some is not None
    assert [lane["rank"] for lane in some.lanes] == [0, 8, 16]
    assert [lane["from"] for lane in some.lanes][1] == "7 · memphis-07"
    assert "138 of 1104 messages: those between campuses" in some.note
    assert "All 1104 messages" in everything.note


def test_the_typical_iteration_fills_its_width(tmp_path: Path) -> None:
    _, found = typical_iteration(load_run(make_run(tmp_path / "run", uniform(3))))
    assert min(one.begin for one in found) == 0
    assert max(one.begin + one.width for one in found) == pytest.approx(1)
    assert {one.lane for one in found} == {0, 1, 2}


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_ticks_are_round_and_within_the_axis(low: float, length: float) -> None:
    high = low + length
    if high - low < abs(low) * 1e-9:
        return
    ticks = nice_ticks(low, high)
    assert 2 <= len(ticks) <= 11
    slack = (high - low) * 1e-6
    assert all(low - slack <= tick <= high + slack for tick in ticks)


def test_ticks_of_one_axis_share_a_unit_and_tell_each_other_apart() -> None:
    assert time_labels([1.354, 1.356, 1.358]) == ["1.354 s", "1.356 s", "1.358 s"]
    assert time_labels([0, 0.2, 0.4]) == ["0 ms", "200 ms", "400 ms"]
    assert time_labels([0, 2e-5]) == ["0 µs", "20 µs"]


def test_a_distribution_of_equal_samples_is_one_step_in_the_middle() -> None:
    chart = distributions([Series("a", [(2.0, 1.0)])])
    middle = (chart.left + chart.right) / 2
    assert f"H{middle:.1f}V{chart.top:.1f}" in chart.curves[0].path


def test_a_survival_falls_from_everything_to_one_in_all_within_its_chart() -> None:
    chart = survivals([Series("a", [(1e-3, 1.0), (1e-2, 0.1), (1.0, 0.001)])])
    places = [tuple(map(float, one.split())) for one in chart.curves[0].path[1:].split("L")]
    assert places[0] == (chart.left, chart.top)
    assert places[-1] == (chart.right, chart.bottom)
    assert [tick.label for tick in chart.y_ticks] == ["100 %", "10 %", "1 %", "0.1 %"]
    assert [tick.label for tick in chart.x_ticks] == ["1 ms", "10 ms", "100 ms", "1 s"]
    assert survivals([Series("one", [(0.5, 1.0)])]).curves[0].path.startswith("M")


def test_bars_share_one_scale_and_name_their_parts() -> None:
    rows = [("a", "", [("compute", 1.0), ("transfer", 1.0)]), ("b", "", [("compute", 1.0)])]
    bars = stacked_bars(rows, left=10, width=100)
    assert [(part.x, part.width) for part in bars[0].parts] == [(10, 50), (60, 50)]
    assert bars[1].parts[0].width == 50
    assert bars[0].parts[1].label == "transfer: 1 s (50 %)"


def test_switches_are_in_rows_by_their_distance_from_the_border() -> None:
    names = ["edge", "core", "agg", "gate"]
    wires = [("gate", "core"), ("core", "agg"), ("agg", "edge")]
    campus = {
        "border": "gate",
        "switches": [{"name": name, "role": "spine"} for name in names],
        "fabric_links": [{"a": a, "b": b} for a, b in wires],
    }
    assert tiers(campus) == [["gate"], ["core"], ["agg"], ["edge"]]


@pytest.mark.parametrize("campuses", [1, 2, 3, 5, 8])
def test_everything_on_the_map_lies_on_it_and_labels_do_not_cover_each_other(
    tmp_path: Path, campuses: int
) -> None:
    names = [f"campus{i}" for i in range(campuses)]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]][:12]
    made = Scenario(
        hosts={name: ("GB200",) * (3 + 40 * (i % 2)) for i, name in enumerate(names)},
        links=tuple(Link(a, b, 1e-4, 5e6) for a, b in pairs),
        iterations=2,
        messages=False,
    )
    found = fabric_map(load_run(make_run(tmp_path / "run", made)).plan, {})
    for campus in found.campuses:
        frame = campus.frame
        assert 0 <= frame.x <= frame.x + frame.width <= found.width
        assert frame.y + frame.height < found.height
        for host in campus.hosts:
            assert frame.x <= host.x <= host.x + host.size <= frame.x + frame.width
            assert host.y + host.size <= frame.y + frame.height
    for index, one in enumerate(found.arcs):
        assert one.y >= 12
        for other in found.arcs[:index]:
            beside = abs(one.x - other.x) >= (one.text_width + other.text_width) / 2
            assert beside or abs(one.y - other.y) >= 15


@pytest.mark.parametrize(
    ("loss", "expected"), [(0, 0), (9e-6, 1), (1e-5, 2), (9e-4, 2), (1e-3, 3), (0.5, 3)]
)
def test_health_of_a_link_is_that_of_its_worse_direction(loss: float, expected: int) -> None:
    assert health({"forward": {"loss": 0.0}, "backward": {"loss": loss}}) == expected


@pytest.mark.slow
def test_a_report_of_192_ranks_and_100_iterations_stays_small(tmp_path: Path) -> None:
    hosts: dict[str, tuple[str, ...]] = dict.fromkeys(
        ("memphis", "whitehaven", "southaven"), ("GB200",) * 64
    )
    made = Scenario(hosts=hosts, iterations=101, messages=False, leaves=8)
    report(tmp_path, made)
    assert (tmp_path / "run" / "report.html").stat().st_size < 2_000_000


CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("scenario", [Scenario(iterations=4), evil()])
def test_a_browser_draws_the_timelines_and_complains_of_nothing(
    tmp_path: Path, scenario: Scenario
) -> None:
    report(tmp_path, scenario)
    done = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", f"--user-data-dir={tmp_path / 'browser'}", "--enable-logging=stderr",
            "--window-size=1300,900", "--dump-dom", f"file://{tmp_path / 'run' / 'report.html'}",
        ],
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr, done.stderr
    page = Page(done.stdout)
    canvases = [attributes for tag, attributes in page.tags if tag == "canvas"]
    assert len(canvases) == 2 * 3 + 1  # lanes, tracks, what follows the cursor; rank by rank
    drawn = [int(one["width"] or 0) for one in canvases if "hidden" not in one]
    assert len(drawn) == 2 * 2 + 1  # without telemetry there is nothing of the network
    assert sum(width > 1000 for width in drawn) == 4


def test_a_run_whose_links_hold_packets_enough_says_that_it_passed(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", uniform(4))
    write_summary(folder)
    assert "every fidelity check passed" in write_report(folder).read_text()
