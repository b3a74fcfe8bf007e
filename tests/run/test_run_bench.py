"""`longhaul bench` on real fabrics: every algorithm right, times as the model says, bandwidth as the wires."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from scenario.plan.types import from_json
from tests.run.conftest import HERE, Done, longhaul

THREE = HERE / "ring-three-campuses.yaml"
ONE = HERE / "ring-one-campus.yaml"
LOSSY = HERE / "links.yaml"

pytestmark = pytest.mark.usefixtures("kernel")


def bench(folder: Path, topology: Path, *words: str) -> list[dict[str, Any]]:
    done = longhaul("bench", topology, *words, "--out", folder, "--format", "json")
    assert done.status == 0, done.complaint
    found: list[dict[str, Any]] = json.loads(done.out)["rows"]
    return found


OPS = {
    "all_reduce": 9, "reduce_scatter": 4, "all_gather": 5, "broadcast": 2, "reduce": 2,
    "all_to_all": 3, "send_recv": 1, "barrier": 1,
}  # fmt: skip


@pytest.mark.parametrize(
    "op",
    [pytest.param(op, marks=[] if op == "send_recv" else pytest.mark.slow) for op in sorted(OPS)],
)
def test_every_algorithm_delivers_the_right_numbers_over_three_campuses(
    op: str, tmp_path: Path
) -> None:
    words = (
        "--collective",
        op,
        "--algorithm",
        "all",
        "--sizes",
        "2M",
        "--check",
        "--channels",
        "2",
    )
    rows = bench(tmp_path / "run", THREE, *words, "--iters", "1", "--warmup", "0")
    assert len(rows) == OPS[op]
    assert [row["wrong"] for row in rows] == [0] * len(rows)
    assert all(row["time_s"] > 0 for row in rows)


@pytest.mark.slow
def test_numbers_are_right_where_packets_are_lost_and_segments_are_cut(tmp_path: Path) -> None:
    words = ("--algorithm", "all", "--sizes", "3M", "--check", "--segment", "100K")
    rows = bench(tmp_path / "run", LOSSY, *words, "--iters", "2", "--warmup", "0")
    assert [row["wrong"] for row in rows] == [0] * len(rows)


@pytest.mark.slow
def test_a_rings_bus_bandwidth_is_the_wires_goodput_for_large_messages(tmp_path: Path) -> None:
    rows = bench(tmp_path / "run", ONE, "--algorithm", "ring", "--sizes", "40GB", "--iters", "2")
    plan = from_json(json.loads((tmp_path / "run" / "plan.json").read_text()))
    goodput_Bps = plan.hosts[0].nic_bps * plan.scale_bytes / 8 * plan.payload_share
    assert 0.98 <= rows[0]["busbw_Bps"] / goodput_Bps <= 1.0


@pytest.mark.slow
def test_what_one_message_at_a_time_takes_is_what_the_model_says(tmp_path: Path) -> None:
    words = ("--algorithm", "ring,pairwise,hierarchical", "--sizes", "64K,16M")
    for row in bench(tmp_path / "run", THREE, *words):
        assert abs(row["error"]) <= 0.06, row


@pytest.mark.slow
def test_auto_is_nearly_as_fast_as_the_fastest_of_all(tmp_path: Path) -> None:
    rows = bench(tmp_path / "run", THREE, "--algorithm", "all,auto", "--sizes", "256K,256M")
    for size in {row["size_bytes"] for row in rows}:
        times = {row["asked"]: row["time_s"] for row in rows if row["size_bytes"] == size}
        assert times["auto"] <= 1.25 * min(times.values()), times


def test_a_run_folder_of_a_benchmark_is_complete_and_can_be_shown(tmp_path: Path) -> None:
    bench(tmp_path / "run", ONE, "--algorithm", "ring", "--sizes", "1M", "--check")
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"manifest.json", "plan.json", "fidelity.json", "events.parquet", "bench.json"} <= names
    shown = longhaul("show", tmp_path / "run")
    assert shown.status == 0, shown.complaint
    assert "busbw" in shown.out


@pytest.mark.slow
def test_a_benchmarks_page_shows_the_network_beneath_its_ranks(tmp_path: Path) -> None:
    bench(tmp_path / "run", THREE, "--algorithm", "ring", "--sizes", "16M", "--iters", "2")
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    network = re.search(r'<script type="application/json" class="network">(.*?)</script>', page)
    assert network is not None
    assert {track["name"] for track in json.loads(network[1])["tracks"]} >= {"c1→c2", "c2→c1"}


def refused(*words: str) -> Done:
    return longhaul("bench", ONE, *words)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--algorithm", "rign"), "'rign' is not an algorithm for all_reduce: ring, tree"),
        (("--collective", "broadcast", "--algorithm", "tree"), "ring, binomial"),
        (("--sizes", "1K:1M"), "is not FIRST:LAST:STEP"),
        (("--algorithm", "hierarchical", "--inner", "tree"), "'tree' is not an inner algorithm"),
        (("--algorithm", "parameter_server", "--servers", "9"), "servers is 9: expected 1 to 4"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_what_can(
    words: tuple[str, ...], complaint: str
) -> None:
    done = refused(*words)
    assert done.status == 2
    assert complaint in done.complaint
    assert "Traceback" not in done.complaint
