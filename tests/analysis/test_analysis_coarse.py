"""A benchmark's page says so where too few packets fill a link for its tail to be a real network's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.report.benchmark import write_benchmark_page
from tests.analysis.test_analysis_hostile_pages import benchmark


@pytest.mark.parametrize(("packets", "coarse"), [(0.9, True), (19.0, True), (20.0, False)])
def test_a_benchmarks_page_says_how_many_packets_fill_its_coarsest_link(
    tmp_path: Path, packets: float, coarse: bool
) -> None:
    folder = benchmark(tmp_path, "a")
    plan = json.loads((folder / "plan.json").read_text())
    plan["links"][0]["packets_per_bdp"] = packets
    (folder / "plan.json").write_text(json.dumps(plan))
    text = write_benchmark_page(folder).read_text(encoding="utf-8")
    assert (f"{packets:.2g} packets fill" in text) == coarse
    assert ("every fidelity check passed" in text) != coarse
