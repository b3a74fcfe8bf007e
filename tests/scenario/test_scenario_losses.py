"""How many losses chance brings about: against counted chains of packets, and what it does not excuse."""

import numpy as np
import pytest

from scenario.plan.losses import by_chance, probabilities

RUNS, PACKETS = 20_000, 2_000


def lost(
    share: float, correlation: float, seed: int
) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Losses in each of many runs, from netem's own chain of two states, a packet a step."""
    random = np.random.default_rng(seed)
    begins, goes_on = share * (1 - correlation), share + correlation * (1 - share)
    now = random.random(RUNS) < share
    counts = now.astype(np.int64)
    for _ in range(PACKETS - 1):
        now = random.random(RUNS) < np.where(now, goes_on, begins)
        counts += now
    return counts


@pytest.mark.parametrize(
    ("share", "correlation"), [(0.01, 0.0), (0.01, 0.5), (1e-4, 0.3), (0.02, 0.8)]
)
@pytest.mark.parametrize("chance", [0.1, 0.001])
def test_right_links_are_seldom_found_wrong(
    share: float, correlation: float, chance: float
) -> None:
    fewest, most = by_chance(share * PACKETS, correlation, chance)
    counts = lost(share, correlation, seed=1)
    alarms = int(((counts < fewest) | (counts > most)).sum())
    # Four standard deviations of the count of alarms.
    assert alarms <= chance * RUNS + 4 * (chance * RUNS) ** 0.5


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_the_distribution_has_the_mean_and_spread_of_losses_that_cluster(
    correlation: float,
) -> None:
    shares = [share for _, share in zip(range(2000), probabilities(50, correlation), strict=False)]
    counts = np.arange(2000)
    mean = float(np.dot(counts, shares))
    assert sum(shares) == pytest.approx(1)
    assert mean == pytest.approx(50)
    spread = float(np.dot((counts - mean) ** 2, shares))
    assert spread == pytest.approx(50 * (1 + correlation) / (1 - correlation))


def test_three_losses_where_a_third_of_one_was_expected_are_chance() -> None:
    _, most = by_chance(0.31, 0.0, 1e-4 / 6)
    assert 3 <= most < 10


@pytest.mark.parametrize("correlation", [0.0, 0.3])
def test_a_link_that_loses_two_per_cent_in_place_of_one_is_caught(correlation: float) -> None:
    """10,016 datagrams, one of six lossy links."""
    _, most = by_chance(100.16, correlation, 1e-4 / 6)
    counts = np.random.default_rng(2).binomial(10_016, 0.02, size=10_000)
    assert (counts > most).mean() > 0.99


def test_a_link_that_loses_half_a_per_cent_in_place_of_one_is_caught() -> None:
    fewest, _ = by_chance(100.16, 0.0, 1e-4 / 6)
    counts = np.random.default_rng(3).binomial(10_016, 0.005, size=10_000)
    assert (counts < fewest).mean() > 0.9
