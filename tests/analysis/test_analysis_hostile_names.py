"""Names that are markup, commands or formulas to somebody, through everything that writes names down.

What is written is read again as its format has it: it must be whole, hold the name as text, and nothing else.
"""

from __future__ import annotations

import csv as standard_csv
import io
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import polars as pl
import pytest

from analysis.checks.ruling import Ruling
from analysis.export import studies
from analysis.export.junit import JunitCase, junit
from analysis.export.openmetrics import openmetrics
from analysis.export.perfetto import write_trace
from analysis.export.tabular import csv, markdown, rows
from analysis.findings.summary import write_summary
from analysis.form.summary import TrainingSummary
from analysis.pictures.diagrams import dot, mermaid
from analysis.pictures.graphs import html, svg
from analysis.report.page import write_report
from analysis.report.study import write_page
from analysis.run import Run, load_run
from analysis.terminal.checks import print_rulings
from analysis.terminal.console import Terminal
from analysis.terminal.training import print_summary
from longhaul.labs.attempt import Marked
from longhaul.labs.catalogue import lab
from longhaul.labs.grading import Graded, table
from longhaul.labs.sheets import FORMS, MarkedSheet
from longhaul.planning import make_plan
from scenario.loading import load_topology
from scenario.types.checks import Claim
from tests.analysis.make_run import Link, Scenario, make_run, trained

ROOT = Path(__file__).parents[2]
HOSTILE = {
    "html": '"><img src=x onerror=alert(1)>',
    "script": "</script></title></svg><script>alert(1)</script>",
    "entity": "&lt;b&gt; &#60;i> &x;",
    "xml": ']]>--><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>&x;',
    "no-xml": "a\x00b\x0bc\x1fd\ufffee\uffff",
    "markdown": "![x](http://e.example/) [y](javascript:z) **b** `c` | d\n# e",
    "rich": "[bold red]x[/] [link=http://e.example]y[/link] [/]",
    "terminal": "\x1b[31mred\x07\x1b]0;title\x1b\\\r\x9b2J",
    "formula": "=HYPERLINK(1)",
    "tab-formula": "\t@SUM(1)",
    "latex": "\\input{/etc/passwd} $x^2$ 5 % {~#&_}",
    "latex-skip": "[9999pt]",
    "latex-paragraph": "a\n\n\\par b",
    "quotes": "a\"b'c`d\\",
    "template": "{{ 7*7 }} {% raw %} ${8*8}",
    "right-to-left": "\u202egnp.exe\u2066",
    "line-separator": "a\u2028b\u2029c\x85d",
}  # fmt: skip
LIKE_OTHERS = (
    "entity", "rich", "tab-formula", "latex-skip", "latex-paragraph", "quotes", "right-to-left", "line-separator",
)  # fmt: skip
hostile = pytest.mark.parametrize(
    "name",
    [
        pytest.param(text, id=name, marks=pytest.mark.slow if name in LIKE_OTHERS else [])
        for name, text in HOSTILE.items()
    ],
)
BROKEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
"""What XML cannot hold, terminals obey, or turns the direction of the text; left out."""
COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What a terminal obeys."""


class Tags(HTMLParser):
    """The elements of a page, with the names of their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))


@pytest.fixture
def made(tmp_path: Path) -> Callable[[str], Path]:
    """Makes the folder of a run whose run, campus, accelerator, site and condition have that name."""

    def make(name: str) -> Path:
        scenario = Scenario(
            name=name,
            hosts={name: (name,) * 2, "b": ("GB200",) * 2},
            links=(Link(name, "b", 1e-4, 5e6, condition=name),),
            compute_s={name: 1.0, "GB200": 0.4},
            iterations=3,
        )
        return make_run(tmp_path / str(abs(hash(name))), scenario)

    return make


def read(path: Path) -> tuple[Run, TrainingSummary]:
    summary = trained(path)
    return load_run(path), summary


@hostile
def test_a_trace_holds_them_as_texts(made: Callable[[str], Path], name: str) -> None:
    out = io.StringIO()
    write_trace(load_run(made(name)), out)
    trace = json.loads(out.getvalue().encode().decode())
    names = [e["args"]["name"] for e in trace["traceEvents"] if e["name"] == "process_name"]
    assert f"rank 0 · {name}-00 ({name}, {name})" in names
    assert trace["otherData"]["run"] == name
    assert not COMMANDS.search(out.getvalue())


@hostile
def test_tables_have_them_in_one_cell(made: Callable[[str], Path], name: str) -> None:
    run, summary = read(made(name))
    written = list(standard_csv.DictReader(io.StringIO(csv(run, summary, "ranks"), newline="")))
    assert [row["campus"].removeprefix("'") for row in written] == [name] * 2 + ["b"] * 2
    assert not [cell for row in written for cell in row.values() if re.match(r"[=@\t\r]", cell)]
    assert rows(run, summary, "ranks")[0]["campus"] == name
    text = markdown(run, summary, "ranks")
    _is_plain_markdown(text)
    for line in openmetrics(summary).split("\n"):
        assert re.fullmatch(r'#.*|[a-z_]+(\{([a-z_]+="([^"\\\n]|\\.)*",?)*\})? \S+|', line, re.S)


def _is_plain_markdown(text: str) -> None:
    """Lines of a table with as many cells each, no element, link, image or emphasis but the headline's."""
    table_rows = [line for line in text.split("\n") if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table_rows}) == 1
    spoken = re.sub(r"(?m)^\*\*(.*)\*\*$", r"\1", re.sub(r"(?m)`[^`\n]*`", "", text))
    assert not re.search(r"<|(?<!\\)[\[\]`*]|^#", spoken, re.M)
    assert not re.search(r"&(?!lt;|amp;)", spoken)
    assert not COMMANDS.search(text)


