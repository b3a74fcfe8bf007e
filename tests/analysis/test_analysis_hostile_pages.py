"""Every text of an attribution, a benchmark, a comparison and a service may be somebody else's: whatever it holds,
their pages and the terminal show it as text."""

import html
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeVar, get_origin, get_type_hints

import msgspec
import polars as pl
import pytest

from analysis.findings.benchmark import rows
from analysis.findings.summary import write_summary
from analysis.form.attribution import Amount, Attribution, Money, Remedied, Turning
from analysis.form.benchmark import FILE, BenchmarkTable, MeasuredCase
from analysis.report import attribution
from analysis.report.benchmark import write_benchmark_page
from analysis.report.compare import render_comparison
from analysis.report.page import write_report
from analysis.run import load_run
from analysis.series.compare import Comparison, compare
from analysis.terminal.attribution import print_attribution
from analysis.terminal.benchmark import print_results
from analysis.terminal.compare import print_comparison
from analysis.terminal.console import Terminal
from analysis.terminal.training import print_summary
from tests.analysis.make_run import Link, Scenario, make_run, uniform
from tests.analysis.test_analysis_benchmark import ABOUT, four_tasks
from tests.analysis.test_analysis_hostile_names import BROKEN, COMMANDS, Tags, hostile
from tests.attribution.test_waterfall import found as attributed
from tests.serving.test_serving_analysis import written_run

Formed = TypeVar("Formed", bound=msgspec.Struct)


def named(form: Formed, name: str) -> Formed:
    """The same, with that name in the place of every text that may be any."""
    kinds = get_type_hints(type(form))
    fields = msgspec.structs.asdict(form)
    free = {key: value for key, value in fields.items() if get_origin(kinds[key]) is not Literal}
    return msgspec.structs.replace(
        form, **{key: _named(value, name) for key, value in free.items()}
    )


def _named(value: Any, name: str) -> Any:
    if isinstance(value, str):
        return name
    if isinstance(value, list):
        return [_named(one, name) for one in value]
    return named(value, name) if isinstance(value, msgspec.Struct) else value


def terminal() -> tuple[Terminal, io.StringIO]:
    out = io.StringIO()
    return Terminal(file=out, width=3000, highlight=False, markup=False), out


def is_text(page: str, harmless: str, name: str) -> None:
    """Whether a page has the elements of one with a harmless name, and shows this name."""
    assert set(Tags(page).found) <= set(Tags(harmless).found)
    assert page.count("</script") == harmless.count("</script")
    assert BROKEN.sub("", name).strip() in html.unescape(page)
    assert not COMMANDS.search(page)


def is_quiet(shown: str, name: str) -> None:
    """Whether nothing that was shown commands the terminal, and the name is in it."""
    assert not COMMANDS.search(shown)
    assert "\n" in name or "\t" in name or BROKEN.sub("", name) in shown


def mended() -> Attribution:
    """An attribution with remedies, one of them to be had."""
    money = Money(1.0, 2.0, 3.0, None, 4.0, 5.0)
    had = Remedied(
        "new", "fibre", ["new"], False, True, 1.0, None, 0.5, Amount(1.0, "USD"), money, True, None
    )
    lease = msgspec.structs.replace(had, leases=True, learns_alike=False)
    none = msgspec.structs.replace(had, saved_s=None, share=None, money=None, why_not="no room")
    turning = Turning("a", "b", 1.0, 2.0, 3.0, 4.0, 5.0)
    return msgspec.structs.replace(
        attributed(), remedies=[had, lease, none], turning=turning, without_effect=["x"]
    )


@hostile
def test_an_attribution_shows_them(tmp_path: Path, name: str) -> None:
    def page(name: str) -> str:
        path = attribution.write_page(named(mended(), name), tmp_path / "attribution.html")
        return path.read_text(encoding="utf-8")

    is_text(page(name), page("a"), name)
    console, out = terminal()
    print_attribution(named(mended(), name), Path("a.html"), console)
    is_quiet(out.getvalue(), name)


