"""Nearest-rank quantiles and what is said about too few samples."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.findings.tail import distribution, nearest_rank, survival, tail

DURATIONS = st.lists(st.floats(0, 1e6), min_size=1, max_size=300)


@pytest.mark.parametrize(
    ("samples", "quantile", "expected"),
    [
        ([15, 20, 35, 40, 50], 0.05, 15),  # the textbook example of the nearest-rank method
        ([15, 20, 35, 40, 50], 0.30, 20),
        ([15, 20, 35, 40, 50], 0.40, 20),
        ([15, 20, 35, 40, 50], 0.50, 35),
        ([15, 20, 35, 40, 50], 1.00, 50),
        (list(range(1, 101)), 0.07, 7),  # 0.07 * 100 is 7.000000000000001 in floating point
        (list(range(1, 101)), 0.99, 99),
        (list(range(1, 102)), 0.99, 100),
    ],
)
def test_nearest_rank_takes_sample_number_ceil_of_q_n(
    samples: list[float], quantile: float, expected: float
) -> None:
    assert nearest_rank(samples, quantile) == expected


@given(DURATIONS)
def test_quantiles_are_samples_and_never_decrease(samples: list[float]) -> None:
    found = tail(pl.Series(samples))
    values = [found.p50_s, found.p90_s, found.p99_s, found.p999_s, found.max_s]
    assert values == sorted(values)
    assert set(values) <= set(samples)
    assert found.count == len(samples)


@pytest.mark.parametrize(
    ("count", "marked"),
    [
        (1, {"p50_s": "n<2", "p90_s": "n<10", "p99_s": "n<100", "p999_s": "n<1000"}),
        (9, {"p90_s": "n<10", "p99_s": "n<100", "p999_s": "n<1000"}),
        (99, {"p99_s": "n<100", "p999_s": "n<1000"}),
        (100, {"p999_s": "n<1000"}),
        (1000, {}),
    ],
)
def test_a_quantile_of_too_few_samples_is_marked(count: int, marked: dict[str, str]) -> None:
    assert tail(pl.Series([1.0] * count)).notes == marked


@given(DURATIONS)
def test_a_distribution_ends_at_its_largest_sample_with_all_of_them(samples: list[float]) -> None:
    points = distribution(pl.Series(samples), points=20)
    assert points[-1] == (max(samples), 1.0)
    assert len(points) <= 20
    assert points == sorted(points)


@given(DURATIONS)
def test_a_survival_begins_with_all_samples_and_ends_with_the_longest(samples: list[float]) -> None:
    points = survival(pl.Series(samples), points=20)
    assert points[0] == (min(samples), 1.0)
    assert points[-1] == (max(samples), 1 / len(samples))
    for seconds, share in points:
        assert sum(one >= seconds for one in samples) >= round(share * len(samples))
