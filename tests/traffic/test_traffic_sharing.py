"""Messages that compete for a wire, against what a pencil finds; and messages that do not, which stay whole."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenario.plan.types import Plan
from scenario.types.topology import Transport
from tests.fabric.planned import plan_of
from traffic.model import parts
from traffic.model.course import Course, tolls
from traffic.model.execution import Execution
from traffic.model.model import Model
from traffic.model.wires import Wires
from traffic.schedule import Op, Schedule

FRAME, PAYLOAD = 9014, 8948  # bytes on the wire, and of them for the user, at an MTU of 9000
LINK_BPS = 10e9
WINDOW_PACKETS = 10


def campuses(hosts: int, delay: str = "1us") -> Plan:
    """As many hosts in each of two campuses, every NIC ten times as fast as the link between."""
    return plan_of(f"""
defaults:
  campuses: {{fabric: {{kind: single, host-delay: 0ns, link-delay: 0ns, border-rate: 400Gbit/s}}}}
campuses:
  c1: {{hosts: [{{count: {hosts}, accelerator: H100, nics: 1, nic: 100Gbit/s}}]}}
  c2: {{hosts: [{{count: {hosts}, accelerator: H100, nics: 1, nic: 100Gbit/s}}]}}
links:
  c1-c2: {{between: [c1, c2], delay: {delay}, rate: {LINK_BPS / 1e9:g}Gbit/s}}
""")


def across(hosts: int, *sizes: int) -> Schedule:
    """Each host of the first campus sends to its like in the second one: messages of these sizes, in order."""
    sends = tuple(
        tuple(Op("send", hosts + rank, 0, size) for size in sizes) for rank in range(hosts)
    )
    receives = tuple(tuple(Op("copy", rank, 0, size) for size in sizes) for rank in range(hosts))
    return sends + receives


def link_s(size_bytes: int) -> float:
    """What a message of whole packets takes on the link."""
    return 8 * size_bytes / LINK_BPS * FRAME / PAYLOAD


def whole_s(plan: Plan, schedule: Schedule, starts_s: list[float]) -> list[float]:
    """As if messages crossed one after another."""
    course = Course(schedule)
    return Execution(course, tolls(course, Wires(plan)), starts_s).run()


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
