"""Messages that compete for a wire, against what a pencil finds; and messages that do not, which stay whole."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenario.types.topology import Transport
from tests.traffic.two_campuses import PAYLOAD, across, campuses, link_s, whole_s
from traffic.model import parts
from traffic.model.model import Model

WINDOW_PACKETS = 10


def test_of_two_large_messages_the_later_one_takes_half_of_the_link_from_the_first() -> None:
    size = 1000 * PAYLOAD
    one_s = link_s(size)
    ends = Model(campuses(2)).ends_s(across(2, size), [0.0, one_s / 2, 0.0, 0.0])
    assert ends[2] == pytest.approx(1.5 * one_s, rel=0.03)
    assert ends[3] == pytest.approx(2 * one_s, rel=0.001)


def test_what_fits_the_first_window_is_served_as_it_came() -> None:
    """All of the first message waits at the link before the second one comes."""
    size = WINDOW_PACKETS * PAYLOAD
    one_s = link_s(size)
    starts = [0.0, one_s / 2, 0.0, 0.0]
    ends = Model(campuses(2)).ends_s(across(2, size), starts)
    assert ends[2] == pytest.approx(one_s, rel=0.05)
    assert ends[3] == pytest.approx(2 * one_s, rel=0.05)
    assert ends == pytest.approx(whole_s(campuses(2), across(2, size), starts), rel=0.001)


def test_a_far_connection_has_as_much_of_a_link_as_its_window_lets_it_have_and_alone_all_of_it() -> (
    None
):
    size = 4000 * PAYLOAD
    plan = campuses(2, "200us")
    alone = Model(plan).ends_s((*across(1, size), (), ()), [0.0] * 4)
    assert alone == whole_s(plan, (*across(1, size), (), ()), [0.0] * 4)
    together = Model(plan).ends_s(across(2, size), [0.0] * 4)
    assert max(together) == pytest.approx(2 * link_s(size) + 200e-6, rel=0.01)
    assert min(together[2:]) > 0.97 * max(together)


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=4),
    st.lists(st.floats(0, 1e-3), min_size=3, max_size=3),
)
@settings(max_examples=40, deadline=None)
def test_sharing_neither_makes_a_link_faster_nor_leaves_it_idle(
    packets: list[int], starts_s: list[float]
) -> None:
    """Whoever is served when, all of it has crossed at the same time, if the queue never ran dry."""
    plan = campuses(3)
    schedule = across(3, *(count * PAYLOAD for count in packets))
    total_s = 3 * sum(map(link_s, (count * PAYLOAD for count in packets)))
    ends = Model(plan).ends_s(schedule, [*starts_s, 0.0, 0.0, 0.0])
    whole = whole_s(plan, schedule, [*starts_s, 0.0, 0.0, 0.0])
    assert max(ends) >= min(starts_s) + total_s
    assert max(ends) == pytest.approx(max(whole), rel=0.05)


def test_a_short_last_packet_does_not_overtake_the_one_before_it() -> None:
    """Four bytes more never come earlier, though they pass the wires behind the shared one sooner."""
    size = 100 * PAYLOAD
    longer = Model(campuses(2)).ends_s(across(2, size + 4), [0.0] * 4)
    shorter = Model(campuses(2)).ends_s(across(2, size), [0.0] * 4)
    assert max(longer) > max(shorter)


def test_messages_that_never_meet_are_whole_to_the_last_bit() -> None:
    size = 1000 * PAYLOAD
    starts = [0.0, 3 * link_s(size), 0.0, 0.0]
    ends = Model(campuses(2)).ends_s(across(2, size, size), starts)
    assert ends == whole_s(campuses(2), across(2, size, size), starts)


def test_queue_pairs_are_not_shared_as_connections_are() -> None:
    size = 1000 * PAYLOAD
    starts = [0.0, link_s(size) / 2, 0.0, 0.0]
    roce = Model(campuses(2), Transport("roce")).ends_s(across(2, size), starts)
    tcp = Model(campuses(2)).ends_s(across(2, size), starts)
    assert roce[2] < 0.8 * tcp[2]


def test_more_messages_than_there_is_time_for_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    size = 1000 * PAYLOAD
    starts = [0.0, link_s(size) / 2, 0.0, 0.0]
    monkeypatch.setattr(parts, "MOST_CROSSINGS", 9)
    ends = Model(campuses(2)).ends_s(across(2, size), starts)
    assert ends == whole_s(campuses(2), across(2, size), starts)