def ran(folder: Path, name: str) -> Path:
    """The folder of a run whose run, campus, accelerator, site and condition have that name."""
    made = Scenario(
        name=name,
        hosts={name: (name,) * 2, "b": ("GB200",) * 2},
        links=(Link(name, "b", 1e-4, 5e6, condition=name),),
        compute_s={name: 1.0, "GB200": 0.4},
        iterations=4,
    )
    return make_run(folder, made)


def benchmark(folder: Path, name: str) -> Path:
    """The folder of a benchmark in which every text is that name."""
    ran(folder, name)
    cases: list[MeasuredCase] = rows(ABOUT, four_tasks(), None)
    table = BenchmarkTable(
        name="two", op="all_reduce", ranks=2, scale_bytes=1000, iterations=2, warmup=1, congestion="cubic",
        channels=1, rows=[cases[0], msgspec.structs.replace(cases[1], same_as="ring")],
    )  # fmt: skip
    plan = json.loads((folder / "plan.json").read_text())
    plan["workloads"][0] |= {"kind": "benchmark", "cases": []}
    (folder / "plan.json").write_text(json.dumps(plan))
    (folder / FILE).write_bytes(msgspec.json.encode(named(table, name)))
    return folder


def benchmark_page(folder: Path, name: str) -> str:
    return write_benchmark_page(benchmark(folder, name)).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def harmless_benchmark(tmp_path_factory: pytest.TempPathFactory) -> str:
    return benchmark_page(tmp_path_factory.mktemp("harmless"), "a")


@hostile
def test_a_benchmark_shows_them(tmp_path: Path, harmless_benchmark: str, name: str) -> None:
    is_text(benchmark_page(tmp_path, name), harmless_benchmark, name)
    console, out = terminal()
    print_results(tmp_path, console)
    is_quiet(out.getvalue(), name)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = tmp_path_factory.mktemp("compared")
    runs = [make_run(folder / str(n), uniform(jitter=0.1, seed=n, name=f"run {n}")) for n in (1, 2)]
    return compare([load_run(run) for run in runs])[0]


@hostile
def test_a_comparison_shows_them(compared: Comparison, name: str) -> None:
    def called(name: str) -> Comparison:
        before, after = (replace(one, name=name) for one in (compared.before, compared.after))
        return replace(compared, before=before, after=after)

    is_text(render_comparison([called(name)]), render_comparison([called("a")]), name)
    console, out = terminal()
    print_comparison(called(name), console)
    is_quiet(out.getvalue(), name)


def served(folder: Path, name: str) -> Path:
    """The folder of a run that serves; a campus, an accelerator, the workload, an event and a limit have that name."""
    texts = {
        "c1",
        "H100",
        "chat",
        "two <i>",
        "cut",
        "c1-c2 <down>",
        "a <b>model</b>",
        "longhaul run",
    }
    written_run(folder)
    for file in folder.glob("*.json"):
        file.write_text(json.dumps(_renamed(json.loads(file.read_text()), texts, name)))
    for file in folder.glob("*.parquet"):
        table = pl.read_parquet(file)
        table.with_columns(pl.col(pl.String).replace(dict.fromkeys(texts, name))).write_parquet(
            file
        )
    return folder


def _renamed(value: Any, texts: set[str], name: str) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(one, texts, name) for key, one in value.items()}
    if isinstance(value, list):
        return [_renamed(one, texts, name) for one in value]
    return name if isinstance(value, str) and value in texts else value


def service_page(folder: Path, name: str) -> str:
    write_summary(served(folder, name))
    return write_report(folder).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def harmless_service(tmp_path_factory: pytest.TempPathFactory) -> str:
    return service_page(tmp_path_factory.mktemp("harmless"), "a")


@hostile
def test_a_service_shows_them(tmp_path: Path, harmless_service: str, name: str) -> None:
    is_text(service_page(tmp_path, name), harmless_service, name)
    console, out = terminal()
    print_summary(tmp_path, console)
    is_quiet(out.getvalue(), name)
