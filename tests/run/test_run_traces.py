"""A trace is imported and replayed in a real fabric: its compute to the nanosecond, its bytes by collective."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.traces.making import Kineto

from .conftest import ROOT, Done, longhaul

TOPOLOGY = """
longhaul: 1
name: trace
scale: {bytes: 1000}
campuses:
  c1: {hosts: [{count: 2, accelerator: H100}]}
  c2: {hosts: [{count: 1, accelerator: H100}]}
links:
  c1-c2: {between: [c1, c2], distance: 10mi, rate: 400Gbit/s}
"""
RANKS, PER_HOST, HOSTS = 6, 2, 3
SCALE = 1000
SIZE = 48_000_000
COMPUTE_US = [500, 700, 900, 300, 800, 600]  # of each rank, before the first collective
OPS = {"all_reduce": 0, "all_gather": 2, "reduce_scatter": 7, "all_to_all": 6, "broadcast": 5}
MESSAGE = 8_000_000


def rank_of_a_trace(rank: int) -> Iterator[dict[str, Any]]:
    """Compute, each collective in its turn, a message from rank 0 to rank 5, a barrier and compute."""
    yield {"Id": 1, "Name": "forward", "NodeType": 4, "runtime": COMPUTE_US[rank]}
    last = 1
    for key, (op, number) in enumerate(OPS.items(), 2):
        size = SIZE // RANKS if op == "all_gather" else SIZE
        node = {"Id": key, "Name": op, "NodeType": 7, "comm_type": number, "comm_size": size}
        yield node | {"data_deps": [last]}
        last = key
    ends = {0: (5, "comm_dst", 5), 5: (6, "comm_src", 0)}
    if rank in ends:
        kind, end, peer = ends[rank]
        node = {"Id": 20, "Name": "p2p", "NodeType": kind, "comm_size": MESSAGE, end: peer}
        yield node | {"data_deps": [last]}
        last = 20
    yield {"Id": 21, "Name": "barrier", "NodeType": 7, "comm_type": 9, "data_deps": [last]}
    yield {"Id": 22, "Name": "step", "NodeType": 4, "runtime": 100 + rank, "data_deps": [21]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("traces")
    for rank in range(RANKS):
        nodes = list(rank_of_a_trace(rank))
        (made / f"job.{rank}.json").write_text(json.dumps({"workload_graph": nodes}))
    (made / "topology.yaml").write_text(TOPOLOGY)
    return made


@pytest.fixture(scope="module")
def done(folder: Path, kernel: Path) -> Done:  # noqa: ARG001
    files = [folder / f"job.{rank}.json" for rank in range(RANKS)]
    workload = folder / "job.yaml"
    words = ("--ranks-per-host", str(PER_HOST), "-o", workload, "--format", "json")
    imported = longhaul("import", *files, *words)
    assert imported.status == 0, imported.complaint
    sizes = {one["op"]: one["size_bytes"] for one in json.loads(imported.out)["collectives"]}
    assert sizes == dict.fromkeys(OPS, SIZE) | {"barrier": 0, "send_recv": MESSAGE}
    run = folder / "run"
    settings = ("--set-workload", "verify=true", "--set-workload", "iterations=2")
    made = longhaul(
        "run", folder / "topology.yaml", "--workload", workload, *settings, "--out", run, folder=run
    )
    assert made.status == 0, made.complaint
    return made


@pytest.fixture(scope="module")
def events(done: Done) -> pl.DataFrame:
    return pl.read_parquet(done.folder / "events.parquet").filter(pl.col("iteration") == 1)


def test_every_result_is_right(done: Done) -> None:
    assert json.loads((done.folder / "manifest.json").read_text())["wrong"] == 0


def test_each_rank_computes_as_long_as_its_trace_says(events: pl.DataFrame) -> None:
    compute = events.filter(pl.col("kind") == "compute")
    lasted = compute.with_columns(ns=pl.col("end_ns") - pl.col("start_ns"))
    for host in range(HOSTS):
        ranks = range(host * PER_HOST, (host + 1) * PER_HOST)
        asked = sorted(us * 1000 for rank in ranks for us in (COMPUTE_US[rank], 100 + rank))
        found = sorted(lasted.filter(pl.col("rank") == host)["ns"].to_list())
        assert all(0 <= took - ns <= 20 for took, ns in zip(found, asked, strict=True))


def test_a_host_enters_a_collective_when_the_last_of_its_ranks_does(events: pl.DataFrame) -> None:
    first = events.filter((pl.col("kind") == "collective") & (pl.col("task") == 0)).sort("rank")
    compute = events.filter(pl.col("kind") == "compute")
    for host, start_ns in enumerate(first["start_ns"]):
        began_ns = compute.filter(pl.col("rank") == host)["start_ns"].min()
        slowest = max(COMPUTE_US[host * PER_HOST : (host + 1) * PER_HOST]) * 1000
        assert 0 <= start_ns - began_ns - slowest <= 20


def sent_bytes(events: pl.DataFrame) -> list[int]:
    """By collective, in order of their numbers, over all hosts."""
    sends = events.filter(pl.col("kind") == "send").group_by("task").agg(pl.col("bytes").sum())
    return sends.sort("task")["bytes"].to_list()


def test_every_collective_carries_its_bytes(events: pl.DataFrame) -> None:
    carried = SIZE // SCALE
    ring = (HOSTS - 1) * carried  # over all hosts: each sends (n-1)/n of the size
    exchanged = PER_HOST * ring  # both ranks of a host have something for every other
    *numbers, barrier, message = sent_bytes(events)
    assert numbers == [2 * ring, ring, ring, exchanged, ring]
    assert message == MESSAGE // SCALE
    assert 0 < barrier <= 100  # a barrier is a few bytes in each of its rounds


def test_an_iteration_takes_as_long_as_the_model_says(done: Done) -> None:
    plan = json.loads((done.folder / "plan.json").read_text())
    predicted_s = plan["workloads"][0]["prediction"]["iteration_s"]
    assert done.summary["iterations"]["p50_s"] == pytest.approx(predicted_s, rel=0.05)


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory, kernel: Path) -> Done:  # noqa: ARG001
    """Two ranks of Kineto whose all-reduce ends at 1000 µs: the second began 500 µs after the first, by a clock that is
    seven seconds ahead."""
    made = tmp_path_factory.mktemp("late")
    files = []
    for rank, (begin, clock) in enumerate(((0, 0), (500, 7_000_000))):
        profile = Kineto(rank)
        profile.kernel("compute", 7, begin + clock, begin + clock, 100)
        start = begin + clock + 100
        profile.all_reduce(20, start, start, 900 - begin, elements=1000)
        files.append(profile.save(made / f"{rank}.json"))
    imported = longhaul("import", *files, "-o", made / "job.yaml")
    assert imported.status == 0, imported.complaint
    assert "they begin up to 0.5 ms apart" in " ".join(imported.out.split())
    topology = ROOT / "topologies" / "two-hosts.yaml"
    settings = ("--set-workload", "iterations=3")
    run = made / "run"
    done = longhaul(
        "run", topology, "--workload", made / "job.yaml", *settings, "--out", run, folder=run
    )
    assert done.status == 0, done.complaint
    return done


@pytest.mark.slow
def test_a_rank_that_began_late_in_the_trace_begins_late_in_every_iteration(late: Done) -> None:
    events = pl.read_parquet(late.folder / "events.parquet")
    assert json.loads((late.folder / "plan.json").read_text())["workloads"][0]["begins_s"] == [
        0.0,
        5e-4,
    ]
    computes = events.filter(pl.col("kind") == "compute").sort("iteration", "rank")
    assert computes.height == 6  # being idle is no compute
    assert all(abs(took - 100_000) <= 1 for took in computes["end_ns"] - computes["start_ns"])
    starts = computes["start_ns"].to_numpy().reshape(3, 2)
    assert abs(starts[0, 1] - starts[0, 0] - 500_000) <= 10
    ends = events.filter(pl.col("kind") == "collective")["end_ns"].to_numpy()
    apart = max(ends.reshape(-1, 2).max(axis=1) - ends.reshape(-1, 2).min(axis=1))
    assert (abs(starts[1:, 1] - starts[1:, 0] - 500_000) <= apart + 10).all()


@pytest.mark.slow
def test_the_rank_that_began_late_is_the_one_that_was_waited_for(late: Done) -> None:
    ranks = late.summary["stalls"]["by_rank"]
    assert [rank["blamed_share"] for rank in ranks] == pytest.approx([0.0, 1.0], abs=0.01)
    assert (
        500e-6 <= ranks[0]["sync_wait_s"] <= 600e-6
    )  # one has a collective's end up to 87 µs before the other
    prediction = json.loads((late.folder / "plan.json").read_text())["workloads"][0]["prediction"]
    assert late.summary["iterations"]["p50_s"] == pytest.approx(prediction["iteration_s"], rel=0.02)


def test_too_few_hosts_are_an_error_that_says_how_many_it_takes(folder: Path) -> None:
    settings = ("--set-workload", "ranks-per-host=1")
    words = (folder / "topology.yaml", "--workload", folder / "job.yaml", *settings)
    refused = longhaul("run", *words, "--out", folder / "refused")
    assert refused.status == 2
    assert "need 6 hosts: there are 3" in refused.complaint
    assert "Traceback" not in refused.complaint
