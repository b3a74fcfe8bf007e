"""The exact bound of a pipelined ring: against every step of it for small rings, by hand, and fast for large ones."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.findings.rings import Hops, entered_s, ring_all_reduce_s

runs = st.builds(
    Hops,
    count=st.integers(1, 4),
    alpha_s=st.floats(0, 1),
    beta_s_per_byte=st.floats(0, 0.05),
)


def stepped_s(ring: list[Hops], size_bytes: float) -> float:
    """Piece by piece, rank by rank."""
    hops = [(one.alpha_s, one.beta_s_per_byte) for one in ring for _ in range(one.count)]
    count = len(hops)
    piece = size_bytes / count
    came = [0.0] * count
    left = [float("-inf")] * count
    for _ in range(2 * (count - 1)):
        busy = [beta * piece for _, beta in hops]
        left = [max(came[r - 1], left[r] + busy[r]) for r in range(count)]
        came = [left[r] + busy[r] + hops[r][0] for r in range(count)]
    return max(came)


@given(st.lists(runs, min_size=1, max_size=4).filter(lambda ring: sum(h.count for h in ring) > 1))
@settings(max_examples=300)
def test_the_bound_is_what_every_step_by_itself_comes_to(ring: list[Hops]) -> None:
    assert ring_all_reduce_s(ring, 100.0) == pytest.approx(stepped_s(ring, 100.0), rel=1e-9)


def test_an_even_ring_is_the_textbooks() -> None:
    even = [Hops(8, 1e-3, 1e-9)]
    assert ring_all_reduce_s(even, 8e6) == pytest.approx(14 * (1e-3 + 1e6 * 1e-9))


def test_one_far_hop_is_paid_for_once_a_lap_and_not_at_every_step() -> None:
    ring = [Hops(23, 1e-6, 1e-10), Hops(1, 10e-3, 1e-10)]
    piece_s = 24e6 / 24 * 1e-10
    assert ring_all_reduce_s(ring, 24e6) == pytest.approx(46 * piece_s + 2 * 10e-3 + 44 * 1e-6)


def test_one_slow_hop_is_paid_for_at_every_step() -> None:
    ring = [Hops(23, 0.0, 1e-10), Hops(1, 0.0, 1e-8)]
    slow_s, fast_s = 1e6 * 1e-8, 1e6 * 1e-10
    assert ring_all_reduce_s(ring, 24e6) == pytest.approx(46 * slow_s, rel=0.02)
    assert ring_all_reduce_s(ring, 24e6) >= 46 * slow_s > 46 * fast_s


def test_a_hundred_thousand_ranks_in_three_campuses_cost_no_more_than_three() -> None:
    campus = Hops(33_333, 5e-6, 1e-11)
    far = Hops(1, 80e-6, 1e-11)
    ring = [campus, far, campus, far, campus, far]
    laps_s = 2 * (3 * 33_333 * 5e-6 + 3 * 80e-6)
    assert ring_all_reduce_s(ring, 14e9) == pytest.approx(laps_s + 2 * 14e9 * 1e-11, rel=1e-3)


@given(st.lists(runs, min_size=1, max_size=4).filter(lambda ring: sum(h.count for h in ring) > 1))
def test_ranks_that_enter_together_take_as_long_as_the_bound_says(ring: list[Hops]) -> None:
    together = [0.5] * sum(hops.count for hops in ring)
    assert entered_s(ring, 100.0, together) == pytest.approx(
        ring_all_reduce_s(ring, 100.0), abs=1e-9
    )


@given(st.lists(st.floats(0, 5), min_size=8, max_size=8))
def test_whoever_enters_early_makes_it_no_longer_after_the_last_has_entered(
    late: list[float],
) -> None:
    even = [Hops(8, 1e-3, 1e-9)]
    assert entered_s(even, 8e6, late) <= entered_s(even, 8e6, [0.0] * 8) + 1e-9
