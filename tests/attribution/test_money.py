"""What remedies are worth in money, from the times of runs: capital by hand, and the price at which leasing turns."""

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.form.attribution import Remedied
from analysis.series.worth import worth
from longhaul.runs.workloads import DEFAULT
from longhaul.trials.money import Weighing, weighing
from longhaul.trials.series import Trial

COLOSSUS = Path("topologies/colossus.yaml")
ACTUAL = Trial(COLOSSUS, DEFAULT)
TOKENS = 4 * 2**20
SCALE = 7000
NOW = TOKENS / 3.191


@pytest.fixture(scope="module")
def asked() -> Weighing:
    found = weighing(ACTUAL, NOW)
    assert found is not None
    return found


def test_what_is_only_set_costs_nothing_and_gains_what_it_trains_more(asked: Weighing) -> None:
    faster = asked.of(
        replace(ACTUAL, workload_overrides=("batch.shares=proportional",)), "a", TOKENS / 1.866
    )
    money = asked.money(faster)
    assert money.capital_usd == 0
    assert money.pays_back_years is None
    assert faster.option.trained_flops == pytest.approx(
        asked.as_is.option.trained_flops * 3.191 / 1.866
    )
    assert money.gained_usd == pytest.approx(faster.npv_usd - asked.as_is.npv_usd)
    assert money.gained_usd > 20e9


def test_new_fibre_costs_its_cable_and_both_ends_of_the_aged_links(asked: Weighing) -> None:
    laid = asked.of(replace(ACTUAL, without=("aging",)), "new fibre", NOW)
    miles, ends = (
        10 + 12 + 3,
        2 * (3000 + 1000) * 4 * 3 * SCALE,
    )  # of 1.6 Tbit/s, priced per 400 Gbit/s
    assert laid.option.capital_usd == pytest.approx(miles * 5280 * 18 + ends, rel=1e-6)
    assert asked.money(laid).pays_back_years is None  # it trains no faster


def test_new_equipment_costs_ends_and_no_cable() -> None:
    old = replace(ACTUAL, overrides=("defaults.links.generation=2016",))
    found = weighing(old, NOW)
    assert found is not None
    relit = found.of(replace(old, without=("generation",)), "new equipment", NOW * 1.3)
    assert relit.option.capital_usd == pytest.approx(2 * (3000 + 1000) * 4 * 3 * SCALE)
    assert found.money(relit).pays_back_years is not None


def test_the_turning_rent_makes_the_best_lease_worth_as_much_as_the_best_that_keeps_all(
    asked: Weighing,
) -> None:
    shared = asked.of(
        replace(ACTUAL, workload_overrides=("batch.shares=proportional",)), "shares", TOKENS / 1.866
    )
    lease = asked.of(
        replace(ACTUAL, workload_overrides=("runs-on=[c2, c3]",)), "lease out c1", TOKENS / 2.311
    )
    assert lease.option.leased_gpus == SCALE * (4 * 8 + 4)
    turning = asked.turning(
        [(remedy("shares"), shared), (remedy("lease out c1", leases=True), lease)]
    )
    assert turning is not None
    assert (turning.train, turning.lease) == ("shares", "lease out c1")
    prices = replace(asked.topology.economics, lease_usd_per_gpu_hour=turning.turning_rent_usd)
    values = [worth(one.option, asked.h100_flops, prices).npv_usd for one in (shared, lease)]
    assert values[0] == pytest.approx(values[1])


def test_without_a_price_nothing_is_weighed() -> None:
    chip = "accelerators.X1={peak: 1PFLOP/s, mfu: 40%, hbm: 1TB/s, nic: 400G, nvlink: 1GB/s}"
    other = replace(ACTUAL, overrides=(chip, "campuses.c1.hosts[0].accelerator=X1"))
    assert weighing(other, NOW) is None


def remedy(name: str, *, leases: bool = False) -> Remedied:
    return Remedied(
        name=name, says="", parts=[], leases=leases, learns_alike=True, saved_s=1.0, interval_s=None, share=0.1,
        worth_per_day=None, money=None, faithful=True, why_not=None,
    )  # fmt: skip
