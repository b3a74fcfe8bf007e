"""The notice clause: against an annuity, against a market that stands still, and against all paths one by one."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import pytest

from analysis.series.notice import HOURS_PER_MONTH, notice
from analysis.series.worth import HOURS_PER_YEAR, annuity
from scenario.types.economics import Economics

PRICES = Economics(
    lease_usd_per_gpu_hour=6.0, market_usd_per_gpu_hour=6.0, lease_notice_s=91.3 * 86400
)
STILL = 1e-9


def months(prices: Economics, first: int, last: int) -> float:
    """What a dollar an hour is worth, from one month to before another."""
    discount = (1 + prices.discount_per_year) ** (-1 / 12)
    return HOURS_PER_MONTH * sum(discount ** (month + 1) for month in range(first, last))


def test_a_lease_that_nobody_may_end_is_an_annuity() -> None:
    assert notice(PRICES, 0.0).nobody == pytest.approx(6.0 * HOURS_PER_YEAR * annuity(PRICES))


def test_where_the_market_stands_still_at_the_rent_a_clause_is_worth_nothing() -> None:
    found = notice(PRICES, 0.0, STILL)
    assert found.tenant == pytest.approx(found.nobody, rel=1e-6)
    assert found.owner == pytest.approx(found.nobody, rel=1e-6)


def test_a_tenant_who_pays_more_than_the_market_leaves_at_once_and_the_owner_never() -> None:
    prices = replace(PRICES, market_usd_per_gpu_hour=2.0)
    found = notice(prices, 0.0, STILL)
    assert (
        found.tenant
        == found.both
        == pytest.approx(6 * months(prices, 0, 3) + 2 * months(prices, 3, 36), rel=1e-6)
    )
    assert found.owner == pytest.approx(found.nobody)
    better = notice(prices, 5.0, STILL)  # than the market is his own use
    assert better.both == pytest.approx(
        6 * months(prices, 0, 3) + 5 * months(prices, 3, 36), rel=1e-6
    )


def test_each_may_only_gain_by_a_right_of_his_own() -> None:
    found = notice(PRICES, 2.0, 0.6)
    assert found.tenant < found.nobody < found.owner
    assert found.tenant <= found.both <= found.owner


def test_what_both_may_end_is_the_notice_period_and_then_the_market_over_all_paths() -> None:
    prices = replace(PRICES, horizon_years=0.5, market_usd_per_gpu_hour=5.0)
    up = math.exp(0.5 / math.sqrt(12))
    chance, found = 1 / (1 + up), 0.0
    for path in product((1, -1), repeat=5):
        rate = math.prod(chance if step > 0 else 1 - chance for step in path)
        market = [5.0 * up ** sum(path[:month]) for month in range(6)]
        paid = 6.0 * months(prices, 0, 3)
        found += rate * (
            paid + sum(max(market[m], 4.0) * months(prices, m, m + 1) for m in range(3, 6))
        )
    assert notice(prices, 4.0, 0.5).both == pytest.approx(found)
