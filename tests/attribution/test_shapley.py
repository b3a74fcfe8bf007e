"""Shapley shares and dividends: textbook cases, and that shares always sum to the whole."""

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.series.attribution import Cause, Trials, attribute
from analysis.series.shapley import dividends, shapley, subsets

GLOVES = {
    frozenset(chosen): float("left" in chosen and len(chosen) > 1)
    for chosen in subsets(["left", "right1", "right2"])
}
"""A pair of gloves is worth 1, and there is only one left glove."""

values = st.integers(1, 4).flatmap(
    lambda count: st.lists(st.floats(0, 1e6), min_size=2**count, max_size=2**count)
)


def game(worths: list[float]) -> tuple[dict[frozenset[str], float], list[str]]:
    causes = list("abcd"[: len(worths).bit_length() - 1])
    return dict(zip(subsets(causes), worths, strict=True)), causes


def test_the_glove_game_has_its_textbook_answer() -> None:
    found = shapley(GLOVES, ["left", "right1", "right2"])
    assert found == pytest.approx({"left": 2 / 3, "right1": 1 / 6, "right2": 1 / 6})


def test_causes_that_do_not_touch_each_other_get_what_each_adds() -> None:
    value = {chosen: 10.0 + 3 * ("a" in chosen) + 5 * ("b" in chosen) for chosen in subsets("ab")}
    assert shapley(value, "ab") == {"a": 3, "b": 5}
    assert dividends(value, "ab")[frozenset("ab")] == 0


def test_what_only_two_causes_do_together_is_shared_equally() -> None:
    value = {chosen: 4.0 * (len(chosen) == 2) for chosen in subsets("ab")}
    assert shapley(value, "ab") == {"a": 2, "b": 2}
    assert dividends(value, "ab") == {
        frozenset("a"): 0, frozenset("b"): 0, frozenset("ab"): 4,
    }  # fmt: skip


@given(values)
def test_shares_and_dividends_sum_to_the_whole(worths: list[float]) -> None:
    value, causes = game(worths)
    whole = value[frozenset(causes)] - value[frozenset()]
    assert isclose(sum(shapley(value, causes).values()), whole, abs_tol=1e-6, rel_tol=1e-9)
    assert isclose(sum(dividends(value, causes).values()), whole, abs_tol=1e-6, rel_tol=1e-9)


@given(values)
def test_a_share_is_the_dividends_divided_among_their_members(worths: list[float]) -> None:
    value, causes = game(worths)
    together = dividends(value, causes)
    for cause, share in shapley(value, causes).items():
        of_it = sum(extra / len(chosen) for chosen, extra in together.items() if cause in chosen)
        assert share == pytest.approx(of_it, abs=1e-6)


def trials(*seconds: tuple[float, ...]) -> Trials:
    causes = (Cause("distance", "near"), Cause("aging", "new"))
    return Trials(causes, dict(zip(subsets(["distance", "aging"]), seconds, strict=True)))


def test_an_attribution_sums_to_the_lost_time() -> None:
    found = attribute(trials((1.0, 1.0), (1.5, 1.7), (2.0, 2.0), (4.0, 4.2)))
    assert found.lost_s == pytest.approx(3.1)
    assert sum(cause.lost_s for cause in found.causes) == pytest.approx(found.lost_s)
    assert sum(cause.share for cause in found.causes) == pytest.approx(1)
    assert found.interactions[0].extra_s == pytest.approx(1.5)
    assert found.combinations[-1].iteration_s == pytest.approx(4.1)


def test_intervals_come_from_the_seeds() -> None:
    found = attribute(trials((1.0, 1.0), (1.5, 1.7), (2.0, 2.0), (3.0, 3.0)))
    low, high = found.causes[0].interval_s
    assert low < found.causes[0].lost_s < high
    same = attribute(trials((1.0, 1.0), (1.5, 1.5), (2.0, 2.0), (3.0, 3.0)))
    assert same.causes[0].interval_s == (0.75, 0.75)


def test_one_seed_gives_no_interval() -> None:
    found = attribute(trials((1.0,), (2.0,), (2.0,), (3.0,)))
    assert {cause.interval_s for cause in found.causes} == {None}
