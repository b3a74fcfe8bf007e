"""DiLoCo layer by layer, held against its authors' simulation: arXiv 2501.18512, table 4.

The table says how many Gbit/s between two replicas reach a compute utilization, with H = 100 and fragments of three
layers. Its rates are those of a grid, each 10^(4/49) = 1.207 times the one before, so it says too much by up to 20.7 %.
It counts no headers, no delays, and gradients of two bytes: so are the plans here, but for what a full frame adds.
"""

from functools import lru_cache
from pathlib import Path

import pytest

from longhaul.planning import make_plan
from scenario.loading import load_topology, load_workload
from scenario.plan.types import Plan
from scenario.types.topology import Training
from traffic.host.program import ComputeTask
from traffic.model.forecast import Cycle, durations_s, iteration_s
from traffic.model.wires import Wires
from traffic.training.diloco import layers_of
from traffic.training.strategies import graph

ROOT = Path(__file__).parents[2]
TWO = """
longhaul: 1
name: two-replicas
scale: {bytes: 1}
defaults:
  campuses: {hosts: [{count: 1, accelerator: H100}]}
  links: {rate: 100Gbit/s, loss: 0}
campuses: {c1: {}, c2: {}}
links: {c1-c2: {between: [c1, c2], distance: 1km}}
"""
UTILIZATIONS = (0.50, 0.80, 0.90, 0.95, 0.99)
MODELS = {"1B": (1e9, 24, 0.1), "10B": (1e10, 48, 0.8), "100B": (1e11, 108, 4.9)}
"""Parameters, layers, seconds that a step computes."""
PUBLISHED = {
    ("1B", "vanilla"): (1.4, 6.2, 13.3, 23.3, 86.8),
    ("1B", "streaming"): (1.4, 5.2, 9.1, 16.0, 28.1),
    ("1B", "overlapped"): (1.4, 4.3, 6.2, 9.1, 11.0),
    ("1B", "overlapped FP4"): (0.4, 0.9, 1.7, 2.0, 3.0),
    ("10B", "vanilla"): (1.7, 7.5, 16.0, 33.9, 104.8),
    ("10B", "streaming"): (1.7, 5.2, 9.1, 13.3, 19.3),
    ("10B", "overlapped"): (1.7, 3.6, 5.2, 6.2, 7.5),
    ("10B", "overlapped FP4"): (0.4, 0.9, 1.4, 1.4, 1.7),
    ("100B", "vanilla"): (3.0, 11.0, 23.3, 49.4, 184.2),
    ("100B", "streaming"): (2.4, 6.2, 9.1, 11.0, 19.3),
    ("100B", "overlapped"): (1.7, 3.6, 4.3, 5.2, 5.2),
    ("100B", "overlapped FP4"): (0.5, 0.9, 1.1, 1.1, 1.4),
}
BEYOND = {("100B", "overlapped", 0.50)}
"""The one of 60 that is further off than 20 %: 2.1 Gbit/s here, 1.7 there."""


@lru_cache(maxsize=64)
def plan_at(folder: Path, gbps: float) -> Plan:
    """Two hosts, so many Gbit/s of payload between them."""
    path = folder / "two.yaml"
    path.write_text(TWO)
    share = make_plan(load_topology(path)).payload_share
    return make_plan(load_topology(path, [f"links.c1-c2.rate={gbps / share:.6f}Gbit/s"]))


def made(plan: Plan, model: str, strategy: str) -> Training:
    """A workload whose steps compute as long as the table says."""
    parameters, layers, step_s = MODELS[model]
    tokens = round(step_s * sum(host.flops for host in plan.hosts) / (6 * parameters))
    overrides = (
        f"strategy={{kind: diloco, inner-steps: 100, {strategy}}}",
        f"model={{parameters: {parameters}, layers: {layers}}}",
        f"batch.tokens={tokens}",
    )
    found = load_workload(ROOT / "traffic" / "workloads" / "training.yaml", overrides)
    assert isinstance(found, Training)
    return found


def by_name(model: str, method: str) -> str:
    """A method of the table in the words of a workload."""
    fragments = MODELS[model][1] // 3
    streaming = f"by-layer: true, fragments: {fragments}"
    return {
        "vanilla": "by-layer: true",
        "streaming": streaming,
        "overlapped": f"{streaming}, overlap-steps: 1",
        "overlapped FP4": f"{streaming}, overlap-steps: 1, compression: 4",
    }[method]


@pytest.mark.parametrize(("model", "method"), PUBLISHED)
def test_utilizations_are_reached_within_a_fifth_of_the_published_rates(
    tmp_path_factory: pytest.TempPathFactory, model: str, method: str
) -> None:
    folder = tmp_path_factory.getbasetemp()
    rates = [share * rate for rate in PUBLISHED[model, method] for share in (0.8, 1.2)]
    plans = [plan_at(folder, rate) for rate in rates]
    tasks = graph(made(plans[0], model, by_name(model, method)), plans[0]).tasks
    compute_s = sum(task.ns for task in tasks[0] if isinstance(task, ComputeTask)) / 1e9
    assert compute_s == pytest.approx(100 * MODELS[model][2], rel=1e-3)
    found_s = durations_s([Cycle(Wires(plan), tasks) for plan in plans])
    found = [compute_s / seconds for seconds in found_s]
    beyond = {
        (model, method, wanted)
        for wanted, slower, faster in zip(UTILIZATIONS, found[::2], found[1::2], strict=True)
        if not slower < wanted <= faster
    }
    assert beyond == {one for one in BEYOND if one[:2] == (model, method)}


def test_streaming_without_overlapping_steps_gains_where_layers_set_out_by_themselves(
    tmp_path: Path,
) -> None:
    plan = plan_at(tmp_path, 10.0)

    def cycle_s(strategy: str) -> float:
        return iteration_s(plan, graph(made(plan, "1B", strategy), plan).tasks)

    assert cycle_s("fragments: 8") == pytest.approx(cycle_s("fragments: 1"), rel=1e-3)
    whole_s, streamed_s = cycle_s("by-layer: true"), cycle_s("by-layer: true, fragments: 8")
    # 16 Gbit at 10 Gbit/s take 1.6 s. Of the step of 0.1 s, the backward pass but for the last layer's hides some.
    assert cycle_s("fragments: 1") == pytest.approx(10 + 1.6, rel=2e-3)
    assert whole_s == pytest.approx(10 + 1.6 - 0.1 * 2 / 3 * 23 / 24, rel=2e-3)
    assert streamed_s < whole_s - 0.2


def test_every_layer_is_in_one_fragment_and_neighbours_in_different_ones() -> None:
    found = [layers_of(fragment, 8, 24) for fragment in range(8)]
    assert sorted(layer for one in found for layer in one) == list(range(24))
    assert list(found[1]) == [1, 9, 17]
