"""Strategies of training put on the wire what their formulas say, in an order that can be carried out."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longhaul.planning import make_plan
from scenario.loading import load_topology, load_workload
from scenario.plan.types import Plan
from scenario.types.topology import Training
from scenario.types.training import DDP
from traffic.host.program import CollectiveTask, ComputeTask
from traffic.model.forecast import ideal_iteration_s, iteration_s
from traffic.training.data_parallel import bucket_count, buckets
from traffic.training.diloco import turns
from traffic.training.kind import draw
from traffic.training.moe import sizes
from traffic.training.pipeline import in_order, one_forward_one_backward, split_layers
from traffic.training.strategies import graph

ROOT = Path(__file__).parents[2]
SIX = ROOT / "tests" / "run" / "ring-three-campuses.yaml"
GRADIENTS = 14e9 / 1000
TOKENS = 4 * 2**20


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Six hosts alike, two on each campus."""
    return make_plan(load_topology(SIX))


@pytest.fixture(scope="module")
def mixed() -> Plan:
    """Colossus: 24 hosts of three generations."""
    return make_plan(load_topology(ROOT / "topologies" / "colossus.yaml"))


def workload(*overrides: str) -> Training:
    """The default one, otherwise spread over the hosts."""
    made = load_workload(ROOT / "traffic" / "workloads" / "training.yaml", overrides)
    assert isinstance(made, Training)
    return made


def sent(plan: Plan, made: Training, *, across: bool = False) -> list[int]:
    """Bytes that each rank sends in an iteration; `across`: to other campuses."""
    campus = [host.campus for host in plan.hosts]
    return [
        sum(
            op.size
            for task in tasks
            if isinstance(task, CollectiveTask)
            for op in task.ops
            if op.kind == "send" and not (across and campus[op.peer] == campus[rank])
        )
        for rank, tasks in enumerate(graph(made, plan).tasks)
    ]


# --- bytes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strategy", "share"),
    [
        ("{kind: plain}", 2),
        ("{kind: plain, compression: 4}", 2 / 4),
        ("{kind: ddp, bucket: 3GB}", 2),
        ("{kind: ddp, bucket: 3GB, overlap: false, compression: 100}", 2 / 100),
        ("{kind: fsdp}", 3),
        ("{kind: fsdp, reshard-after-forward: false}", 2),
    ],
)
def test_data_parallel_training_sends_its_share_of_all_gradients(
    plan: Plan, strategy: str, share: float
) -> None:
    found = sent(plan, workload(f"strategy={strategy}", "model.layers=4"))
    assert found == pytest.approx([share * 5 / 6 * GRADIENTS] * 6, rel=1e-3)


def test_accumulation_costs_sharded_training_its_bytes_once_more_each_time(plan: Plan) -> None:
    once = workload("strategy={kind: fsdp}", "model.layers=4")
    thrice = workload("strategy={kind: fsdp}", "model.layers=4", "batch.accumulate=3")
    assert sent(plan, thrice) == [3 * size for size in sent(plan, once)]


def test_a_pipeline_sends_its_activations_once_each_way_over_every_boundary(plan: Plan) -> None:
    made = workload("strategy={kind: pipeline}", "model.hidden=4096")
    activations = TOKENS * 4096 * 2 / 1000
    per_host = [activations / 2, activations / 2, activations, activations, activations / 2]
    assert sent(plan, made, across=True) == pytest.approx([*per_host, activations / 2], rel=1e-3)


def test_experts_get_every_chosen_token_and_give_it_back_in_both_passes(plan: Plan) -> None:
    made = workload(
        "strategy={kind: moe}", "model={parameters: 47e9, active: 13e9, layers: 3, hidden: 4096}"
    )
    tokens = TOKENS / 6 * 2 * 4096 * 2 / 1000
    dense = sizes(made).dense * 2 / 1000
    expected = 3 * 4 * 5 / 6 * tokens + 2 * 5 / 6 * dense
    assert sent(plan, made) == pytest.approx([expected] * 6, rel=1e-3)


def test_experts_and_what_all_tokens_meet_make_up_all_parameters() -> None:
    found = sizes(
        workload("strategy={kind: moe}", "model={parameters: 47e9, active: 13e9, hidden: 1}")
    )
    assert found.dense + found.experts == pytest.approx(47e9)
    assert found.dense + found.experts * 2 / 8 == pytest.approx(13e9)


def test_experts_of_their_own_keep_tokens_inside_a_campus(plan: Plan) -> None:
    model = "model={parameters: 47e9, active: 13e9, layers: 2, hidden: 4096}"
    made = workload("strategy={kind: moe, within: campus}", model)
    found = sizes(made)
    gradients = (2 * 5 / 6 * found.dense + 2 * 2 / 3 * found.experts / 2) * 2 / 1000
    assert max(sent(plan, made, across=True)) <= gradients * 1.001


