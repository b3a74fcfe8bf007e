"""Of several equal ways a queue pair takes the one that the plan says: its packets leave from a port by rule."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.findings.collisions import collisions
from longhaul.runs.life import read
from tests.run.conftest import HERE, Done, longhaul
from tests.run.test_run_exactness import request_for
from traffic.host.ports import COUNT, FIRST, flow_label, source_port

COLLIDE = "routing.hash-seed=23"
UPLINKS = [f"c1-l{leaf}-eth{port}" for leaf in (1, 2) for port in (5, 6, 7, 8)]


@given(st.integers(FIRST, FIRST + COUNT - 1))
def test_the_kernel_makes_the_port_of_its_flow_label(port: int) -> None:
    """Its lower 14 bits, with the upper 6 folded onto them, above 49152; none at all would be another's choice."""
    label = flow_label(port)
    assert 0 < label < 1 << 20
    assert (label & 0x3FFF ^ label >> 14) | 0xC000 == port


@pytest.fixture(scope="module")
def about() -> dict[str, Any]:
    """What a plan says of the workload before it runs."""
    request = request_for(HERE / "equal-ways.yaml", HERE / "crossing.yaml")
    chosen = replace(request, overrides=(COLLIDE,), workload_overrides=("transport=roce",))
    found: dict[str, Any] = read(chosen).prepared[0].about
    return found


def test_queue_pairs_that_meet_are_a_finding(about: dict[str, Any]) -> None:
    found = collisions(about)
    assert found
    assert found.connections == 8
    assert [(one.switch, one.idle, len(one.connections)) for one in found.crowded] == [
        ("c1-l1", 2, 3),
        ("c1-l2", 2, 3),
    ]
    first = about["equal_ways"]["connections"][0]
    assert first["source_port"] == source_port("10.1.1.1", "10.1.2.1", 29500)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, kernel: Path) -> Done:  # noqa: ARG001
    folder = tmp_path_factory.mktemp("ways") / "run"
    done = longhaul(
        "run", HERE / "equal-ways.yaml", "--workload", HERE / "crossing.yaml", "--set", COLLIDE,
        "--set-workload", "transport=roce", "--out", folder, folder=folder,
    )  # fmt: skip
    assert done.status == 0, done.complaint
    return done


@pytest.mark.slow
def test_every_way_carries_what_the_plan_says_of_queue_pairs(run: Done) -> None:
    """Bytes that the leaves' ports to the spines have sent, against the queue pairs that are to take them."""
    workload = json.loads((run.folder / "plan.json").read_text())["workloads"][0]
    planned: Counter[str] = Counter()
    for connection in workload["equal_ways"]["connections"]:
        for choice in connection["choices"]:
            planned[choice["took"]] += connection["bytes"]
    iterations = workload["iterations"] + workload["warmup"]
    telemetry = pl.read_parquet(run.folder / "telemetry.parquet")
    for name in UPLINKS:
        sent = telemetry.filter(pl.col("interface") == name)["tx_bytes"].max()
        payload = iterations * planned[name]
        # 4154 bytes on the wire for 4096; acknowledgements, and the small messages that are no big connection's.
        assert payload <= sent <= 1.02 * payload + 0.02 * iterations * max(planned.values())


@pytest.mark.slow
def test_queue_pairs_that_meet_take_at_most_half_as_long_again_as_the_model_says(run: Done) -> None:
    """The model has three messages cross a wire one after another: they are there after T, 2 T and 3 T. Queue pairs
    share the wire, and all three take 3 T."""
    workload = json.loads((run.folder / "plan.json").read_text())["workloads"][0]
    found = run.summary["iterations"]["p50_s"] / workload["prediction"]["iteration_s"]
    assert 1 <= found <= 1.5
