"""What the controller hears, held against the plan."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller import frames
from controller.discovery import Discovery
from controller.frames import Asked
from scenario.plan.rules import GATEWAY_MAC, Rule
from tests.fabric.planned import plan_of

PAIR = """
campuses:
  c1: {hosts: [{count: 1, accelerator: H100}]}
  c2: {hosts: [{count: 1, accelerator: H100}]}
links:
  c1-c2: {between: [c1, c2], distance: 10mi, rate: 400G}
"""
PLAN = plan_of(PAIR)


@pytest.fixture
def found() -> Discovery:
    return Discovery(PLAN)


def deliver(found: Discovery, *without: str) -> None:
    """Carry every LLDP frame to where its link leads, but for some links."""
    for link in PLAN.wires:
        for near, far in (link.ends, link.ends[::-1]):
            for port, frame in found.probes(near.node) if near.port and far.port else ():
                if port == near.port and link.name not in without:
                    found.heard(frame, (far.node, far.port))


def test_a_fabric_as_planned_differs_in_nothing(found: Discovery) -> None:
    deliver(found)
    assert list(found.differences(set())) == []
    assert found.links() == sum(link.kind in ("fabric", "long-haul") for link in PLAN.wires)


def test_a_link_that_is_not_heard_is_named_unless_it_is_known_to_be_down(found: Discovery) -> None:
    deliver(found, "c1-c2")
    told = list(found.differences(set()))
    assert told == [
        "c1-c2: c1-b port 3 hears nobody, planned is c2-b port 3",
        "c1-c2: c2-b port 3 hears nobody, planned is c1-b port 3",
    ]
    assert list(found.differences({"c1-c2"})) == []


def test_crossed_wires_and_wires_that_nobody_planned_are_named(found: Discovery) -> None:
    deliver(found)
    frame = next(frame for port, frame in found.probes("c1-l1"))
    found.heard(frame, ("c2-b", 3))
    found.heard(frame, ("c2-l1", 9))
    assert list(found.differences(set())) == [
        "c1-c2: c2-b port 3 hears c1-l1 port 2, planned is c1-b port 3",
        "c2-l1 port 9 hears c1-l1, where no link is planned",
    ]


def test_a_host_at_its_place_is_nothing_to_speak_of(found: Discovery) -> None:
    host = PLAN.hosts[0]
    assert found.meet(Asked(host.mac, host.ip, "10.2.1.1"), ("c1-l1", 1)) is None
    assert found.learned == {}


def test_a_host_at_another_place_is_named(found: Discovery) -> None:
    host = PLAN.hosts[0]
    told = found.meet(Asked(host.mac, host.ip, "10.2.1.1"), ("c2-l1", 5))
    assert told == "c1-h100-1 is at c2-l1 port 5, planned is c1-l1 port 1"


def test_a_host_that_nobody_planned_is_learned_where_its_address_belongs(found: Discovery) -> None:
    stranger = Asked("02:00:00:00:00:07", "10.1.1.77", "10.2.1.1")
    assert found.meet(stranger, ("c1-l1", 7)) == "learned: host 10.1.1.77 at c1-l1 port 7"
    assert found.learned == {"10.1.1.77": Rule("c1-l1", "10.1.1.77/32", 7, stranger.mac)}
    assert found.meet(stranger, ("c1-l1", 7)) is None


@pytest.mark.parametrize(
    ("ip", "where"), [("10.2.1.77", "belongs to c2-l1"), ("192.168.0.1", "belongs nowhere")]
)
def test_a_host_whose_address_belongs_elsewhere_is_not_learned(
    found: Discovery, ip: str, where: str
) -> None:
    told = found.meet(Asked("02:00:00:00:00:07", ip, "10.2.1.1"), ("c1-l1", 7))
    assert told == f"a host {ip} is at c1-l1 port 7, but its address {where}"
    assert found.learned == {}


def test_the_gateway_answers_for_every_address() -> None:
    frame = frames.answer(Asked("02:00:00:00:00:07", "10.1.1.77", "10.2.1.1"))
    assert frame[:6].hex(":") == "02:00:00:00:00:07"
    assert frame[6:12].hex(":") == GATEWAY_MAC
    assert frame[20:28] == b"\x00\x02" + bytes.fromhex(GATEWAY_MAC.replace(":", ""))
    assert frame[28:32] == bytes([10, 2, 1, 1])
    assert len(frame) == 60


@given(st.binary(min_size=14, max_size=80))
def test_frames_of_anybody_are_read_without_harm(frame: bytes) -> None:
    assert frames.sender_of(frame) is None or isinstance(frames.sender_of(frame), tuple)
    assert frames.asked(frame) is None or isinstance(frames.asked(frame), Asked)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_lldp_of_anybody_is_read_without_harm(chassis: bytes, rest: bytes) -> None:
    frame = frames.lldp("02:00:00:00:00:01", "c1-b", 3)
    assert frames.sender_of(frame) == ("c1-b", 3)
    for broken in (frame[:14] + chassis + rest, frame[:18] + chassis, frame[:27] + rest):
        found = frames.sender_of(broken)
        assert found is None or isinstance(found[1], int)
