"""Tests of a network's behaviour, as a project of yours may have them: `pytest -p longhaul.pytest_plugin labs/ci`."""

from pathlib import Path

TOPOLOGY = Path(__file__).parents[2] / "topologies" / "two-hosts.yaml"
WORKLOAD = Path(__file__).parents[2] / "traffic" / "workloads" / "training.yaml"


def test_a_hundred_miles_cost_less_than_a_hundredth_of_an_iteration(longhaul_run):
    near = longhaul_run(TOPOLOGY, workload=WORKLOAD)
    far = longhaul_run(TOPOLOGY, {"links.c1-c2.distance": "100mi"}, WORKLOAD)
    assert far.summary.faithful
    assert far.training.iterations.p50_s < 1.01 * near.training.iterations.p50_s


def test_no_packet_is_lost_on_new_fibre(longhaul_run):
    run = longhaul_run(TOPOLOGY, workload=WORKLOAD)  # made once: the test above has it already
    long_haul = run.table("telemetry").filter(kind="long-haul").collect()
    assert long_haul["drops"].max() == 0
