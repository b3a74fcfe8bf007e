"""Workloads in the real fabric: every shipped strategy takes as long as its forecast; several at a time."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.run.conftest import HERE, ROOT, Done, longhaul

SIX = HERE / "ring-three-campuses.yaml"
ONE_CAMPUS = HERE / "ring-one-campus.yaml"
WORKLOADS = ROOT / "traffic" / "workloads"
SMALL = {
    "ddp": ("model.parameters=7e8", "batch.tokens=256Ki", "strategy.bucket=300MB",
            "strategy.first-bucket=100MB"),
    "fsdp": ("model.parameters=7e8", "model.layers=4", "batch.tokens=256Ki"),
    "pipeline": ("model.parameters=7e8", "batch.tokens=256Ki", "strategy.microbatches=4"),
    "moe": ("model.parameters=8e8", "model.active=3e8", "model.layers=2", "batch.tokens=256Ki"),
    "diloco": ("model.parameters=7e8", "batch.tokens=256Ki", "strategy.inner-steps=4",
               "strategy.overlap-steps=1"),
}  # fmt: skip


def settings(*overrides: str) -> list[str]:
    """As words of the command line."""
    return [word for text in overrides for word in ("--set-workload", text)]


def carried_out(folder: Path, *words: str | Path) -> Done:
    """A run that must end well."""
    done = longhaul("run", *words, "--out", folder, folder=folder)
    assert done.status == 0, done.complaint
    return done


def plan_of(done: Done) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((done.folder / "plan.json").read_text())
    return data


Strategies = Callable[..., Done]


@pytest.fixture(scope="module")
def strategies(kernel: Path, tmp_path_factory: pytest.TempPathFactory) -> Strategies:  # noqa: ARG001
    """A run of a strategy, small, its results checked; each is made once."""

    @functools.cache
    def run(name: str, topology: Path, *more: str) -> Done:
        words = settings(*SMALL[name], *more, "iterations=2", "warmup=4", "collective.verify=true")
        file = WORKLOADS / f"{name}.yaml"
        return carried_out(
            tmp_path_factory.mktemp(name) / "run", topology, "--workload", file, *words
        )

    return run


def against_the_model(done: Done) -> float:
    """The mean iteration over what the model says, once windows have grown."""
    predicted_s: float = plan_of(done)["workloads"][0]["prediction"]["iteration_s"]
    return float(done.summary["iterations"]["mean_s"]) / predicted_s


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ddp", "fsdp", "diloco"])
def test_strategies_that_go_round_a_ring_take_as_long_as_the_model_says(
    name: str, strategies: Strategies
) -> None:
    assert against_the_model(strategies(name, SIX)) == pytest.approx(1, rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "more"), [("pipeline", ("strategy.stages=2",)), ("moe", ())])
def test_strategies_whose_hosts_exchange_directly_do_so_too_where_they_share_no_link(
    name: str, more: tuple[str, ...], strategies: Strategies
) -> None:
    found = against_the_model(strategies(name, ONE_CAMPUS, *more))
    assert found == pytest.approx(1, rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pipeline", "moe"])
def test_where_hosts_share_a_long_haul_link_they_take_as_long_as_the_model_says_too(
    name: str, strategies: Strategies
) -> None:
    """The model has TCP's connections compete for it: one message after another, it was 4 and 16 % under."""
    assert against_the_model(strategies(name, SIX)) == pytest.approx(1, rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_every_collective_of_every_strategy_is_right(name: str, strategies: Strategies) -> None:
    assert strategies(name, SIX).summary["collective"]["wrong"] == 0


@pytest.mark.slow
@pytest.mark.usefixtures("kernel")
def test_two_workloads_run_side_by_side_on_hosts_of_their_own(tmp_path: Path) -> None:
    file = HERE / "verified.yaml"
    one, other = ("--workload", f"{file}@c1"), ("--workload", f"{file}@c2,c3-*-1")
    done = carried_out(tmp_path / "both", SIX, *one, *other, *settings("verified-2:iterations=2"))
    workloads = plan_of(done)["workloads"]
    assert [w["name"] for w in workloads] == ["verified", "verified-2"]
    assert [w["ranks"] for w in workloads] == [[0, 1], [2, 3, 4]]
    events = pl.read_parquet(done.folder / "events.parquet")
    count = events.group_by("rank").agg(pl.col("iteration").n_unique())
    assert dict(count.iter_rows()) == {0: 5, 1: 5, 2: 3, 3: 3, 4: 3}
    peers = events.filter(pl.col("kind") == "send").group_by("rank").agg(pl.col("peer").unique())
    assert {rank: set(to) for rank, to in peers.iter_rows()} == {
        0: {1},
        1: {0},
        2: {3},
        3: {4},
        4: {2},
    }
    assert done.summary["collective"]["wrong"] == 0


def test_workloads_that_want_the_same_hosts_are_refused_by_name(tmp_path: Path) -> None:
    file = HERE / "verified.yaml"
    done = longhaul(
        "run", SIX, "--workload", f"{file}@c1", "--workload", f"{file}@c1-h100-2,c2",
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert done.status == 2
    assert "the workloads verified and verified-2 share c1-h100-2" in done.complaint


def test_a_workload_that_is_to_run_nowhere_is_refused(tmp_path: Path) -> None:
    file = HERE / "verified.yaml"
    done = longhaul("run", SIX, "--workload", f"{file}@c4", "--out", tmp_path / "out")
    assert done.status == 2
    assert "no campus and no host is called so" in done.complaint


def test_training_on_a_single_host_is_refused(tmp_path: Path) -> None:
    place = f"{HERE / 'verified.yaml'}@c1-h100-1"
    done = longhaul("run", SIX, "--workload", place, "--out", tmp_path / "out")
    assert done.status == 2
    assert "give it two hosts or more" in done.complaint
    assert "Traceback" not in done.complaint


def test_a_setting_for_one_of_several_workloads_must_say_which(tmp_path: Path) -> None:
    file = HERE / "verified.yaml"
    places = [word for place in ("c1", "c2") for word in ("--workload", f"{file}@{place}")]
    done = longhaul("run", SIX, *places, *settings("iterations=2"), "--out", tmp_path / "out")
    assert done.status == 2
    assert "NAME:PATH=VALUE, where NAME is verified or verified-2" in done.complaint


@pytest.mark.slow
@pytest.mark.usefixtures("kernel")
def test_random_slowdowns_lengthen_compute_by_what_was_drawn(tmp_path: Path) -> None:
    words = settings(
        "slowdowns={distribution: fixed, spread: 50%, chance: 40%}", "iterations=4",
        "model.parameters=1e7", "batch.tokens=64Ki",
    )  # fmt: skip
    done = carried_out(tmp_path / "slow", ROOT / "topologies" / "two-hosts.yaml", *words)
    events = pl.read_parquet(done.folder / "events.parquet").filter(pl.col("kind") == "compute")
    full_s = plan_of(done)["workloads"][0]["compute_s"][0]
    taken = (events["end_ns"] - events["start_ns"]) / 1e9 / full_s
    assert {round(factor, 3) for factor in taken} == {1.0, 1.5}
