"""The scenarios and workloads that ship with longhaul are what their stories say."""

from pathlib import Path

import pytest

from scenario.loading import load_topology, load_workload
from scenario.text.units import YEAR_S
from scenario.types.achieved import achieved_flops
from scenario.types.topology import Training

ROOT = Path(__file__).parents[2]
TOPOLOGIES = sorted((ROOT / "topologies").glob("*.yaml"))
WORKLOADS = sorted((ROOT / "traffic" / "workloads").glob("*.yaml"))


@pytest.mark.parametrize("path", TOPOLOGIES, ids=lambda path: path.stem)
def test_every_shipped_topology_loads_under_its_own_name(path: Path) -> None:
    topology = load_topology(path)
    assert topology.name == path.stem
    assert topology.description


@pytest.mark.parametrize("path", WORKLOADS, ids=lambda path: path.stem)
def test_every_shipped_workload_loads_under_its_own_name(path: Path) -> None:
    assert load_workload(path).name == path.stem


def test_colossus_is_one_mixed_campus_and_two_uniform_ones_over_an_aging_network() -> None:
    topology = load_topology(ROOT / "topologies" / "colossus.yaml")
    groups = {c.name: sorted({host.group for host in c.hosts}) for c in topology.campuses}
    assert groups == {"c1": ["gb200", "h100", "h200"], "c2": ["gb200"], "c3": ["gb200"]}
    assert sum(len(campus.hosts) for campus in topology.campuses) == 24
    aging = [link for link in topology.links if "c1" in (link.a, link.b)]
    assert all(link.distance_m >= 16093 for link in aging)
    assert [link.age_s / YEAR_S for link in aging] == [12, 12]


def test_colossus_keeps_the_published_shares_of_flops_within_three_points() -> None:
    """150,000 H100, 50,000 H200 and 30,000 GB200 in Memphis; 550,000 Blackwells in Colossus 2."""
    topology = load_topology(ROOT / "topologies" / "colossus.yaml")
    per_gpu = {
        host.accelerator.name: achieved_flops(host.accelerator.achieved)
        for campus in topology.campuses
        for host in campus.hosts
    }
    published = {"H100": 150e3, "H200": 50e3, "GB200": 30e3}
    memphis = sum(count * per_gpu[name] for name, count in published.items())
    there = memphis / (memphis + 550e3 * per_gpu["GB200"])
    own = [
        (campus.name, host.gpus * per_gpu[host.accelerator.name])
        for campus in topology.campuses
        for host in campus.hosts
    ]
    here = sum(flops for name, flops in own if name == "c1") / sum(flops for _, flops in own)
    assert here == pytest.approx(there, abs=0.03)
    gpus = sum(host.gpus for campus in topology.campuses for host in campus.hosts)
    assert gpus * topology.scale_hosts == pytest.approx(780e3, rel=0.05)


def test_the_default_workload_sums_two_bytes_for_each_of_seven_billion_parameters() -> None:
    workload = load_workload(ROOT / "traffic" / "workloads" / "training.yaml")
    assert isinstance(workload, Training)
    assert workload.gradient_bytes == 14e9
    assert workload.tokens == 4 * 2**20
