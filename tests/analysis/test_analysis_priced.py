"""What an event costs in energy and money: by hand."""

from __future__ import annotations

import pytest

from analysis.findings.priced import price

PLAN = {
    "campuses": [
        {
            "hosts": [{"name": "a1"}, {"name": "a2"}],
            "site_w": 300e6,
            "compute_usd_per_s": 100.0,
            "usd_per_kwh": 0.06,
        },
        {
            "hosts": [{"name": "b1"}],
            "site_w": 600e6,
            "compute_usd_per_s": 200.0,
            "usd_per_kwh": 0.06,
        },
    ]
}


def test_sites_draw_their_power_while_training_waits_and_what_it_would_have_computed_is_lost() -> (
    None
):
    found = price(PLAN, 10.0, "throttle", {"a1", "a2"}, 20.0)
    assert found is not None
    assert found.energy_kwh == pytest.approx(900e6 * 10 / 3.6e6)
    assert found.usd == pytest.approx(300 * 10 + 0.06 * found.energy_kwh)


def test_a_campus_without_power_draws_none_meanwhile() -> None:
    found = price(PLAN, 10.0, "power-loss", {"a1", "a2"}, 8.0)
    assert found is not None
    assert found.energy_kwh == pytest.approx((900e6 * 10 - 300e6 * 8) / 3.6e6)


def test_what_is_not_known_has_no_price() -> None:
    assert price(PLAN, None, "throttle", {"a1"}, 8.0) is None
    unknown = {"campuses": [PLAN["campuses"][0] | {"site_w": None}]}
    assert price(unknown, 1.0, "throttle", {"a1"}, 8.0) is None
