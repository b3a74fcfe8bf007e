"""What was planted in the real fabric is blamed, and nothing else: a cut of 30 ms, then a hot host for 300 ms."""

import pytest

from tests.run.conftest import Runs


def test_each_planted_event_is_charged_with_its_own_cost(runs: Runs) -> None:
    found = runs("planted", "planted-workload").summary
    cut, hot = found["timeline"]
    assert (cut["name"], hot["name"]) == ("link-down-1", "throttle-1")
    # What was on its way is sent again after TCP's retransmission timeout, at least 200 ms.
    assert 0.2 < cut["cost_s"] < 0.3
    assert len(cut["touched"]) == cut["beyond"] == 1
    # Compute takes 1.6 times as long, while it lasts: 0.6/1.6 of 300 ms, in whole iterations.
    assert hot["cost_s"] == pytest.approx(0.3 * 0.6 / 1.6, rel=0.15)
    assert not set(hot["touched"]) & set(cut["touched"])


def test_only_the_hot_host_is_waited_for(runs: Runs) -> None:
    ranks = runs("planted", "planted-workload").summary["stalls"]["by_rank"]
    assert {rank["name"] for rank in ranks if rank["blamed_share"] > 0.05} == {"c1-h100-2"}


def test_the_critical_path_sums_to_the_iterations_to_the_nanosecond(runs: Runs) -> None:
    found = runs("planted", "planted-workload").summary
    path = sum(found["critical_path"][f"{kind}_s"] for kind in ("compute", "send", "wire", "wait"))
    assert path == pytest.approx(found["iterations"]["mean_s"], abs=1e-9)


def test_what_idles_is_priced(runs: Runs) -> None:
    found = runs("planted", "planted-workload").summary["efficiency"]
    assert found["price"]["per_hour"] == 48 * 2.5
    assert found["price"]["idle_per_hour"] == pytest.approx(2.5 * found["idle_gpus"])
    assert 0 < found["mfu"] < found["goodput"] < 1
