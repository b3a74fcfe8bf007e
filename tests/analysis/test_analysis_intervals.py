"""Confidence intervals: against textbook values, and how often they hold the truth."""

import numpy as np
import pytest

from analysis.series.intervals import bootstrap, mean, nearest_rank, student


def test_students_interval_has_its_textbook_value() -> None:
    # 1, 2, 3: mean 2, s = 1, t = 4.303: 2 ± 4.303/√3.
    found = student([1.0, 2.0, 3.0])
    assert found is not None
    assert (found.low, found.high) == pytest.approx((2 - 2.4843, 2 + 2.4843), abs=1e-4)


def test_one_sample_has_no_interval() -> None:
    assert student([1.0]) is None
    assert bootstrap(np.array([1.0]), mean) is None


def test_students_interval_holds_the_truth_about_95_times_in_100() -> None:
    random = np.random.default_rng(1)
    found = (student(list(random.normal(7.0, 2.0, size=3))) for _ in range(4000))
    share = np.mean([one is not None and one.holds(7.0) for one in found])
    assert 0.94 < share < 0.96


def test_the_bootstrap_holds_the_truth_nearly_as_often() -> None:
    random = np.random.default_rng(2)
    found = (bootstrap(random.normal(7.0, 2.0, size=60), mean, draws=400) for _ in range(500))
    share = np.mean([one is not None and one.holds(7.0) for one in found])
    assert 0.91 < share < 0.97


def test_the_same_seed_gives_the_same_interval() -> None:
    samples = np.arange(50.0)
    assert bootstrap(samples, nearest_rank(0.5)) == bootstrap(samples, nearest_rank(0.5))
    assert bootstrap(samples, mean, seed=1) != bootstrap(samples, mean, seed=2)


def test_a_row_quantile_is_the_nearest_rank() -> None:
    assert nearest_rank(0.5)(np.array([[1.0, 2.0, 3.0, 4.0]])).tolist() == [2.0]
