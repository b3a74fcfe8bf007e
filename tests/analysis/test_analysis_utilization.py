"""Utilization at scale: Daly's optimum, Llama 3's published 54 days, and what 11 % would take."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.series.utilization import (
    GPU_MTBF_S,
    LLAMA_GPUS,
    Reliability,
    best_interval_s,
    restart_for_share,
    useful_share,
)


def test_llama_3_fails_every_three_hours_and_trains_for_more_than_nine_tenths_of_the_time() -> None:
    """466 interruptions in 54 days on 16,384 GPUs, effective training time above 90 %."""
    assert Reliability().job_mtbf_s(LLAMA_GPUS) == pytest.approx(2.78 * 3600, rel=0.01)
    assert 0.90 < useful_share(LLAMA_GPUS, Reliability()) < 0.97
    slow = Reliability(GPU_MTBF_S, checkpoint_s=30, restart_s=600)
    assert useful_share(LLAMA_GPUS, slow) == pytest.approx(
        0.87, abs=0.005
    )  # too slow for what was published


@given(st.floats(1e3, 2e5), st.floats(0.5, 2.0))
def test_dalys_interval_is_the_best_within_a_thousandth(gpus: float, factor: float) -> None:
    by = Reliability()
    best = useful_share(gpus, by)
    assert useful_share(gpus, by, best_interval_s(gpus, by) * factor) <= best * 1.001


def test_the_formula_is_what_chance_does() -> None:
    """A hundred thousand stretches of work, each until it succeeds, against the expectation."""
    by, gpus, work_s = Reliability(), 50_000, 600.0
    mtbf_s = by.job_mtbf_s(gpus)
    chance = random.Random(1)
    taken_s, count = 0.0, 20_000
    for _ in range(count):
        while True:
            failure_s = chance.expovariate(1 / mtbf_s)
            if failure_s >= work_s + by.checkpoint_s:
                taken_s += work_s + by.checkpoint_s
                break
            taken_s += failure_s
            while (again_s := chance.expovariate(1 / mtbf_s)) < by.restart_s:
                taken_s += again_s  # it fails again while it restarts
            taken_s += by.restart_s
    assert count * work_s / taken_s == pytest.approx(useful_share(gpus, by, work_s), rel=0.02)


def test_more_gpus_get_on_for_less_of_the_time() -> None:
    shares = [useful_share(gpus, Reliability()) for gpus in (10e3, 50e3, 100e3, 200e3)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.93
    assert 0.5 < shares[-1] < 0.65


def test_failures_alone_make_eleven_per_cent_of_no_job_that_restarts_within_minutes() -> None:
    """Of 200,000 GPUs at Llama 3's rate, restarts would have to take more than twenty minutes."""
    for gpus in (100e3, 200e3):
        needed_s = restart_for_share(gpus, 0.11, Reliability())
        assert needed_s > 1200  # twenty minutes; Llama 3's were back within minutes
        assert useful_share(gpus, Reliability(restart_s=needed_s)) == pytest.approx(0.11, rel=1e-3)
