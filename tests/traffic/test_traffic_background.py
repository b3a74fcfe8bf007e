"""Periods of background load are as their distributions say."""

from itertools import islice
from statistics import mean

from hypothesis import given
from hypothesis import strategies as st

from traffic.background.form import BIN_NS, Counter
from traffic.background.periods import constant, on_off, pareto


def test_constant_load_is_one_period_without_end() -> None:
    ((busy_ns, idle_ns),) = constant()
    assert busy_ns > 1e17
    assert idle_ns == 0


def test_load_in_turn_is_as_long_each_time() -> None:
    assert list(islice(on_off(0.01, 0.03), 3)) == [(10_000_000, 30_000_000)] * 3


def test_a_heavy_tail_has_the_means_that_were_asked_for() -> None:
    drawn = list(islice(pareto(0.01, 0.03, 3.0, "1/a"), 200_000))
    assert 0.0098e9 < mean(busy for busy, _ in drawn) < 0.0102e9
    assert 0.0294e9 < mean(idle for _, idle in drawn) < 0.0306e9


def test_a_heavy_tail_is_heavy() -> None:
    """P(X > x) = (x_m/x)^α, of which an exponential distribution has next to nothing at ten means."""
    drawn = [busy for busy, _ in islice(pareto(0.01, 0.03, 1.5, "1/a"), 100_000)]
    beyond = sum(busy > 0.1e9 for busy in drawn) / len(drawn)
    assert 0.8 * (1 / 30) ** 1.5 < beyond < 1.2 * (1 / 30) ** 1.5


def test_periods_follow_from_the_seed() -> None:
    one, same, other = (list(islice(pareto(1, 1, 1.5, seed), 9)) for seed in ("1/a", "1/a", "1/b"))
    assert one == same != other


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 9000)), max_size=30))
def test_bins_hold_all_bytes(noted: list[tuple[int, int]]) -> None:
    counter = Counter(start_ns=5)
    for at_ns, size in noted:
        counter.add(5 + at_ns, size)
    rows = counter.rows()
    assert sum(rows[1::2]) == sum(size for _, size in noted)
    assert list(rows[::2]) == sorted({at_ns // BIN_NS for at_ns, _ in noted})
