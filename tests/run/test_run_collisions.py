"""Big connections that meet on one of several equal ways: foretold by the plan, seen in the switches' counters."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from analysis.findings.collisions import collisions, sentence
from longhaul.runs.life import read
from tests.run.conftest import HERE, Done, Runs, longhaul
from tests.run.test_run_exactness import request_for

COLLIDE, APART = "routing.hash-seed=2", "routing.hash-seed=34"
PINNED = "routing.hash=pinned"
UPLINKS = [f"c1-l{leaf}-eth{port}" for leaf in (1, 2) for port in (5, 6, 7, 8)]


def about(*overrides: str) -> dict[str, Any]:
    """What a plan says of the workload before it runs."""
    request = request_for(HERE / "equal-ways.yaml", HERE / "crossing.yaml")
    found: dict[str, Any] = read(replace(request, overrides=overrides)).prepared[0].about
    return found


def test_four_connections_on_four_ways_may_meet() -> None:
    found = collisions(about(COLLIDE))
    assert found
    assert found.connections == 8
    worst = found.crowded[0]
    assert (worst.switch, worst.ways, worst.idle, len(worst.connections)) == ("c1-l1", 4, 2, 3)
    assert "c1-h100-1 → c1-h100-5" in worst.connections[0]
    assert "2 of 4 ways are idle; so it is at 1 more place" in sentence(found)
    assert "routing.hash-seed" in sentence(found)


def test_with_another_draw_they_do_not() -> None:
    told = about(APART)
    assert collisions(told) is None
    assert len(told["equal_ways"]["connections"]) == 8
    # Nobody meets: it takes as long as if bytes had been dealt out.
    assert told["prediction"]["iteration_s"] == about(COLLIDE)["equal_ways"]["dealt_out_s"]


def test_pinned_they_go_over_the_ways_in_turn_whatever_the_draw() -> None:
    for draw in (COLLIDE, APART, "routing.hash-seed=5"):
        told = about(draw, "routing.hash=pinned")
        assert collisions(told) is None
        taken = [
            choice["took"] for one in told["equal_ways"]["connections"] for choice in one["choices"]
        ]
        assert sorted(taken) == UPLINKS, "each uplink has one big connection"
        assert told["prediction"]["iteration_s"] == about(COLLIDE)["equal_ways"]["dealt_out_s"]


def planned(*words: str) -> str:
    """What `longhaul plan` says of it, in one line."""
    files = (HERE / "equal-ways.yaml", "--workload", HERE / "crossing.yaml")
    done = longhaul("plan", *files, *words)
    assert done.status == 0, done.complaint
    return " ".join(done.out.split())


@pytest.mark.slow
def test_the_plan_of_a_workload_says_where_connections_meet() -> None:
    found = collisions(about(COLLIDE))
    assert found
    said = sentence(found)
    assert said in planned("--set", COLLIDE)
    assert said in planned("--seed", "2"), "the seed is the switches', where they have none"
    assert "share a way" not in planned("--set", APART)
    told = json.loads(planned("--set", COLLIDE, "--format", "json"))["workloads"][0]
    assert told["equal_ways"] == json.loads(json.dumps(about(COLLIDE)["equal_ways"]))


def test_where_switches_have_no_choice_nothing_is_said() -> None:
    request = request_for(HERE / "links.yaml", HERE / "verified.yaml")
    assert read(request).prepared[0].about["equal_ways"] is None


@pytest.fixture(scope="module", params=[COLLIDE, APART, PINNED])
def run(request: pytest.FixtureRequest, runs: Runs) -> Done:
    return runs("equal-ways", "crossing", "--set", COLLIDE, "--set", request.param)


@pytest.mark.slow
def test_every_way_carries_what_the_plan_says(run: Done) -> None:
    """Bytes that the leaves' ports to the spines have sent, against the connections that are to take them."""
    workload = json.loads((run.folder / "plan.json").read_text())["workloads"][0]
    planned: Counter[str] = Counter()
    for connection in workload["equal_ways"]["connections"]:
        for choice in connection["choices"]:
            planned[choice["took"]] += connection["bytes"]
    assert len(set(planned) - set(UPLINKS)) == 0
    iterations = workload["iterations"] + workload["warmup"]
    telemetry = pl.read_parquet(run.folder / "telemetry.parquet")
    sent = {
        name: telemetry.filter(pl.col("interface") == name)["tx_bytes"].max() for name in UPLINKS
    }
    for name in UPLINKS:
        payload = iterations * planned[name]
        # Headers, and the others' acknowledgements: 66 bytes for two packets of 9014 at most each way.
        assert payload <= sent[name] <= 1.02 * payload + 0.02 * iterations * max(planned.values())


@pytest.mark.slow
def test_an_iteration_takes_as_long_as_the_model_says_of_these_ways(run: Done) -> None:
    """Where they meet it takes somewhat less, probably since TCP does not share as evenly as the model has it."""
    workload = json.loads((run.folder / "plan.json").read_text())["workloads"][0]
    found = run.summary["iterations"]["p50_s"] / workload["prediction"]["iteration_s"]
    assert found == pytest.approx(1, rel=0.1 if run.summary["collisions"] else 0.05)


@pytest.mark.slow
def test_it_costs_about_what_the_model_says(runs: Runs) -> None:
    together, apart = (
        runs("equal-ways", "crossing", "--set", COLLIDE, "--set", setting).summary
        for setting in (COLLIDE, APART)
    )
    cost_s = together["iterations"]["p50_s"] - apart["iterations"]["p50_s"]
    assert cost_s == pytest.approx(together["collisions"]["cost_s"], rel=0.25)


@pytest.mark.slow
def test_it_is_said_where_it_happens_and_only_there(run: Done) -> None:
    page = (run.folder / "report.html").read_text()
    said = "share a way while an equal one is idle"
    collides = run.summary["collisions"] is not None
    assert (said in " ".join(run.out.split())) == collides
    assert (said in page) == collides
