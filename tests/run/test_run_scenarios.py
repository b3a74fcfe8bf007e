"""Every scenario that ships runs, at small size, in the real fabric: two steps, with verified sums."""

import json
from pathlib import Path

import pytest

from scenario.loading import load_topology

from .conftest import ROOT, longhaul

TOPOLOGIES = {path.stem: path for path in sorted((ROOT / "topologies").glob("*.yaml"))}

MIXED = tuple(f"campuses.c1.hosts[{group}].count=1" for group in range(3))
OTHERS = ("campuses.c2.hosts[0].count=1", "campuses.c3.hosts[0].count=1")
UNIFORM = ("campuses.c1.hosts[0].count=3",)
FEWER = {
    "brownout": MIXED + OTHERS,
    "colossus": MIXED + OTHERS,
    "continent": ("templates.blackwell.hosts[0].count=1", "templates.hopper.hosts[0].count=1"),
    "flapping": (*MIXED, *OTHERS, "timeline[0].every=3s"),
    "lease": MIXED + OTHERS,
    "metro": ("templates.hall.hosts[0].count=1",),
    "new-fibre": MIXED + OTHERS,
    "one-campus": ("campuses.c1.hosts[0].count=4",),
    "region": ("defaults.campuses.hosts[0].count=1",),
    "retrofit": UNIFORM + OTHERS,
    "roce-lossless": (),
    "roce-old-fibre": (),
    "roce-shallow": (),
    "roce-ten-miles": (),
    "roce-victims": (),
    "tensor": (),
    "two-hosts": (),
    "uniform": UNIFORM + OTHERS,
}
"""What makes each scenario small: fewer hosts on the same network, fewer flaps."""
WORKLOAD = ("iterations=2", "warmup=0", "collective.verify=true")
FEWER_BYTES = "model.parameters=50e6"
OWN = {
    **dict.fromkeys(
        ("roce-lossless", "roce-old-fibre", "roce-shallow", "roce-ten-miles"),
        (*WORKLOAD, FEWER_BYTES),
    ),
    "tensor": (*WORKLOAD, "model.parameters=1e9", "model.layers=4"),
    "roce-victims": tuple(f"train:{one}" for one in (*WORKLOAD, FEWER_BYTES)),
    "lease": (
        *(f"training:{one}" for one in WORKLOAD),
        *("inference:duration=3s", "inference:arrivals.rate=10/s"),
    ),
}
"""The same for scenarios that bring workloads of their own."""


def _sets(flag: str, values: tuple[str, ...]) -> list[str]:
    return [word for value in values for word in (flag, value)]


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize(
    "name",
    [
        name if name == "two-hosts" else pytest.param(name, marks=pytest.mark.slow)
        for name in TOPOLOGIES
    ],
)
def test_a_scenario_runs_and_its_events_happen(name: str, tmp_path: Path) -> None:
    fewer, out = FEWER[name], tmp_path / "run"
    words = (*_sets("--set", fewer), *_sets("--set-workload", OWN.get(name, WORKLOAD)))
    done = longhaul("run", TOPOLOGIES[name], *words, "--out", out, folder=out)
    assert done.status == 0, done.complaint
    assert done.summary["iterations"]["count"] == 2
    assert done.summary["collective"]["wrong"] == 0
    assert done.summary["faithful"], done.summary["fidelity"]
    planned = {event.name for event in load_topology(TOPOLOGIES[name], fewer).timeline}
    assert {event["name"] for event in json.loads((out / "timeline.json").read_text())} == planned