def test_experts_of_uneven_campuses_cannot_be_their_own(mixed: Plan) -> None:
    made = workload(
        "strategy={kind: moe, within: campus}", "model={parameters: 47e9, active: 13e9, hidden: 1}"
    )
    with pytest.raises(ValueError, match="equally many hosts, not c1: 5, c2: 10, c3: 9"):
        graph(made, mixed)


def test_one_cycle_of_diloco_crosses_the_long_haul_once_however_many_steps_it_has(
    plan: Plan,
) -> None:
    hierarchical = "collective.algorithm=hierarchical"
    once = workload("strategy={kind: plain}", hierarchical)
    for strategy in (
        "inner-steps: 4",
        "inner-steps: 6, fragments: 2, overlap-steps: 1",
        "inner-steps: 7, fragments: 3, overlap-steps: 1",
        "inner-steps: 3, fragments: 3",
        "inner-steps: 9, fragments: 3, by-layer: true",
        "inner-steps: 9, fragments: 2, overlap-steps: 2, by-layer: true",
    ):
        made = workload(f"strategy={{kind: diloco, {strategy}}}", hierarchical)
        found = sum(sent(plan, made, across=True))
        assert found == pytest.approx(sum(sent(plan, once, across=True)), rel=1e-3)


@given(st.integers(1, 1000), st.integers(1, 64))
def test_fragments_of_diloco_are_due_as_evenly_as_whole_steps_allow(steps: int, parts: int) -> None:
    parts = min(parts, steps)
    found = turns(steps, parts)
    gaps = [after - before for before, after in pairwise((0, *found))]
    assert (len(set(found)), found[-1]) == (parts, steps)
    assert min(gaps) >= steps // parts
    assert max(gaps) <= -(-steps // parts)


# --- order and time ------------------------------------------------------------------------------


def test_buckets_fill_last_layer_first_a_small_one_to_begin_with() -> None:
    assert list(buckets(100.0, DDP(30.0, 5.0, overlap=True))) == [5, 30, 30, 30, 5]
    assert list(buckets(3.0, DDP(30.0, 5.0, overlap=True))) == [3]


@given(st.floats(1, 1e12), st.floats(1e6, 1e12), st.floats(1e5, 1e12))
def test_buckets_hold_all_gradients(total: float, bucket: float, first: float) -> None:
    strategy = DDP(max(bucket, total / 1000), first, overlap=True)
    found = list(buckets(total, strategy))
    assert len(found) == bucket_count(total, strategy)
    assert sum(found) == pytest.approx(total, abs=1.0, rel=1e-9)


@pytest.mark.parametrize("overlap", [True, False])
def test_buckets_of_a_byte_are_refused_before_they_are_made(plan: Plan, overlap: bool) -> None:
    written = (
        f"strategy={{kind: ddp, bucket: 1B, first-bucket: 1B, overlap: {str(overlap).lower()}}}"
    )
    with pytest.raises(ValueError, match=r"more than 1,200,000 operations of 6 ranks .* buckets"):
        graph(workload(written), plan)


def test_one_forward_one_backward_is_the_published_order() -> None:
    """Narayanan et al. 2021, figure 4, for the first and the last of four stages."""

    def words(stage: int) -> str:
        return " ".join(f"{w[0]}{n + 1}" for w, n in one_forward_one_backward(stage, 4, 6))

    assert words(0) == "f1 f2 f3 f4 b1 f5 b2 f6 b3 b4 b5 b6"
    assert words(3) == "f1 b1 f2 b2 f3 b3 f4 b4 f5 b5 f6 b6"


@given(st.integers(2, 8), st.integers(1, 20))
def test_every_pass_of_a_pipeline_comes_after_those_it_needs(stages: int, parts: int) -> None:
    orders = [one_forward_one_backward(stage, stages, parts) for stage in range(stages)]
    found = in_order(orders)
    assert len(found) == len(set(found)) == 2 * stages * parts
    at = {one: index for index, one in enumerate(found)}
    for stage, which, number in found:
        other = stage - 1 if which == "forward" else stage + 1
        if 0 <= other < stages:
            assert at[other, which, number] < at[stage, which, number]


def test_layers_go_to_stages_whole_and_near_their_weights() -> None:
    assert split_layers([1.0] * 8, [2, 1, 1]) == [4, 2, 2]
    assert split_layers([1.0] * 3, [100, 1, 1]) == [1, 1, 1]
    assert split_layers([4.0, 1.0, 1.0, 1.0], [1, 1]) == [4, 3]


def test_a_pipeline_without_delay_has_the_bubble_of_the_formula(plan: Plan) -> None:
    """(p − 1) / m of the time that the work itself takes. [Narayanan et al. 2021]"""
    made = workload(
        "strategy={kind: pipeline, microbatches: 6}", "model.hidden=1", "model.layers=3"
    )
    found = ideal_iteration_s(plan, lambda ideal: graph(made, ideal).tasks)
    work_s = 6 * 7e9 * TOKENS / sum(host.flops for host in plan.hosts)
    assert found == pytest.approx(work_s * (1 + 2 / 6), rel=2e-3)


def test_overlap_hides_communication_and_never_adds_any(plan: Plan) -> None:
    ddp = "kind: ddp, bucket: 2GB, first-bucket: 500MB"
    hidden = iteration_s(plan, graph(workload(f"strategy={{{ddp}}}"), plan).tasks)
    shown = iteration_s(plan, graph(workload(f"strategy={{{ddp}, overlap: false}}"), plan).tasks)
    plain = iteration_s(plan, graph(workload(), plan).tasks)
    compute_s = 6 * 7e9 * TOKENS / sum(host.flops for host in plan.hosts)
    assert compute_s < hidden < compute_s + (plain - compute_s) / 4
    assert hidden < shown


@pytest.mark.parametrize(
    "strategy",
    [
        "plain",
        "ddp, bucket: 5GB",
        "fsdp",
        "pipeline",
        "moe",
        "diloco, inner-steps: 3",
        "diloco, inner-steps: 5, fragments: 2, overlap-steps: 1, by-layer: true",
    ],
)
def test_iterations_of_every_strategy_end(mixed: Plan, strategy: str) -> None:
    expert = ", active: 3e9" if strategy == "moe" else ""
    model = f"model={{parameters: 7e9, layers: 4, hidden: 4096{expert}}}"
    made = workload(f"strategy={{kind: {strategy}}}", model)
    assert iteration_s(mixed, graph(made, mixed).tasks) > 0


# --- unequal hosts -------------------------------------------------------------------------------


def test_shares_in_proportion_take_all_hosts_equally_long(mixed: Plan) -> None:
    def times(shares: str) -> set[int]:
        tasks = graph(workload(f"batch.shares={shares}"), mixed).tasks
        return {own[0].ns for own in tasks if isinstance(own[0], ComputeTask)}

    assert len(times("per-host")) == 2  # H100 and H200 compute equally fast
    assert max(times("proportional")) - min(times("proportional")) <= 1
    assert min(times("per-host")) < min(times("proportional")) < max(times("per-host"))


@pytest.mark.parametrize("distribution", ["half-normal", "exponential", "fixed"])
def test_random_slowdowns_follow_the_seed_and_have_the_spread_that_was_said(
    distribution: str,
) -> None:
    made = workload(
        f"slowdowns={{distribution: {distribution}, spread: 10%, chance: 50%}}", "iterations=4000"
    )
    found = draw(made, "1/training/c1-h100-1")
    assert found == draw(made, "1/training/c1-h100-1") != draw(made, "2/training/c1-h100-1")
    slower = [factor - 1 for factor in found if factor > 1]
    assert len(slower) / len(found) == pytest.approx(0.5, abs=0.04)
    mean = sum(slower) / len(slower)
    expected = {"half-normal": 0.1 * (2 / 3.14159265) ** 0.5, "exponential": 0.1, "fixed": 0.1}
    assert mean == pytest.approx(expected[distribution], rel=0.08)


TENSOR = (
    "model={parameters: 9e9, layers: 3, hidden: 1024}",
    "batch.tokens=96Ki",
    "batch.accumulate=2",
)


def test_tensor_parallelism_sums_activations_four_times_a_layer_and_gradients_among_twins(
    plan: Plan,
) -> None:
    inside = graph(workload("strategy={kind: tensor, within: campus}", *TENSOR), plan)
    found = {one.ranks: one for one in inside.communication}
    assert {ranks: len(one.tasks) for ranks, one in found.items()} == {2: 3 * 2 * 4 * 3, 3: 2}
    # A campus computes a third of each half of the batch.
    assert found[2].size_bytes == pytest.approx(96 * 1024 / 2 / 3 * 1024 * 2 / 1000, rel=1e-3)
    assert found[3].size_bytes == pytest.approx(9e9 / 2 * 2 / 1000, rel=1e-3)
    across = graph(workload("strategy={kind: tensor, within: all}", *TENSOR), plan)
    assert [(one.ranks, len(one.tasks)) for one in across.communication] == [(6, 2 * 4 * 3)]
    for made in (inside, across):  # however it is divided, the same FLOP
        ns = sum(task.ns for own in made.tasks for task in own if isinstance(task, ComputeTask))
        assert ns == pytest.approx(6e9 * 9e9 * 96 * 1024 / plan.hosts[0].flops, rel=1e-6)


def test_tensor_parallelism_by_campus_needs_campuses_of_one_size(mixed: Plan) -> None:
    made = workload("strategy={kind: tensor}", *TENSOR)
    with pytest.raises(ValueError, match="c1: 5, c2: 10, c3: 9"):
        graph(made, mixed)
