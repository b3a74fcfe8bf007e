"""Many forecasts at once are, to the last bit, what each of them is alone; and they take far less time."""

from __future__ import annotations

import math
import random
import time
from pathlib import Path

import numpy as np
import pytest

from longhaul.planning import make_plan
from scenario.loading import load_topology, load_workload
from scenario.types.topology import Training
from traffic.model import pacing, together
from traffic.model.course import Course, tolls
from traffic.model.forecast import Cycle, duration_s, durations_s
from traffic.model.sharing import ends_s
from traffic.model.together import ends_together
from traffic.model.wires import Wires
from traffic.schedule import Op
from traffic.training.kind import cycles, prepare

ROOT = Path(__file__).parents[2]
SETTINGS = (
    (),
    ("batch.shares=proportional",),
    pytest.param(("collective.algorithm=hierarchical",), marks=pytest.mark.slow),
    pytest.param(("collective.algorithm=tree",), marks=pytest.mark.slow),
    ("collective.algorithm=parameter_server",),
    pytest.param(("strategy={kind: ddp, bucket: 4GB, first-bucket: 2GB}",), marks=pytest.mark.slow),
)


def drawn(setting: tuple[str, ...], count: int, name: str = "continent") -> list[Cycle]:
    """Cases that differ in ages, lengths (and so in ways) and speeds."""
    chance = random.Random(1)
    workload = load_workload(ROOT / "traffic" / "workloads" / "training.yaml", setting)
    assert isinstance(workload, Training)
    made: list[Cycle] = []
    for _ in range(count):
        settings = [
            f"links.*.age={chance.randint(0, 25)}y".replace("*", link.name)
            for link in load_topology(ROOT / "topologies" / f"{name}.yaml").links
        ]
        settings += [
            f"accelerators.{chip}.mfu={chance.uniform(0.2, 0.6):.4f}" for chip in ("H100", "GB200")
        ]
        topology = load_topology(ROOT / "topologies" / f"{name}.yaml", settings)
        made += cycles(workload, make_plan(topology))
    return made


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda one: one[0][:40] if one else "plain ring")
def test_cases_together_take_what_each_takes_alone_to_the_last_bit(
    setting: tuple[str, ...],
) -> None:
    found = drawn(setting, 6)
    alone = [duration_s(cycle) for cycle in found]
    assert len(set(alone)) > 6
    assert durations_s(found) == alone
    assert durations_s(found[::-1]) == alone[::-1]


def test_near_and_far_fabrics_together_take_what_each_takes_alone_to_the_last_bit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On some TCP paces connections, on others it does not."""
    chance = random.Random(1)
    workload = load_workload(
        ROOT / "traffic" / "workloads" / "training.yaml",
        ("model.parameters=125e6", "batch.shares=proportional"),
    )
    assert isinstance(workload, Training)
    file = ROOT / "topologies" / "tensor.yaml"
    names = [link.name for link in load_topology(file).links]
    found: list[Cycle] = []
    for _ in range(6):
        distances = [f"links.{name}.distance={chance.uniform(10, 1000)}mi" for name in names]
        found += cycles(workload, make_plan(load_topology(file, distances)))
    alone = [duration_s(cycle) for cycle in found]
    assert durations_s(found) == alone
    assert durations_s(found[::-1]) == alone[::-1]
    monkeypatch.setattr(pacing, "WINDOWS", math.inf)
    assert 1 < sum(a != b for a, b in zip(alone, durations_s(found), strict=True)) < len(found) / 2


def test_a_fabric_where_messages_meet_is_run_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two send to a third: on the first fabric one after another, on the others at once, or the other way round."""
    course = Course(
        (*[(Op("send", 2, 0, 10**7),)] * 2, (Op("copy", 0, 0, 10**7), Op("copy", 1, 0, 10**7)))
    )
    costs = [
        tolls(course, Wires(make_plan(load_topology(ROOT / "topologies" / "tensor.yaml"))))
    ] * 3
    starts = np.array([[0.0, 0.0, 9.0], [9.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    found = ends_together(course, np.zeros((course.size, 3)), costs, starts)
    alone = [ends_s(course, costs[0], starts[:, place].tolist()) for place in range(3)]
    assert found.T.tolist() == alone
    monkeypatch.setattr(together._Together, "_check_alone", lambda *_: None)
    wrong = ends_together(course, np.zeros((course.size, 3)), costs, starts)
    assert (wrong != found).any(axis=0).tolist() == [False, True, True]


def test_the_forecast_of_a_case_is_that_of_the_plan() -> None:
    workload = load_workload(ROOT / "traffic" / "workloads" / "training.yaml")
    assert isinstance(workload, Training)
    plan = make_plan(load_topology(ROOT / "topologies" / "colossus.yaml"))
    expected = prepare(workload, plan, 1).about["prediction"]
    actual, ideal = durations_s(cycles(workload, plan))
    assert (actual, ideal) == (expected["iteration_s"], expected["ideal_iteration_s"])


def test_sixty_together_take_less_than_a_third_of_the_time_that_they_take_one_by_one() -> None:
    wide = drawn((), 60, "colossus")
    began = time.process_time()
    durations_s(wide)
    together_s = time.process_time() - began
    began = time.process_time()
    for cycle in wide[:12]:
        duration_s(cycle)
    alone_s = (time.process_time() - began) / 12 * len(wide)
    assert together_s < alone_s / 3
