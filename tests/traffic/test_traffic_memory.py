"""A model that does not fit is refused with the arithmetic; what fits, by each strategy, is not."""

import pytest

from scenario.plan.types import Plan
from tests.traffic.test_traffic_strategies import mixed, workload  # noqa: F401
from traffic.training.kind import prepare
from traffic.training.memory import check_memory, state_bytes


def test_seventy_billion_parameters_on_every_host_are_refused_with_the_arithmetic(
    mixed: Plan,  # noqa: F811
) -> None:
    made = workload("model.parameters=70e9")
    with pytest.raises(ValueError, match=r"would keep 1120 GB .* x 16 B .* have \d+ GB"):
        prepare(made, mixed, seed=1)


def test_sharding_divides_what_each_host_keeps(mixed: Plan) -> None:  # noqa: F811
    whole = workload("model={parameters: 70e9, layers: 80}")
    sharded = workload("model={parameters: 70e9, layers: 80}", "strategy={kind: fsdp}")
    check_memory(sharded, mixed)
    count, layer = len(mixed.hosts), 70e9 / 80
    assert state_bytes(whole, mixed) == [16 * 70e9] * count
    assert state_bytes(sharded, mixed)[0] == pytest.approx(16 * 70e9 / count + 2 * 2 * layer)


def test_a_pipelines_stages_keep_all_of_it_between_them(mixed: Plan) -> None:  # noqa: F811
    made = workload(
        "model={parameters: 70e9, layers: 80, hidden: 8192}", "strategy={kind: pipeline}"
    )
    kept = {
        host.campus: one for host, one in zip(mixed.hosts, state_bytes(made, mixed), strict=True)
    }
    assert sum(kept.values()) == pytest.approx(16 * 70e9)


def test_experts_are_divided_and_what_every_token_meets_is_not(mixed: Plan) -> None:  # noqa: F811
    made = workload(
        "model={parameters: 46.7e9, active: 12.9e9, hidden: 4096}",
        "strategy={kind: moe, experts: 8, top-k: 2}",
    )
    experts = (46.7e9 - 12.9e9) / (1 - 2 / 8)
    expected = 16 * (46.7e9 - experts + experts / len(mixed.hosts))
    assert state_bytes(made, mixed)[0] == pytest.approx(expected)
