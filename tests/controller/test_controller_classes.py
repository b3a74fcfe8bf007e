"""Messages that are small and bulk take different spans under `collective-aware`: the model knows which,
and the real fabric takes as long as it says."""

import json
from pathlib import Path

import pytest

from longhaul.planning import make_plan
from scenario.loading import load_topology
from scenario.plan.types import Plan
from tests.controller.networks import longhaul
from traffic.host.transport import SMALL_BYTES
from traffic.model.model import Model, ends_s
from traffic.schedule import Op, Schedule

SHORT_S, WIDE_S = 100e-6, 1e-3
SPANS = """
longhaul: 1
name: classes
scale: {bytes: 2000}
routing: collective-aware
campuses:
  c1: {hosts: [{count: 1, accelerator: H100}]}
  c2: {hosts: [{count: 1, accelerator: H100}]}
links:
  short: {between: [c1, c2], delay: 100us, rate: 400Gbit/s}
  wide: {between: [c1, c2], delay: 1ms, rate: 3200Gbit/s}
"""


@pytest.fixture
def topology(tmp_path: Path) -> Path:
    file = tmp_path / "classes.yaml"
    file.write_text(SPANS)
    return file


@pytest.fixture
def plan(topology: Path) -> Plan:
    return make_plan(load_topology(topology))


def one_message(size: int) -> Schedule:
    return ((Op("send", 1, 0, size),), (Op("copy", 0, 0, size),))


def carried_s(plan: Plan, size: int) -> float:
    return ends_s(plan, one_message(size), [0.0, 0.0])[1]


def test_a_connection_of_small_messages_goes_the_short_way_any_other_the_wide_one(
    plan: Plan,
) -> None:
    assert SHORT_S < carried_s(plan, SMALL_BYTES) < WIDE_S
    assert carried_s(plan, SMALL_BYTES + 1) > WIDE_S


def test_one_large_message_at_another_time_makes_a_connection_bulk(plan: Plan) -> None:
    model = Model(plan, beside=[one_message(SMALL_BYTES + 1)])
    assert model.ends_s(one_message(4), [0.0, 0.0])[1] > WIDE_S


@pytest.mark.parametrize(
    ("sizes", "least_s"),
    [
        pytest.param("64K", [2 * SHORT_S], id="small", marks=pytest.mark.slow),
        pytest.param(
            "64K,256M", [2 * WIDE_S, 2 * WIDE_S], id="small-beside-large", marks=pytest.mark.slow
        ),
    ],
)
def test_an_all_reduce_takes_as_long_as_the_model_says(
    sizes: str,
    least_s: list[float],
    topology: Path,
    tmp_path: Path,
    kernel: Path,  # noqa: ARG001
) -> None:
    words = ("--algorithm", "ring", "--sizes", sizes, "--iters", "3", "--warmup", "1")
    out = ("--format", "json", "--out", tmp_path / "run")
    status, said, complaint = longhaul("bench", topology, *words, *out)
    assert status == 0, complaint
    rows = json.loads(said)["rows"]
    assert len(rows) == len(least_s)
    for row, least in zip(rows, least_s, strict=True):
        assert row["predicted_s"] > least
        assert row["p50_s"] == pytest.approx(row["predicted_s"], rel=0.05)
