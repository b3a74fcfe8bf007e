"""In the real fabric: a burst of others' traffic overflows a queue, TCP says what it sent again, and the iterations
that waited are charged to that queue; a straggler is not."""

import polars as pl
import pytest

from .conftest import HERE, Done, Runs

BURST = ("--workload", HERE / "burst.yaml")


@pytest.fixture(scope="module")
def burst(runs: Runs) -> Done:
    return runs("overflow", "planted-workload", *BURST, "--probe", "*", name="burst")


def again(done: Done) -> pl.DataFrame:
    return pl.read_parquet(done.folder / "retransmissions.parquet")


@pytest.mark.slow
def test_the_queue_that_overflowed_is_charged_with_what_it_cost(burst: Done) -> None:
    found = burst.summary
    (seen,) = [one for one in found["timeline"] if one["cost_s"]]
    assert (seen["name"], seen["kind"], seen["links"]) == (
        "c2→c1 overflowed",
        "overflow",
        ["c1-c2"],
    )
    slowest_s = found["iterations"]["max_s"] - found["iterations"]["p50_s"]
    assert seen["beyond"] == 1
    assert seen["cost_s"] == pytest.approx(slowest_s, rel=0.05)
    assert "c2→c1's queue overflowed" in found["headline"]


@pytest.mark.slow
def test_tcp_has_sent_again_what_the_queue_dropped(burst: Done) -> None:
    """By hosts of c2 alone, and at a time when the queue overflowed or within a retransmission timeout of it."""
    rows = again(burst)
    assert rows["packets"].sum() > 0
    assert set(rows["host"].str.slice(0, 2)) == {"c2"}
    ports = pl.read_parquet(burst.folder / "telemetry.parquet").filter(
        kind="long-haul", node="c2-b"
    )
    assert rows["packets"].sum() <= ports["drops"].max() + rows.height
    assert rows["t_ns"].max() <= ports["t_ns"].max()
    assert (rows["since_ns"] < rows["t_ns"]).all()


def test_a_hot_host_is_not_blamed_on_the_network(runs: Runs) -> None:
    seen = [
        one
        for one in runs("planted", "planted-workload").summary["timeline"]
        if one["kind"] in ("overflow", "loss")
    ]
    assert all(not one["cost_s"] for one in seen)
