"""`longhaul graph`: pictures of topologies that other programs and people can read."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from analysis.pictures.atlas import Rect, atlas
from analysis.pictures.diagrams import dot, mermaid
from analysis.pictures.graphs import html, svg
from longhaul.cli import main
from longhaul.planning import make_plan
from scenario.loading import load_topology

ROOT = Path(__file__).parents[2]
TOPOLOGIES = sorted((ROOT / "topologies").glob("*.yaml"))
NS = "{http://www.w3.org/2000/svg}"
EVIL = "\"';--><script>alert(1)</script> & \\ #quot; ]]> end"

shipped = pytest.mark.parametrize("path", TOPOLOGIES, ids=lambda path: path.stem)


def _plan(path: Path, *overrides: str) -> dict[str, Any]:
    return make_plan(load_topology(path, overrides)).to_json()


@pytest.fixture
def evil(tmp_path: Path) -> dict[str, Any]:
    """A plan whose texts try to break out of every format."""
    file = tmp_path / "evil.yaml"
    quoted = EVIL.replace("\\", "\\\\").replace('"', '\\"')
    file.write_text(
        f'longhaul: 1\nname: evil\ndescription: "{quoted}"\ncampuses:\n'
        f'  c1: {{site: "{quoted}", hosts: [{{count: 1, accelerator: H100}}]}}\n'
        f'  end: {{site: "{quoted}", hosts: [{{count: 1, accelerator: H100}}]}}\n'
        "links: {style: {between: [c1, end], distance: 10mi, rate: 400G}}\n"
        "timeline: [{event: link-down, link: style, at: 2s}]\n"
    )
    return _plan(file)


# --- the map -------------------------------------------------------------------------------------


def _rects(plan: dict[str, Any]) -> list[Rect]:
    frames = [campus.frame for campus in atlas(plan).campuses]
    return [Rect(f.x + f.width / 2, f.y + f.height / 2, f.width / 2, f.height / 2) for f in frames]


@shipped
def test_no_campus_covers_another_or_leaves_the_picture(path: Path) -> None:
    plan = _plan(path)
    rects, drawn = _rects(plan), atlas(plan)
    assert not [pair for pair in combinations(rects, 2) if pair[0].meets(pair[1])]
    assert all(rect.x + rect.half_width < drawn.width for rect in rects)
    assert all(rect.y + rect.half_height < drawn.height for rect in rects)
    assert all(min(rect.x - rect.half_width, rect.y - rect.half_height) >= 0 for rect in rects)


@shipped
def test_no_label_covers_a_campus_or_another_label(path: Path) -> None:
    plan = _plan(path)
    labels = [
        Rect(arc.x, arc.y + 15, arc.text_width / 2, 15 * len(arc.lines) / 2)
        for arc in atlas(plan).arcs
    ]
    assert not [
        pair for pair in combinations([*_rects(plan), *labels], 2) if pair[0].meets(pair[1])
    ]


def test_campuses_stand_as_on_the_globe() -> None:
    plan = _plan(ROOT / "topologies" / "continent.yaml")
    names = [campus["name"] for campus in plan["campuses"]]
    places = {name: (rect.x, rect.y) for name, rect in zip(names, _rects(plan), strict=True)}
    west_to_east = sorted(places, key=lambda name: places[name][0])
    assert west_to_east == ["sea", "la", "den", "mem", "chi", "nyc"]
    assert places["sea"][1] < places["chi"][1] < places["den"][1] < places["la"][1]


def test_campuses_without_coordinates_or_at_one_place_stand_on_a_circle(tmp_path: Path) -> None:
    file = tmp_path / "one-place.yaml"
    host = "latitude: 35, longitude: -90, hosts: [{count: 1, accelerator: H100}]"
    file.write_text(
        f"longhaul: 1\nname: a\ncampuses: {{c1: {{{host}}}, c2: {{{host}}}}}\n"
        "links: {x: {between: [c1, c2], distance: 1km, rate: 1T}}\n"
    )
    left, right = _rects(_plan(file))
    assert right.x - left.x > left.half_width + right.half_width
    assert left.y == pytest.approx(right.y)


# --- SVG and HTML --------------------------------------------------------------------------------


@shipped
def test_a_picture_is_one_file_with_a_text_alternative(path: Path) -> None:
    plan = _plan(path)
    picture = ET.fromstring(svg(plan))
    assert picture.get("role") == "img"
    described = picture.findtext(f"{NS}desc") or ""
    assert all(f"{campus['name']} (" in described for campus in plan["campuses"])
    assert all(link["name"] in described for link in plan["links"])
    arcs = [path for path in picture.iter(f"{NS}path") if "arc" in path.get("class", "")]
    assert len(arcs) == len(plan["links"])
    assert len(list(picture.iter(f"{NS}script"))) == 0


def test_a_link_says_how_long_fast_and_old_it_is_and_shows_its_health() -> None:
    wet = [f"links.{name}.condition=waterlogged" for name in ("c1-c2", "c1-c3")]
    picture = svg(_plan(ROOT / "topologies" / "colossus.yaml", *wet))
    text = " ".join(ET.fromstring(picture).itertext())
    for said in (
        "16.1 km (10 mi) · 78.8 µs",
        "400 Gbit/s of 1.6 Tbit/s · 12 years, waterlogged · loss 0",
    ):
        assert said in text
    assert re.findall(r'class="arc health(\d)" data-link=', picture) == ["3", "3", "0"]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.rows = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.tags.append(tag)
        self.rows += tag == "tr"


def test_a_page_has_the_picture_and_tables_of_campuses_links_and_events() -> None:
    page = html(_plan(ROOT / "topologies" / "brownout.yaml"))
    reader = _Reader()
    reader.feed(page)
    assert reader.rows == (1 + 3) + (1 + 3) + (1 + 4)
    assert "at 18 s for 1.5 s" in page
    assert not re.search(r'(src|href)="(?!#)', page)


def test_nothing_written_by_the_user_becomes_markup(evil: dict[str, Any]) -> None:
    picture, page = svg(evil), html(evil)
    assert "<script>alert" not in picture + page
    assert EVIL in "".join(ET.fromstring(picture).itertext())
    assert html(evil).count("<script") == html(_plan(TOPOLOGIES[0])).count("<script")


# --- DOT and Mermaid -----------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("dot"), reason="no Graphviz: ./setup.sh tests")
@shipped
def test_graphviz_draws_every_campus_and_link(path: Path) -> None:
    _drawn_by_graphviz(_plan(path))


@pytest.mark.skipif(not shutil.which("dot"), reason="no Graphviz: ./setup.sh tests")
def test_graphviz_takes_any_text(evil: dict[str, Any]) -> None:
    assert EVIL in " ".join(_drawn_by_graphviz(evil).itertext())


def _drawn_by_graphviz(plan: dict[str, Any]) -> ET.Element:
    done = subprocess.run(
        ["dot", "-Tsvg"], input=dot(plan), capture_output=True, text=True, check=True, timeout=600
    )
    assert not done.stderr
    picture = ET.fromstring(done.stdout)
    classes = [group.get("class") for group in picture.iter(f"{NS}g")]
    inside = sum(len(campus["fabric_links"]) for campus in plan["campuses"])
    leaves = {(host["leaf"], host["accelerator"]) for host in plan["hosts"]}
    assert classes.count("cluster") == len(plan["campuses"])
    assert classes.count("edge") == inside + len(leaves) + len(plan["links"])
    return picture


@shipped
def test_a_dot_file_quotes_every_name(path: Path) -> None:
    for line in dot(_plan(path)).splitlines():
        if " -- " in line:
            assert re.match(r'\s*"[^"]+" -- "[^"]+"( \[.*\])?$', line)


@shipped
def test_a_mermaid_chart_colours_its_long_haul_links_and_no_others(path: Path) -> None:
    plan, chart = _plan(path), mermaid(_plan(path))
    edges = [line for line in chart.splitlines() if " --- " in line or " ---|" in line]
    styled = [int(number) for number in re.findall(r"linkStyle (\d+) ", chart)]
    assert [" ---|" in edge for edge in edges] == [n in styled for n in range(len(edges))]
    assert len(styled) == len(plan["links"])
    assert chart.count("subgraph n_") == len(plan["campuses"])


def test_a_mermaid_chart_holds_no_text_that_it_would_read(evil: dict[str, Any]) -> None:
    chart = mermaid(evil)
    quoted = re.findall(r'"([^"\n]*)"', chart)
    assert all(not set("<>`\\") & set(text.replace("<br>", "")) for text in quoted)
    assert "n_end[" in chart
    assert chart.count('"') == 2 * len(quoted)


# --- the verb ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("a.svg", "<svg"),
        ("a.html", "<!doctype html>"),
        ("a.dot", "graph "),
        ("a.mmd", "flowchart TB"),
        ("a", "<svg"),
    ],
)
def test_the_name_of_the_file_says_the_format(name: str, begins: str, tmp_path: Path) -> None:
    file = tmp_path / name
    assert main(["graph", str(TOPOLOGIES[0]), "-o", str(file)]) == 0
    assert file.read_text(encoding="utf-8").lstrip().startswith(begins)


def test_without_a_file_the_picture_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["graph", str(TOPOLOGIES[0]), "--format", "mermaid", "--set", "links.c1-c2.age=0y"]
    assert main(words) == 0
    assert "1.6 Tbit/s · new, damp · loss 0" in capsys.readouterr().out


def test_a_picture_that_cannot_be_written_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["graph", str(TOPOLOGIES[0]), "-o", str(tmp_path / "no" / "a.svg")]) == 2
    assert "a.svg cannot be written: No such file" in capsys.readouterr().err


def test_a_name_that_is_no_picture_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.exe"
    assert main(["graph", str(TOPOLOGIES[0]), "-o", str(file)]) == 2
    assert "what .exe should be is not known: .svg, .html" in capsys.readouterr().err
    assert not file.exists()
    assert main(["graph", str(TOPOLOGIES[0]), "-o", str(tmp_path / "a.svg.")]) == 2
    assert "what . should be is not known" in capsys.readouterr().err
    assert main(["graph", str(TOPOLOGIES[0]), "-o", str(file), "--format", "svg"]) == 0