@hostile
def test_pages_and_the_terminal_show_them(made: Callable[[str], Path], name: str) -> None:
    def page(name: str) -> tuple[str, Path]:
        path = made(name)
        write_summary(path)
        return write_report(path).read_text(encoding="utf-8"), path

    (text, path), (harmless, _) = page(name), page("a")
    assert set(Tags(text).found) <= set(Tags(harmless).found)
    assert text.count("</script") == harmless.count("</script")
    out = io.StringIO()
    print_summary(path, Terminal(file=out, width=300, highlight=False, markup=False))
    shown = out.getvalue()
    assert not COMMANDS.search(shown)
    assert "\n" in name or "\t" in name or BROKEN.sub("", name) in shown


def _plan(name: str) -> dict[str, Any]:
    """A plan in which everything that is free text has that name; as one who writes plan.json by hand may have it."""
    plan = make_plan(load_topology(ROOT / "topologies/brownout.yaml")).to_json()
    plan |= {"name": name, "description": name}
    for campus in plan["campuses"]:
        campus["site"] = name
        campus["hosts"] = [host | {"accelerator": name} for host in campus["hosts"]]
    plan["timeline"] = [event | {"says": name, "name": name} for event in plan["timeline"]]
    return plan


@hostile
def test_graphs_are_well_formed_and_have_no_elements_of_theirs(name: str) -> None:
    picture, page = svg(_plan(name)), html(_plan(name))
    drawn, plain = ElementTree.fromstring(picture), ElementTree.fromstring(svg(_plan("a")))
    assert {one.tag for one in drawn.iter()} == {one.tag for one in plain.iter()}
    assert {k for one in drawn.iter() for k in one.attrib} == {
        k for one in plain.iter() for k in one.attrib
    }
    assert " ".join(BROKEN.sub("", name).split()) in " ".join("".join(drawn.itertext()).split())
    assert set(Tags(page).found) <= set(Tags(html(_plan("a"))).found)
    for text in (dot(_plan(name)), mermaid(_plan(name))):
        quoted = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text, flags=re.S)
        assert '"' not in quoted.replace('""', "")
        assert "alert(" not in quoted
    assert "<script" not in mermaid(_plan(name))


@hostile
def test_junit_and_the_terminal_have_what_was_checked(name: str) -> None:
    root = ElementTree.fromstring(junit([(name, [JunitCase(name, False, name, name, 7)])]).encode())
    case = root.find("testsuite/testcase")
    assert case is not None
    assert [one.tag for one in root.iter()] == ["testsuites", "testsuite", "testcase", "failure"]
    assert case.get("name") == BROKEN.sub("", name)
    claim = Claim(name=name, kind="figure", file=name, line=1, column=1)
    out = io.StringIO()
    console = Terminal(file=out, width=300, highlight=False, markup=False)
    print_rulings(name, [Ruling(claim, False, name, name)], console)
    assert not COMMANDS.search(out.getvalue())
    assert "\t" in name or out.getvalue().count(BROKEN.sub("", name)) == 5


@hostile
def test_sheets_and_grades_of_labs_have_them(name: str) -> None:
    marks = (
        Marked("round-trip", True, name, name),
        Marked("ten-percent", False, name, name, name, name),
    )
    sheet = MarkedSheet(lab("1"), name, marks, teachers=True)
    suite = ElementTree.fromstring(FORMS["junit"](sheet).encode())
    assert [one.tag for one in suite.iter()] == ["testsuite", "testcase", "testcase", "failure"]
    assert json.loads(FORMS["json"](sheet))["tasks"][1]["given"] == name
    assert name in json.loads(FORMS["gradescope"](sheet))["tests"][0]["output"]
    assert not COMMANDS.search(FORMS["text"](sheet))
    grades = table([Graded(name, json.loads(FORMS["json"](sheet)), name, (name,))])
    (row,) = standard_csv.DictReader(io.StringIO(grades, newline=""))
    assert row["student"].removeprefix("'") == BROKEN.sub("", name)
    assert not [cell for cell in row.values() if re.match(r"[=@\t\r]", cell)]


@hostile
def test_studies_have_them_in_every_form(tmp_path: Path, name: str) -> None:
    from tests.study.test_study_findings import found  # needs PyArrow

    def time_s(x: float, z: float) -> float:
        return 1 + x / z

    def given(name: str) -> tuple[Any, ...]:
        _, answer, table_of = found(tmp_path, "", time_s, time_s)
        answer = msgspec.structs.replace(
            answer, name=name, description=name, headline=name, command=name, notes=[name]
        )
        return answer, table_of.with_columns(verdict=pl.lit(name)), {"verdict": name}

    answer, all_rows, units = given(name)
    written = list(standard_csv.DictReader(io.StringIO(studies.csv(answer, all_rows, units))))
    assert {row[f"verdict [{name}]"].removeprefix("'") for row in written} == {name}
    _is_plain_markdown(studies.markdown(answer, all_rows, units))
    text = studies.latex(answer, all_rows, units)
    assert set(re.findall(r"\\[a-z]+", text)) <= LATEX_COMMANDS
    assert not re.search(r"(?<!\\)[$%#]|\n\n|\\\\\s*[\[*]", text)
    assert not COMMANDS.search(text)
    page = write_page(answer, tmp_path / "study.html").read_text(encoding="utf-8")
    plain = write_page(given("a")[0], tmp_path / "plain.html").read_text(encoding="utf-8")
    assert set(Tags(page).found) <= set(Tags(plain).found)


LATEX_COMMANDS = {
    r"\begin", r"\end", r"\centering", r"\caption", r"\toprule", r"\midrule", r"\bottomrule",
    r"\textasciitilde", r"\textasciicircum", r"\textbackslash",
}  # fmt: skip
