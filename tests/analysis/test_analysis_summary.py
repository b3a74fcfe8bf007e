"""summary.json: its keys, its arithmetic, its sentence, and how it looks in 80 columns."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from analysis import units
from analysis.findings.bandwidth import bus_factor
from analysis.findings.headline import faithful
from analysis.form.files import plain
from analysis.form.parts import Check
from analysis.form.training import Prediction
from analysis.report.page import write_report
from analysis.terminal.training import print_summary
from tests.analysis.make_run import Scenario, make_run, trained, uniform


def shown(path: Path, width: int = 80) -> str:
    """What the terminal shows of a run."""
    out = io.StringIO()
    print_summary(path, Console(file=out, width=width, highlight=False))
    return out.getvalue()


def test_summary_holds_what_the_contract_names(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run")
    written = plain(trained(path))
    assert json.loads((path / "summary.json").read_text()) == written
    assert {
        "headline", "digest", "seed", "time", "machine", "world_size", "iterations", "collective",
        "stalls", "fidelity", "faithful", "prediction",
    } <= written.keys()  # fmt: skip
    assert {"count", "p50_s", "p90_s", "p99_s", "max_s"} <= written["iterations"].keys()
    assert {"algorithm", "op", "size_bytes", "algbw_Bps", "busbw_Bps"} <= written[
        "collective"
    ].keys()
    stalls = {"sync_wait_s", "exposed_communication_s", "slowdown", "waste", "by_rank"}
    assert stalls <= written["stalls"].keys()
    assert len(written["stalls"]["by_rank"]) == written["world_size"] == 24


def test_warm_up_is_left_out(tmp_path: Path) -> None:
    assert trained(make_run(tmp_path / "run")).iterations.count == 20


def test_real_bandwidth_is_the_carried_one_times_the_scale(tmp_path: Path) -> None:
    found = trained(make_run(tmp_path / "run", uniform(scale=1000.0))).collective
    assert found.size_bytes == 1000 * found.carried.size_bytes
    assert found.busbw_Bps == pytest.approx(1000 * found.carried.busbw_Bps)
    assert found.busbw_Bps == pytest.approx(found.algbw_Bps * 2 * 3 / 4)


def test_an_even_ring_takes_what_alpha_beta_predicts(tmp_path: Path) -> None:
    prediction = trained(make_run(tmp_path / "run", uniform(8))).prediction
    assert prediction.error == pytest.approx(0, abs=1e-6)


def predicted(path: Path, algorithm: str, prediction: dict[str, float]) -> tuple[Prediction, str]:
    """Of a run whose plan has this algorithm and these predictions alone; and what the terminal shows of it."""
    plan = json.loads((path / "plan.json").read_text())
    plan["workloads"][0] |= {"algorithm": algorithm, "prediction": prediction}
    (path / "plan.json").write_text(json.dumps(plan))
    return trained(path).prediction, shown(path)


def test_where_no_collective_is_predicted_the_iteration_is(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run", uniform(4))
    mean_s = trained(path).iterations.mean_s
    found, told = predicted(path, "direct", {"iteration_s": mean_s / 1.25})
    assert found.iteration_error == pytest.approx(0.25)
    assert "iteration (mean)" in told
    assert "+25 %" in told
    assert "collective, pipelined" not in told
    page = write_report(path).read_text()
    assert "Iteration (mean), α–β" in page
    assert "Collective (p50)" not in page


def test_the_textbook_s_formula_of_a_ring_is_held_against_rings_alone(tmp_path: Path) -> None:
    path, both = make_run(tmp_path / "run", uniform(4)), {"collective_s": 1.0, "textbook_s": 2.0}
    assert predicted(path, "ring", both)[0].textbook_s == 2.0
    found, told = predicted(path, "tree", both)
    assert (found.collective_s, found.textbook_s) == (1.0, None)
    assert "textbook" not in told


@pytest.mark.parametrize(
    ("op", "factor"), [("all_reduce", 1.5), ("all_gather", 0.75), ("broadcast", 1), ("else", 1)]
)
def test_bus_bandwidth_factors_are_those_of_nccl_tests(op: str, factor: float) -> None:
    assert bus_factor(op, 4) == factor


def test_a_run_that_checked_nothing_is_not_faithful() -> None:
    assert not faithful([])
    good = Check("RTT", 1.0, 1.0, 0.0, "s", 0.01, ok=True)
    bad = msgspec.structs.replace(good, ok=False)
    assert faithful([good])
    assert not faithful([good, bad])


def test_the_headline_names_the_generation_that_was_waited_for(tmp_path: Path) -> None:
    headline = trained(make_run(tmp_path / "run")).headline
    assert "mostly for H100 at memphis" in headline
    assert "where one uniform campus would take" in headline


def test_the_headline_names_a_lone_straggler(tmp_path: Path) -> None:
    made = uniform(8, slowdown={5: 1.5})
    assert "rank 5 (GB200, home-05)" in trained(make_run(tmp_path / "r", made)).headline


def test_an_unfaithful_run_says_so_first_and_loudly(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run", Scenario(faithful=False, iterations=3))
    summary = trained(path)
    assert summary.headline.startswith("UNFAITHFUL (memphis-whitehaven goodput")
    assert "NOT what was asked for" in shown(path)


def test_the_terminal_fits_80_columns(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run", Scenario(iterations=3))
    trained(path)
    lines = shown(path).splitlines()
    assert max(map(len, lines)) <= 80
    assert "p99" in " ".join(lines)
    assert "n<100" in " ".join(lines)


def test_names_cannot_inject_markup_into_the_terminal(tmp_path: Path) -> None:
    made = uniform(2, name="[bold red]x[/]", compute_s={"[blink]GPU": 1.0})
    made = Scenario(**{**vars(made), "hosts": {"[link=x]": ("[blink]GPU",) * 2}})
    path = make_run(tmp_path / "run", made)
    trained(path)
    assert "[blink]GPU" in shown(path)
    assert "[bold red]x[/]" in shown(path)


@pytest.mark.parametrize("module", ["stalls", "summary"])
def test_a_module_works_alone_on_a_run_folder(tmp_path: Path, module: str) -> None:
    path = make_run(tmp_path / "run", uniform())
    done = alone(module, path)
    assert done.returncode == 0, done.stderr
    assert "Most waited for" in done.stdout


@pytest.mark.parametrize(
    ("module", "says"),
    [("critical", "compute"), ("incidents", "What happened meanwhile"), ("latencies", "p99.9")],
)
def test_one_table_can_be_had_alone(tmp_path: Path, module: str, says: str) -> None:
    done = alone(module, make_run(tmp_path / "run", uniform()))
    assert done.returncode == 0, done.stderr
    assert says in done.stdout


def test_a_folder_that_is_no_run_gives_one_line_and_exit_code_2(tmp_path: Path) -> None:
    done = alone("stalls", tmp_path)
    assert done.returncode == 2
    assert done.stderr == f"{tmp_path}: no events.parquet; not the folder of a finished run\n"


def alone(module: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run `python -m analysis <module> path`."""
    command: list[Any] = [sys.executable, "-m", "analysis", module, path]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (units.time(1.93), "1.93 s"),
        (units.time(78.8e-6), "78.8 µs"),
        (units.time(0.9999), "1 s"),
        (units.time(0), "0 s"),
        (units.time(3e-9), "3 ns"),
        (units.size(14e9), "14 GB"),
        (units.rate(400e9), "400 Gbit/s"),
        (units.throughput(123456), "123 kB/s"),
        (units.time(-0.04), "\N{MINUS SIGN}40 ms"),
        (units.ratio(1.23e-5), "1.2e-5"),
        (units.ratio(0.031), "0.031"),
        (units.ratio(0), "0"),
        (units.percent(0.312), "31 %"),
        (units.percent(0.0412), "4.1 %"),
        (units.percent(0.00001), "0.001 %"),
        (units.percent(0.0000001), "<0.001 %"),
        (units.error(-0.073), "\N{MINUS SIGN}7.3 %"),
        (units.quantity(None, "s"), "\N{EN DASH}"),
        (units.error(None), "\N{EN DASH}"),
        (units.distance(16093.44), "16.1 km (10 mi)"),
        (units.years(15 * 365.25 * 86400), "15 years"),
        (units.quantity(0.5, "furlongs"), "0.5 furlongs"),
    ],
)
def test_quantities_are_shown_as_people_read_them(text: str, expected: str) -> None:
    assert text == expected
