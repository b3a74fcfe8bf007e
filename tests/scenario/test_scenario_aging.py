"""The aging model gives the measured and published figures it is built on, and a cliff."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.text.units import YEAR_S
from scenario.topology import aging
from scenario.topology.aging import Span, aged, aging_table, drawn
from scenario.topology.optics import (
    KP4,
    RECEIVER_PENALTY_DB,
    TECHNOLOGIES,
    ber_for_snr,
    snr_for_ber,
)
from scenario.types.impairments import gilbert_elliott

TEN_MILES_M = 16093.44
CONDITIONS = ["dry", "damp", "waterlogged"]

spans = st.builds(
    Span,
    distance_m=st.floats(1, 5e7),
    age_s=st.floats(0, 100 * YEAR_S),
    condition=st.sampled_from(CONDITIONS),
    margin_db=st.floats(-20, 40),
    technology=st.sampled_from([None, *TECHNOLOGIES]),
)

MEASURED = (
    (12.80, 0.037),
    (14.04, 0.0205),
    (15.02, 0.0112),
    (15.99, 0.00566),
    (16.99, 0.00249),
    (17.97, 0.00096),
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
    assert aging.packet_loss(KP4.failure(ber, 2.4e-4)) == pytest.approx(loss, rel=0.035)


def test_a_packet_of_1500_bytes_touches_3_4_codewords() -> None:
    assert aging.packet_loss(1e-9) / 1e-9 == pytest.approx(3.4, abs=0.01)


@pytest.mark.parametrize(("snr", "ber"), MEASURED)
def test_measured_points_of_16qam_lie_on_the_closed_form_with_a_receivers_penalty(
    snr: float, ber: float
) -> None:
    assert snr - snr_for_ber("16qam", ber) == pytest.approx(RECEIVER_PENALTY_DB, abs=0.11)


def test_bpsk_needs_three_decibel_less_than_qpsk() -> None:
    assert snr_for_ber("qpsk", 1e-3) - snr_for_ber("bpsk", 1e-3) == pytest.approx(3.01, abs=0.01)


@given(
    st.sampled_from(["bpsk", "qpsk", "8qam", "16qam", "64qam", "pam4", "nrz"]),
    st.floats(1e-12, 0.05),
)
def test_snr_and_bit_errors_are_each_others_inverse(form: str, ber: float) -> None:
    assert ber_for_snr(form, snr_for_ber(form, ber)) == pytest.approx(ber, rel=1e-3)


@pytest.mark.parametrize("name", TECHNOLOGIES)
def test_each_mode_of_a_technology_just_works_at_what_it_requires(name: str) -> None:
    optics = TECHNOLOGIES[name]
    for mode in optics.modes:
        assert optics.ber(mode, mode.required_db) == pytest.approx(optics.limit_ber, rel=1e-3)
        assert optics.code.failure(optics.limit_ber, optics.limit_ber) < 1e-11
    needs = [mode.required_db for mode in optics.modes]
    assert needs == sorted(needs, reverse=True)


def test_direct_detection_loses_two_decibel_of_snr_for_each_of_light() -> None:
    def lost(technology: str) -> float:
        ages = (0, 10 * YEAR_S)
        states = [aged(Span(10e3, age, "waterlogged", 3, technology)) for age in ages]
        grown = states[1].span_loss_db - states[0].span_loss_db
        return (states[0].snr_db - states[1].snr_db - 0.5) / grown  # half a dB is the equipment's

    assert lost("pam4") == pytest.approx(2)
    assert lost("400zr") == pytest.approx(1)


def test_draws_differ_by_seed_alone_and_spread_as_said() -> None:
    span = Span(TEN_MILES_M, 12 * YEAR_S, "waterlogged")
    assert drawn(span, 20, 1) == drawn(span, 20, 1) != drawn(span, 20, 2)
    margins = [one.margin_db for one in drawn(span, 2000)]
    mean = sum(margins) / 2000
    assert mean == pytest.approx(3.0, abs=0.05)
    assert (sum((m - mean) ** 2 for m in margins) / 1999) ** 0.5 == pytest.approx(0.5, abs=0.03)


def test_where_a_waterlogged_cable_has_stepped_to_after_twelve_years_is_anybodys_guess() -> None:
    """The scenario used to hang on one line through this: a forum post's figure and a margin without spread."""
    span = Span(TEN_MILES_M, 12 * YEAR_S, "waterlogged")
    shares = {aged(one, "step").rate_share for one in drawn(span, 200)}
    assert shares == {1.0, 0.75, 0.5, 0.25}


@given(spans)
def test_every_answer_is_a_share(span: Span) -> None:
    for mode in ("loss", "step"):
        state = aged(span, mode)
        assert 0 <= state.packet_loss <= 1
        assert 0 <= state.ber <= 0.5
        assert 0 < state.rate_share <= 1


@given(spans, st.floats(0, 50 * YEAR_S))
def test_nothing_gets_better_with_age(span: Span, more_s: float) -> None:
    older = replace(span, age_s=span.age_s + more_s)
    assert aged(older).packet_loss >= aged(span).packet_loss * (1 - 1e-9)
    assert aged(older, "step").rate_share <= aged(span, "step").rate_share


@given(spans)
def test_stepping_down_never_loses_more_than_staying(span: Span) -> None:
    alike = replace(span, technology=span.technology or "flexible")
    assert aged(alike, "step").packet_loss <= aged(alike, "loss").packet_loss


def test_aging_is_a_cliff_three_decades_of_loss_within_five_years() -> None:
    span = Span(TEN_MILES_M, condition="damp", margin_db=1.2)
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


def test_large_packets_are_lost_from_a_younger_age_on() -> None:
    span = Span(TEN_MILES_M, 0, "waterlogged")
    oldest_s = aging.oldest_age_s(span, packet_bytes=9000)
    (state,) = aging_table(span, [oldest_s], packet_bytes=9000)
    assert state.packet_loss == pytest.approx(0.5, abs=1e-3)
    assert oldest_s < aging.oldest_age_s(span)


@given(st.floats(1e-9, 0.5), st.floats(0, 0.99))
def test_gilbert_elliott_has_the_loss_and_the_correlation_asked_for(
    loss: float, correlation: float
) -> None:
    p, r = gilbert_elliott(loss, correlation)
    assert p / (p + r) == pytest.approx(loss)
    assert 1 - p - r == pytest.approx(correlation, abs=1e-9)
