"""Money: present value, break-even and turning prices, each by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.series.worth import (
    HOURS_PER_YEAR,
    Option,
    annuity,
    pays_back_after_years,
    turning_compute,
    turning_rent,
    worth,
)
from scenario.types.economics import Economics

PRICES = Economics(
    gpu_usd={"H100": 25e3},
    compute_usd_per_h100_hour=2.0,
    lease_usd_per_gpu_hour=3.0,
    electricity_usd_per_kwh=0.1,
    server_factor=2.0,
    pue=1.5,
    utilization=1.0,
)
H100_FLOPS = 500e12
TRAIN = Option("train", 1.0, 1e6, 100 * H100_FLOPS, 0, 70e3, 0.0, 2.5e6)
LEASE = replace(
    TRAIN, name="lease", trained_flops=40 * H100_FLOPS, tokens_per_s=4e5, leased_gpus=50
)


def test_a_dollar_a_year_without_interest_is_worth_as_many_dollars_as_years() -> None:
    assert annuity(replace(PRICES, discount_per_year=0.0)) == pytest.approx(3.0)
    # Paid by the month at 10 % a year: (1 - 1.1^-3) / (12 (1.1^(1/12) - 1)).
    assert annuity(PRICES) == pytest.approx((1 - 1.1**-3) / (12 * (1.1 ** (1 / 12) - 1)))


def test_flows_are_tokens_and_rent_less_electricity() -> None:
    found = worth(TRAIN, H100_FLOPS, PRICES)
    assert found.site_w == 70e3 * 2.0 * 1.5
    assert found.flow_usd_per_year == pytest.approx(HOURS_PER_YEAR * (100 * 2.0 - 210 * 0.1))
    leased = worth(LEASE, H100_FLOPS, PRICES)
    assert leased.flow_usd_per_year == pytest.approx(HOURS_PER_YEAR * (80 + 150 - 21))
    assert found.tokens_per_kwh == pytest.approx(1e6 * 3600 / 210)


def test_at_the_turning_rent_and_at_the_turning_price_of_compute_both_are_worth_as_much() -> None:
    train, lease = (worth(one, H100_FLOPS, PRICES) for one in (TRAIN, LEASE))
    assert turning_rent(lease, train, PRICES) == pytest.approx(60 * 2.0 / 50)
    assert turning_compute(lease, train, H100_FLOPS, PRICES) == pytest.approx(150 / 60)
    turned = replace(PRICES, lease_usd_per_gpu_hour=turning_rent(lease, train, PRICES))
    assert worth(LEASE, H100_FLOPS, turned).npv_usd == pytest.approx(
        worth(TRAIN, H100_FLOPS, turned).npv_usd
    )


def test_what_is_bought_pays_back_when_it_has_earned_its_price() -> None:
    before = worth(TRAIN, H100_FLOPS, PRICES)
    faster = replace(TRAIN, trained_flops=150 * H100_FLOPS, capital_usd=1e6)
    after = worth(faster, H100_FLOPS, PRICES)
    assert pays_back_after_years(after, before) == pytest.approx(1e6 / (50 * 2.0 * HOURS_PER_YEAR))
    assert pays_back_after_years(before, after) is None


def test_the_reported_lease_is_seven_dollars_seventy_per_gpu_hour() -> None:
    """1.25 billion dollars a month for some 220,000 GPUs."""
    per_hour = 1.25e9 * 12 / HOURS_PER_YEAR / 220e3
    assert Economics().lease_usd_per_gpu_hour == pytest.approx(per_hour, rel=0.02)


def test_twenty_two_miles_of_fibre_cost_less_than_a_mornings_rent() -> None:
    fibre = 22 * 1609.344 * Economics().fibre_usd_per_m
    assert fibre < 1.25e9 * 12 / HOURS_PER_YEAR * 4
