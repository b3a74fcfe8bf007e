"""A benchmark's table, from events that were made up."""

import io
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from rich.console import Console

from analysis.findings.benchmark import alike, left_out, rows, write_results
from analysis.form.benchmark import BenchmarkTable
from analysis.report.benchmark import charts, headline
from analysis.terminal.benchmark import print_results

ABOUT = {
    "op": "all_reduce",
    "name": "table",
    "kind": "benchmark",
    "ranks": [0, 1],
    "iterations": 2,
    "warmup": 1,
    "congestion": "cubic",
    "transport": "tcp",
    "channels": 1,
    "cases": [
        {"asked": "auto", "algorithm": "ring", "size_bytes": 4e9, "carried_bytes": 4_000_000,
         "predicted_s": 2e-3},
        {"asked": "tree", "algorithm": "tree", "size_bytes": 4e9, "carried_bytes": 4_000_000,
         "predicted_s": 4e-3},
    ],
}  # fmt: skip


def write_plan(folder: Path, about: dict[str, Any]) -> None:
    """The plan of a benchmark, as far as its table goes."""
    plan = {
        "name": "two",
        "description": "",
        "scale_bytes": 1000,
        "mtu_bytes": 9000,
        "modelled": [],
    }
    parts: dict[str, list[Any]] = {key: [] for key in ("campuses", "links", "ways", "wires")}
    (folder / "plan.json").write_text(json.dumps({**plan, **parts, "workloads": [about]}))


def events() -> pl.DataFrame:
    """Task 1 takes 1, 2, 3 ms from the last entry on, the first of them as a warm-up; task 3 takes 4 ms."""
    found = []
    for iteration in range(3):
        for rank in range(2):
            start = iteration * 10**8 + rank * 1000
            found.append((rank, iteration, 0, "collective", start - 500, start))
            taken = {1: (iteration + 1) * 10**6, 3: 4 * 10**6}
            for task, ns in taken.items():
                last = iteration * 10**8 + 1000 + task * 10**7
                begun = last - 1000 * (1 - rank)
                found.append(
                    (rank, iteration, task, "collective", begun, last + ns - 700 * (1 - rank))
                )
                found.append((rank, iteration, task, "send", begun, last + 10**9))
    names = ("rank", "iteration", "task", "kind", "start_ns", "end_ns")
    return pl.DataFrame(found, schema=names, orient="row")


def test_drops_are_the_collectives_that_took_most_of_the_time_between_two_samples() -> None:
    """Iteration 0 warms up. In 1, task 1 runs from 110.001 to 112.001 ms, task 3 from 130.001 to 134.001 ms."""
    at_ms = {0: 0, 11: 9, 105: 9, 111: 12, 125: 12, 131.5: 13, 133: 17, 140: 18}
    one = pl.DataFrame(
        {"interface": ["a"] * 8, "t_ns": [int(ms * 10**6) for ms in at_ms], "drops": list(at_ms.values())}
    )  # fmt: skip
    other = one.with_columns(interface=pl.lit("b"), drops=pl.col("drops") * 0)
    ring, tree = rows(ABOUT, events(), None, pl.concat([one, other]))
    assert (ring.dropped, tree.dropped) == (3, 6)
    ring, tree = rows(ABOUT, events(), None, other)
    assert (ring.dropped, tree.dropped) == (0, 0)
    assert rows(ABOUT, events(), None)[0].dropped is None


def test_times_are_means_of_the_iterations_that_count_from_last_entry_to_last_end() -> None:
    ring, tree = rows(ABOUT, events(), None)
    assert ring.time_s == pytest.approx(2.5e-3)
    assert (ring.p50_s, ring.p99_s) == pytest.approx((2e-3, 3e-3))
    assert ring.error == pytest.approx(0.25)
    assert tree.time_s == pytest.approx(4e-3)
    assert tree.error == pytest.approx(0.0)


def test_bandwidths_are_nccl_tests() -> None:
    ring, tree = rows(ABOUT, events(), None)
    assert ring.algbw_Bps == pytest.approx(4e9 / 2.5e-3)
    assert tree.busbw_Bps == pytest.approx(4e9 / 4e-3)  # 2(n−1)/n is 1 for two ranks


def test_wrong_results_are_summed_over_the_ranks_and_null_where_nothing_was_checked() -> None:
    wrong = pl.DataFrame({"rank": [0, 0, 1, 1], "task": [1, 3, 1, 3], "wrong": [0, 2, 0, 1]})
    assert [row.wrong for row in rows(ABOUT, events(), wrong)] == [0, 3]
    assert [row.wrong for row in rows(ABOUT, events(), None)] == [None, None]


def test_the_table_has_a_line_per_case_under_nccl_tests_headings(tmp_path: Path) -> None:
    write_plan(tmp_path, ABOUT)
    events().write_parquet(tmp_path / "events.parquet")
    write_results(tmp_path)
    out = Console(file=io.StringIO(), width=140)
    print_results(tmp_path, out)
    text = out.file.getvalue()  # type: ignore[attr-defined]
    for heading in ("size", "count", "type", "redop", "time", "algbw", "busbw", "#wrong"):
        assert heading in text
    line = next(line for line in text.splitlines() if "auto: ring" in line)
    assert line.split()[:4] == ["4000000000", "1000000000", "uint32", "sum"]
    assert line.split()[4] == "-1"
    assert line.split()[-5:] == ["2000.0", "3000.0", "2000.0", "+25.0%", "–"]
    assert "N/A" in line


