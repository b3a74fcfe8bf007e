"""The aging model gives the measured and published figures it is built on, and a cliff."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.text.units import YEAR_S
from scenario.topology import aging
from scenario.topology.aging import MEASURED, Span, aged, aging_table
from scenario.types.impairments import gilbert_elliott

TEN_MILES_M = 16093.44
CONDITIONS = ["dry", "damp", "waterlogged"]

spans = st.builds(
    Span,
    distance_m=st.floats(1, 5e7),
    age_s=st.floats(0, 100 * YEAR_S),
    condition=st.sampled_from(CONDITIONS),
    margin_db=st.floats(-20, 40),
)


@pytest.mark.parametrize(
    ("ber", "loss"),
    [
        (2.4e-4, 2.8e-12),
        (6e-4, 1.1e-6),
        (8e-4, 3.9e-5),
        (1e-3, 5.2e-4),
        (1.2e-3, 3.6e-3),
        (1.5e-3, 3e-2),
    ],
)
def test_bit_errors_become_the_published_packet_loss(ber: float, loss: float) -> None:
    assert aging.packet_loss(aging.codeword_failure(ber)) == pytest.approx(loss, rel=0.035)


def test_a_packet_of_1500_bytes_touches_3_4_codewords() -> None:
    assert aging.packet_loss(1e-9) / 1e-9 == pytest.approx(3.4, abs=0.01)


@pytest.mark.parametrize(("snr", "ber"), MEASURED)
def test_the_measured_points_come_out_as_they_went_in(snr: float, ber: float) -> None:
    assert aging.ber_for_snr(snr) == pytest.approx(ber)
    assert aging.snr_for_ber(ber) == pytest.approx(snr)


@given(st.floats(5, 40))
def test_snr_and_bit_errors_are_each_others_inverse(snr: float) -> None:
    ber = aging.ber_for_snr(snr)
    if ber < 0.5:
        assert aging.snr_for_ber(ber) == pytest.approx(snr)


@given(spans)
def test_every_answer_is_a_share(span: Span) -> None:
    for mode in ("loss", "step"):
        state = aged(span, mode)
        assert 0 <= state.packet_loss <= 1
        assert 0 <= state.ber <= 0.5
        assert 0 < state.rate_share <= 1


@given(spans, st.floats(0, 50 * YEAR_S))
def test_nothing_gets_better_with_age(span: Span, more_s: float) -> None:
    older = Span(span.distance_m, span.age_s + more_s, span.condition, span.margin_db)
    assert aged(older).packet_loss >= aged(span).packet_loss * (1 - 1e-9)
    assert aged(older, "step").rate_share <= aged(span, "step").rate_share


@given(spans)
def test_stepping_down_never_loses_more_than_staying(span: Span) -> None:
    assert aged(span, "step").packet_loss <= aged(span, "loss").packet_loss


def test_aging_is_a_cliff_three_decades_of_loss_within_five_years() -> None:
    span = Span(TEN_MILES_M, condition="damp", margin_db=0.2)
    ages = [year * YEAR_S for year in range(0, 36, 5)]
    losses = [state.packet_loss for state in aging_table(span, ages)]
    assert losses[2] < 1e-8
    assert losses[-1] > 0.01
    growth = [later / earlier for earlier, later in itertools.pairwise(losses)]
    assert max(growth) > 50


def test_a_dry_span_with_the_usual_margin_outlives_its_builders() -> None:
    assert aged(Span(TEN_MILES_M, 50 * YEAR_S, "dry")).packet_loss < 1e-12


def test_waterlogged_splices_add_a_fifth_of_a_decibel_per_km_in_four_years() -> None:
    new, old = (Span(1000, age, "waterlogged") for age in (0, 4 * YEAR_S))
    grown = aging.span_loss_db(old) - aging.span_loss_db(new)
    assert grown == pytest.approx(0.65 - 0.45, abs=0.005)


def test_a_long_line_ages_as_its_amplified_spans_do() -> None:
    one, many = (aged(Span(km * 1e3, 20 * YEAR_S, "damp", 8)) for km in (80, 4000))
    assert many.span_loss_db == pytest.approx(one.span_loss_db)
    assert many.cuts_per_year == pytest.approx(50 * one.cuts_per_year)


def test_the_oldest_age_is_where_the_loss_is_what_was_asked() -> None:
    span = Span(TEN_MILES_M, 0, "waterlogged")
    oldest_s = aging.oldest_age_s(span, most_loss=0.5)
    (state,) = aging_table(span, [oldest_s])
    assert state.packet_loss == pytest.approx(0.5, abs=1e-3)


@given(st.floats(1e-9, 0.5), st.floats(0, 0.99))
def test_gilbert_elliott_has_the_loss_and_the_correlation_asked_for(
    loss: float, correlation: float
) -> None:
    p, r = gilbert_elliott(loss, correlation)
    assert p / (p + r) == pytest.approx(loss)
    assert 1 - p - r == pytest.approx(correlation, abs=1e-9)
