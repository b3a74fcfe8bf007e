"""A bundle in the fabric: connections take the members that the plan says, as long as the model says."""

from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from analysis.tables import read_events
from longhaul.planning import make_plan
from scenario.loading import load_topology
from scenario.plan import forwarding
from scenario.plan.hashing import FiveTuple
from tests.run.conftest import HERE, Done, longhaul
from traffic.host.ports import PORT, source_port

pytestmark = pytest.mark.usefixtures("kernel")
BUNDLE = HERE / "bundle.yaml"
CHANNELS = 4
TRAIN = (
    "--set-workload", "model={parameters: 1e9}", "--set-workload", "batch.tokens=64Ki", "--set-workload",
    f"collective.channels={CHANNELS}", "--set-workload", "iterations=2", "--set-workload", "warmup=1",
)  # fmt: skip


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    out = tmp_path_factory.mktemp("bundle") / "run"
    found = longhaul("run", BUNDLE, *TRAIN, "--out", out, folder=out)
    assert found.status == 0, found.complaint
    return found


def expected(members: dict[str, str]) -> Counter[str]:
    """How many of the connections that cross go by each interface; `members` names the sending ends."""
    plan = make_plan(load_topology(BUNDLE), seed=1)
    ways, hosts = forwarding.Forwarding(plan), plan.hosts
    found: Counter[str] = Counter()
    for source, sink in ((hosts[1], hosts[2]), (hosts[3], hosts[0])):
        for number in range(CHANNELS):
            port = source_port(source.ip, sink.ip, PORT, number)
            way = ways.take(FiveTuple(source.ip, sink.ip, port, PORT))
            found.update(end.interface for end in way if end.interface in members)
    return found


@pytest.mark.slow
def test_every_member_carries_the_connections_that_the_plan_gives_it(done: Done) -> None:
    plan = make_plan(load_topology(BUNDLE), seed=1)
    members = {end.interface: wire.name for wire in plan.long_hauls() for end in wire.ends}
    ports = pl.read_parquet(done.folder / "telemetry.parquet").filter(pl.col("kind") == "long-haul")
    sent = ports.group_by("interface").agg(pl.col("tx_bytes").max())
    carried = {name: size for name, size in sent.iter_rows() if name in members}
    due = expected(members)
    assert sum(due.values()) == 2 * CHANNELS
    each = sum(carried.values()) / sum(due.values())
    for name in members:  # acknowledgements of the other direction come on top: a hundredth
        assert carried[name] == pytest.approx(due[name] * each, rel=0.03, abs=0.03 * each)


@pytest.mark.slow
def test_it_takes_as_long_as_the_model_that_knows_the_members_says(done: Done) -> None:
    assert done.summary["faithful"]
    assert done.summary["prediction"]["error"] == pytest.approx(0, abs=0.02)


@pytest.mark.slow
def test_a_cut_that_nobody_notices_stops_training_until_it_is_over(tmp_path: Path) -> None:
    """200 ms until it is noticed, over after 100 ms: no carrier is ever lost, and all that is sent there is."""
    out = tmp_path / "cut"
    cut = "timeline=[{event: link-down, link: c1-c2, at: 40ms, for: 100ms}]"
    found = longhaul("run", BUNDLE, *TRAIN, "--set", cut, "--out", out, folder=out)
    assert found.status == 0, found.complaint
    events = read_events(out / "events.parquet")
    received = events.filter((pl.col("kind") == "recv") & (pl.col("end_ns") > 42_000_000))
    across = received.filter(pl.col("rank").is_in([0, 2]))
    assert across["end_ns"].min() > 140_000_000
    assert "is down" not in (out / "logs" / "controller.log").read_text()
