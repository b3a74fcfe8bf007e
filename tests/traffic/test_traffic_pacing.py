"""What Linux's TCP spreads over part of a round trip, against what a pencil finds; and what it does not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenario.loading import load_workload
from scenario.plan.types import Plan
from scenario.types.topology import Training, Transport
from tests.fabric.planned import ROOT, plan_of_file
from tests.traffic.two_campuses import FRAME, LINK_BPS, PAYLOAD, across, campuses, whole_s
from traffic.model.course import Course, tolls
from traffic.model.model import Model
from traffic.model.pacing import Departure, counted, pace
from traffic.model.windows import paced
from traffic.model.wires import Wires
from traffic.training.programs import compute_s, make_schedule

FAR_S = 4e-3
FILLING = round(2 * FAR_S * LINK_BPS / 8 / FRAME)
"""Packets that fill the link for a round trip."""
MEASURED_S = {
    ("tree", "125e6"): 73.2e-3,
    ("recursive_doubling", "125e6"): 38.2e-3,
    ("hierarchical", "1e9"): 70.55e-3,
}
"""In the fabric: `longhaul run topologies/metro.yaml`, all links 1,000 miles long, shares in proportion."""


def far(hosts: int = 1) -> Plan:
    return campuses(hosts, f"{FAR_S * 1e3:g}ms")


def took_s(plan: Plan, *sizes: int) -> float:
    return max(Model(plan).ends_s(across(1, *sizes), [0.0] * 2))


def spread_s(*sizes: int) -> float:
    """By how much the last of some packets comes after where the first one would."""
    return took_s(far(), *sizes) - took_s(far(), PAYLOAD)


def later_s(plan: Plan, *sizes: int) -> float:
    """By how much the last of some messages ends later than if TCP did not pace."""
    return took_s(plan, *sizes) - max(whole_s(plan, across(1, *sizes), [0.0] * 2))


def rtt_s() -> float:
    frames_s = 8 * FRAME * (1 / LINK_BPS + 4 / 100e9)
    return 2 * FAR_S + frames_s


@pytest.mark.parametrize("packets", [6, 20, 60])
def test_what_does_not_fill_its_way_is_spread_over_a_quarter_of_a_round_trip(packets: int) -> None:
    """The window is twice the message, two windows leave in a round trip, and the first packet counts half."""
    expected_s = (packets - 1.5) / (4 * packets) * rtt_s()
    assert spread_s(packets * PAYLOAD) == pytest.approx(expected_s, rel=0.001)


def test_the_first_window_of_ten_packets_is_never_less() -> None:
    """Three packets leave as if there were five."""
    assert spread_s(3 * PAYLOAD) == pytest.approx(1.5 / 20 * rtt_s(), rel=0.001)


def test_one_packet_is_not_spread_and_neither_is_what_fills_its_way() -> None:
    assert later_s(far(), PAYLOAD) == 0
    assert later_s(far(), FILLING // 2 * PAYLOAD) == 0


def test_ways_that_ten_packets_fill_know_no_pace() -> None:
    assert later_s(campuses(1), 8 * PAYLOAD) == 0


def test_messages_that_are_under_way_together_share_one_window() -> None:
    """Two of six packets leave as one of twelve."""
    both, one = (took_s(far(), *sizes) for sizes in ([6 * PAYLOAD] * 2, [12 * PAYLOAD]))
    assert both == pytest.approx(one, rel=1e-6)
    assert spread_s(*[6 * PAYLOAD] * 2) == pytest.approx(10.5 / 48 * rtt_s(), rel=0.001)


def test_queue_pairs_have_no_pace_of_tcp() -> None:
    course = Course(across(1, 12 * PAYLOAD))
    for transport, count in ((Transport("roce"), 0), (Transport("tcp"), 1)):
        costs = tolls(course, Wires(far(), transport))
        assert len(paced(course, costs, [0.0] * 2).paces) == count


def test_parts_of_messages_that_compete_keep_the_pace_of_whole_ones() -> None:
    """Two hosts with twelve packets each: far less than the link takes in a quarter of a round trip."""
    alone = Model(far()).ends_s(across(1, 12 * PAYLOAD), [0.0] * 2)
    together = Model(far(2)).ends_s(across(2, 12 * PAYLOAD), [0.0] * 4)
    assert max(together) == pytest.approx(max(alone), rel=0.003)


@given(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 1e-2)), min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_packets_leave_in_order_and_never_faster_than_the_pace(
    sent: list[tuple[int, float]],
) -> None:
    """Whatever was silent for how long: but for half of the first packet, bytes over time are at most the pace."""
    s_per_byte = pace(60 * PAYLOAD, rtt_s(), PAYLOAD)
    clear_s = begin_s = 0.0
    for packets, silent_s in sent:
        begin_s = clear_s + silent_s
        before_s = clear_s
        own = Departure(*(s_per_byte * own for own in counted(packets * PAYLOAD, PAYLOAD)))
        last_s, clear_s = own.out_s(begin_s, before_s)
        assert begin_s <= last_s < clear_s
        assert clear_s - begin_s >= (packets - 0.5) * PAYLOAD * s_per_byte - 1e-12
        assert clear_s - before_s >= packets * PAYLOAD * s_per_byte - 1e-12


@pytest.mark.parametrize(("algorithm", "parameters"), MEASURED_S)
def test_collectives_over_a_thousand_miles_take_what_they_take_in_the_fabric(
    algorithm: str, parameters: str
) -> None:
    file = ROOT / "topologies" / "metro.yaml"
    links = ("north-east", "north-east-2", "east-south", "south-west", "west-north")
    plan = plan_of_file(file, *(f"links.{link}.distance=1000mi" for link in links))
    workload = load_workload(
        ROOT / "traffic" / "workloads" / "training.yaml",
        (f"collective.algorithm={algorithm}", f"model.parameters={parameters}", "batch.shares=proportional"),
    )  # fmt: skip
    assert isinstance(workload, Training)
    own_s = compute_s(workload, plan.hosts)
    found_s = Model(plan, workload.transport).collective_s(make_schedule(workload, plan), own_s)
    assert found_s == pytest.approx(MEASURED_S[algorithm, parameters], rel=0.01)