@pytest.mark.parametrize(
    ("op", "count", "root"),
    [
        ("all_gather", 500_000_000, "-1"),
        ("all_to_all", 500_000_000, "-1"),
        ("broadcast", 10**9, "0"),
    ],
)
def test_count_is_of_one_rank_as_nccl_tests_prints_it(
    tmp_path: Path, op: str, count: int, root: str
) -> None:
    cells = printed(tmp_path, op).split()
    assert cells[:5] == ["4000000000", str(count), "uint32", "none", root]


def test_a_barrier_has_no_bandwidth(tmp_path: Path) -> None:
    row, _ = rows(ABOUT | {"op": "barrier"}, events(), None)
    assert (row.algbw_Bps, row.busbw_Bps) == (None, None)
    assert printed(tmp_path, "barrier").split()[8:10] == ["N/A", "N/A"]


def printed(tmp_path: Path, op: str) -> str:
    """The first line of a collective's table."""
    write_plan(tmp_path, ABOUT | {"op": op})
    events().write_parquet(tmp_path / "events.parquet")
    write_results(tmp_path)
    out = Console(file=io.StringIO(), width=140)
    print_results(tmp_path, out)
    text = out.file.getvalue()  # type: ignore[attr-defined]
    return next(line for line in text.splitlines() if "auto: ring" in line)


def test_a_page_shows_every_algorithm_against_size_beside_its_model() -> None:
    sizes = (1e6, 16e6)
    cases = [
        {"asked": name, "algorithm": name, "size_bytes": size, "carried_bytes": 1000, "predicted_s": 2e-3}
        for name in ("ring", "tree")
        for size in sizes
    ]  # fmt: skip
    table = BenchmarkTable(
        name="two", op="all_reduce", ranks=2, scale_bytes=1000, iterations=2, warmup=1,
        congestion="cubic", channels=1,
        rows=rows(ABOUT | {"cases": cases}, four_tasks(), None),
    )  # fmt: skip
    assert headline(table) == (
        "all_reduce of 15.3 MiB over 2 hosts took 2 ms at best (ring, 8 GB/s of bus bandwidth);"
        " the model is within 50 % of every row."
    )
    slow = msgspec.structs.replace(table.rows[-1], error=1.91)
    assert headline(msgspec.structs.replace(table, rows=[*table.rows[:-1], slow])).endswith(
        "the model misses tree of 15.3 MiB by 191 %."
    )
    (_, _, bandwidth), (_, _, time) = charts(table)
    assert [(c.label, c.model) for c in time.curves] == [
        ("ring: model", True), ("ring", False), ("tree: model", True), ("tree", False),
    ]  # fmt: skip
    assert bandwidth.curves[1].path.count("z") == len(sizes)
    for curve in (*bandwidth.curves, *time.curves):
        xs = [float(x) for x in re.findall(r"[ML](-?[\d.]+) ", curve.path)]
        assert all(bandwidth.left - 4 <= x <= bandwidth.right for x in xs)


def four_tasks() -> pl.DataFrame:
    """Tasks 1, 3, 5, 7 take 1, 2, 3, 3 ms in each iteration, both ranks entering together."""
    taken = {1: 1, 3: 2, 5: 3, 7: 3}
    found = [
        (rank, iteration, task, "collective", task * 10**8, task * 10**8 + ms * 10**6)
        for iteration in range(3)
        for rank in range(2)
        for task, ms in taken.items()
    ]
    names = ("rank", "iteration", "task", "kind", "start_ns", "end_ns")
    return pl.DataFrame(found, schema=names, orient="row")


def test_rows_of_the_same_messages_say_so() -> None:
    other = {**ABOUT["cases"][1], "algorithm": "direct", "same_as": "ring"}  # type: ignore[index]
    found = rows({**ABOUT, "cases": [ABOUT["cases"][0], other]}, events(), None)  # type: ignore[index]
    table = BenchmarkTable(
        name="two", op="all_reduce", ranks=2, scale_bytes=1, iterations=2, warmup=1, congestion="cubic",
        channels=1, rows=found,
    )  # fmt: skip
    assert left_out(table) == []
    lossy = [msgspec.structs.replace(found[0], dropped=3), found[1]]
    assert left_out(msgspec.structs.replace(table, rows=lossy)) == [
        "the model leaves lost packets out: 1 of 2 rows had some dropped, and their error has what that cost"
    ]
    assert alike(table) == ["direct sends the same messages as ring here, in the same order"]
    moved = msgspec.structs.replace(found[1], same_order=False)
    assert alike(msgspec.structs.replace(table, rows=[found[0], moved])) == [
        "direct sends the same messages as ring here, in another order or over other connections"
    ]
