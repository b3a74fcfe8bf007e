"""Requests in the real fabric: what the plan predicts, what queueing theory says, and nothing lost."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from scenario.loading import load_workload
from scenario.types.inference import Inference
from traffic.serving.requests import Request, requests

from .conftest import HERE, Done, Runs, longhaul

SECOND = 1_000_000_000
CLOCK_NS = 30  # looking at a clock takes a nanosecond, and each of these happens a few times


def table(done: Done, name: str = "requests") -> pl.DataFrame:
    return pl.read_parquet(done.folder / f"{name}.parquet")


def asked(name: str, clients: int, *, seed: int = 1) -> list[Request]:
    workload = load_workload(HERE / f"{name}.yaml")
    assert isinstance(workload, Inference)
    return requests(workload, clients, seed)


def served(done: Done) -> dict[str, Any]:
    found: dict[str, Any] = done.summary["serving"][0]
    return found


def predicted_ns(done: Done) -> dict[str, float]:
    """Time to first token of a lone request, by client."""
    plan = json.loads((done.folder / "plan.json").read_text())
    expected = plan["workloads"][0]["prediction"]["first_token"]
    return {one["client"]: one["seconds"] * 1e9 for one in expected}


def undisturbed(done: Done) -> pl.DataFrame:
    """Requests over connections that were there already, before anything happens."""
    return table(done).filter(pl.col("arrival_ns") < 10 * SECOND)


@pytest.fixture(scope="module")
def seldom(runs: Runs) -> Done:
    return runs("serving", "seldom")


@pytest.fixture(scope="module")
def crowd(runs: Runs) -> Done:
    return runs("serving", "crowd", "--set", "timeline=[]")


def test_a_lone_request_gets_its_first_token_when_the_plan_says(seldom: Done) -> None:
    expected = predicted_ns(seldom)
    for row in undisturbed(seldom).iter_rows(named=True):
        first_ns = row["first_ns"] - row["arrival_ns"]
        assert abs(first_ns - expected[row["client"]]) <= CLOCK_NS


def test_who_is_further_away_waits_longer_by_exactly_the_round_trip(seldom: Done) -> None:
    first = undisturbed(seldom).with_columns(ns=pl.col("first_ns") - pl.col("arrival_ns"))
    least = dict(first.group_by("client").agg(pl.col("ns").min()).iter_rows())
    plan = json.loads((seldom.folder / "plan.json").read_text())
    delay_s = {link["name"]: link["forward"]["delay_s"] for link in plan["links"]}
    further_ns = 2e9 * (delay_s["c1-c3"] - delay_s["c1-c2"])
    assert abs(least["c3-prb"] - least["c2-prb"] - further_ns) <= CLOCK_NS


def test_requests_arrive_to_the_nanosecond_and_are_sent_at_once(seldom: Done) -> None:
    rows = table(seldom)
    wanted = asked("seldom", clients=3)
    assert rows["arrival_ns"].to_list() == [request.at_ns for request in wanted]
    assert (rows["sent_ns"] - rows["arrival_ns"]).is_between(0, CLOCK_NS).all()


def test_tokens_of_a_lone_request_come_as_fast_as_memory_lets_them(seldom: Done) -> None:
    """2 GB of weights and 100 kB for each token of context, at 1 TB/s."""
    tokens = table(seldom, "tokens").filter(pl.col("request") == 8).sort("token")
    for token, (earlier, later) in enumerate(pairwise(tokens["got_ns"])):
        assert abs(later - earlier - (2e6 + 100 * (1000 + token))) <= CLOCK_NS


def test_a_throttled_replica_takes_three_times_as_long(seldom: Done) -> None:
    rows = table(seldom).with_columns(prefill_ns=pl.col("produced_ns") - pl.col("begun_ns"))
    hot = pl.col("begun_ns").is_between(10.1 * SECOND, 11.8 * SECOND)
    assert rows.filter(hot).height >= 5
    assert (rows.filter(hot)["prefill_ns"] - 120_000_000).abs().max() <= CLOCK_NS
    late = rows.filter(pl.col("begun_ns") > 12.2 * SECOND)
    assert (late["prefill_ns"] - 40_000_000).abs().max() <= CLOCK_NS


@pytest.mark.slow
def test_one_at_a_time_requests_wait_as_lindley_says(runs: Runs) -> None:
    """Served in turn, each is begun when it is there and the one before is done. [Lindley 1952]"""
    rows = table(runs("serving", "queueing", "--set", "timeline=[]"))
    rows = rows.sort("received_ns")
    free_ns = 0
    for row in rows.iter_rows(named=True):
        begun_ns = max(row["received_ns"], free_ns)
        assert abs(row["begun_ns"] - begun_ns) <= CLOCK_NS
        assert abs(row["produced_ns"] - row["begun_ns"] - 40_000_000) <= CLOCK_NS
        free_ns = row["produced_ns"]
    waits = rows["begun_ns"] - rows["received_ns"]
    assert int(waits.to_numpy().max()) > 100_000_000


@pytest.mark.slow
def test_every_request_gets_every_token_once_in_order_after_it_was_produced(crowd: Done) -> None:
    wanted = {one.number: one for one in asked("crowd", clients=2)}
    rows, tokens = table(crowd), table(crowd, "tokens")
    assert rows["request"].to_list() == list(wanted)
    assert rows["output_tokens"].to_list() == [one.output for one in wanted.values()]
    assert rows["prompt_tokens"].to_list() == [one.prompt for one in wanted.values()]
    for number, one in wanted.items():
        own = tokens.filter(pl.col("request") == number)
        assert own["token"].to_list() == list(range(one.output))
        assert own["got_ns"].is_sorted()
        assert (own["got_ns"] > own["produced_ns"]).all()


@pytest.mark.slow
def test_the_least_loaded_replica_is_chosen_and_all_are_used(crowd: Done) -> None:
    rows = table(crowd)
    counts = rows["rank"].value_counts()["count"]
    assert len(counts) == 3
    assert counts.to_numpy().min() > rows.height / 6


@pytest.mark.slow
def test_the_nearest_replicas_serve_their_own_campus(runs: Runs) -> None:
    done = runs("serving", "crowd", "--set", "timeline=[]", "--set-workload", "routing=nearest")
    rows = table(done)
    assert set(rows.select("client", "rank").unique().iter_rows()) == {("c1-prb", 0), ("c2-prb", 1)}
    assert served(done)["parts"]["network"] < 0.1 * served(done)["parts"]["prefill"]


@pytest.mark.slow
def test_the_parts_of_the_first_token_add_up(crowd: Done) -> None:
    found = served(crowd)
    assert sum(found["parts"].values()) == pytest.approx(found["first_token"]["mean_s"], rel=1e-9)
    assert found["network_share"] * found["first_token"]["mean_s"] == pytest.approx(
        found["parts"]["network"], rel=1e-9
    )


@pytest.mark.slow
def test_loss_is_seen_by_users_and_not_by_replicas(runs: Runs) -> None:
    lossy = ("--set", "timeline=[]", "--set", "links.c1-c2.loss=2%", "--set-workload")
    done = runs("serving", "seldom", *lossy, "clients=[c2]")
    found = served(done)
    assert found["inter_token"]["max_s"] > 2 * found["inter_token_made"]["max_s"]
    assert found["inter_token"]["p50_s"] == pytest.approx(found["inter_token_made"]["p50_s"], 0.01)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_requests_to_the_nanosecond(crowd: Done, runs: Runs) -> None:
    again = runs("serving", "crowd", "--set", "timeline=[]", name="again")
    assert again.folder != crowd.folder
    assert again.summary["digest"] == crowd.summary["digest"]
    other = runs("serving", "crowd", "--set", "timeline=[]", "--seed", "2")
    assert other.summary["digest"] != crowd.summary["digest"]


@pytest.mark.slow
def test_a_run_of_requests_alone_has_a_report_and_can_be_shown(crowd: Done) -> None:
    page = (crowd.folder / "report.html").read_text(encoding="utf-8")
    assert "What the first token waits for" in page
    for part in ("data", "network"):
        assert f'<script type="application/json" class="{part}">' in page
    assert "first token" in crowd.out
    assert crowd.summary["headline"].startswith(f"{table(crowd).height} requests of crowd")


def test_a_client_that_is_nowhere_is_an_error_with_its_place(tmp_path: Path) -> None:
    words = ("--workload", HERE / "crowd.yaml", "--set-workload", "clients=[c9]")
    done = longhaul("run", HERE / "serving.yaml", *words, "--out", tmp_path / "no", folder=tmp_path)
    assert done.status == 2
    assert "crowd.yaml" in done.complaint
    assert "c9; there are c1, c2, c3, c1-t1-1" in done.complaint


def test_two_workloads_cannot_share_a_border(tmp_path: Path) -> None:
    words = ("--workload", HERE / "crowd.yaml@c1", "--workload", HERE / "seldom.yaml@c2")
    done = longhaul("run", HERE / "serving.yaml", *words, "--out", tmp_path / "no", folder=tmp_path)
    assert done.status == 2
    assert "seldom and crowd both need c1-prb for themselves" in done.complaint


@pytest.mark.slow
def test_a_replica_that_never_returns_is_named_by_those_who_wait_for_it(tmp_path: Path) -> None:
    crash = ("--set", "timeline=[{event: crash, hosts: c1-t1-1, at: 5.01s}]")
    words = (*crash, "--workload", HERE / "seldom.yaml", "--out", tmp_path / "no")
    done = longhaul("run", HERE / "serving.yaml", *words, folder=tmp_path)
    assert done.status == 1
    assert "the workload hangs" in done.complaint
    assert "waits for rank 0 (c1-t1-1) to send 20 of 20 bytes (iteration 20, operation 0)" in (
        done.complaint
    )


@pytest.fixture(scope="module")
def handed(runs: Runs) -> Done:
    return runs("river", "handed")


def test_a_context_crosses_the_river_when_the_plan_says(handed: Done) -> None:
    """20 kB of each of its 1,000 tokens, of which a thousandth is carried at a thousandth of 100 Gbit/s. The token
    then waits for the acknowledgement of the context's last frame, on the leaf's wire to the border."""
    plan = json.loads((handed.folder / "plan.json").read_text())
    expected = plan["workloads"][0]["prediction"]["first_token"][0]
    rows = table(handed)
    handover_ns = rows["produced_ns"] - rows["read_ns"]
    assert (handover_ns - round(expected["handover_s"] * 1e9)).abs().max() <= CLOCK_NS
    ahead_ns = rows["first_ns"] - rows["arrival_ns"] - round(expected["seconds"] * 1e9)
    assert (ahead_ns - round(66 * 8 / 0.1e9 * 1e9)).abs().max() <= CLOCK_NS
    assert set(rows["rank"]) == {1, 2}
    assert set(rows["answerer"]) == {0}


def test_who_answers_makes_all_tokens_but_the_first(handed: Done) -> None:
    """2 GB of weights and 20 kB for each token of context, at 1 TB/s."""
    for _, tokens in table(handed, "tokens").sort("token").group_by("request"):
        for token, (earlier, later) in enumerate(pairwise(tokens["produced_ns"])):
            assert abs(later - earlier - (2e6 + 20 * (1000 + token))) <= CLOCK_NS
