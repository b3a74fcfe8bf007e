"""What the model expects of queue pairs: go-back-N, windows, DCQCN at rest; against a pencil and a dice."""

import math
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longhaul.planning import make_plan
from scenario.loading import load_topology
from scenario.plan.types import WIDEST_WINDOW, Plan, Port
from scenario.types.topology import Transport
from traffic.framing import TCP
from traffic.model.dcqcn import Bottleneck, waiting_bytes
from traffic.model.model import Model
from traffic.model.queue_pairs import QUEUED_PACKETS, acknowledged
from traffic.model.wires import Lane, Wires, path
from traffic.schedule import Op

FOUR = Path(__file__).with_name("four-hosts.yaml")
ROCE = Transport("roce")
FRAME = 4154
ACROSS = ((Op("send", 2, 0, 10**8),), (), (Op("copy", 0, 0, 10**8),), ())
"""A message from the first campus to the second."""


def plan(*overrides: str) -> Plan:
    return make_plan(load_topology(FOUR, ("rdma.congestion=none", *overrides)))


def took_s(*overrides: str, transport: Transport = ROCE) -> float:
    return Model(plan(*overrides), transport).ends_s(ACROSS, [0.0] * 4)[2]


def under_way() -> float:
    """Packets that fill the way from the first host to the third."""
    wires = Wires(plan(), ROCE)
    slowest_bps = min(end.shape.rate_bps for end in wires.ends(Lane(0, 2)))
    return slowest_bps * wires.rtt_s(0, 2) / 8 / FRAME


def go_back_n(packets: int, under_way: int, p: float, seed: int) -> float:
    """Packets sent for each that comes, by throwing a dice for each: what follows a lost one is sent in vain."""
    dice, sent, come = random.Random(seed), 0, 0
    while come < packets:
        sent += 1
        if dice.random() < p:
            sent += under_way
        else:
            come += 1
    return sent / packets


@given(st.integers(1, 300), st.sampled_from([1e-3, 1e-2]))
@settings(max_examples=20, deadline=None)
def test_the_formula_is_what_dice_say(under_way: int, p: float) -> None:
    packets = 200_000
    thrown = go_back_n(packets, under_way, p, seed=1)
    wasted = p * under_way
    assert thrown == pytest.approx(
        1 + wasted + p, rel=5 * under_way * math.sqrt(p / packets) + 0.01
    )


@pytest.mark.parametrize("loss", ["0.0001", "0.001"])
def test_loss_has_all_that_is_under_way_sent_again(loss: str) -> None:
    scale = plan().scale_bytes
    p = 1 - (1 - float(loss)) ** scale
    expected = 1 + p * (under_way() + QUEUED_PACKETS)
    found = took_s(f"links.c1-c2.loss={loss}") / took_s()
    assert found == pytest.approx(expected, rel=0.01)
    assert expected > 1.01


def test_a_burst_is_one_loss() -> None:
    alone, bursts = (
        took_s("links.c1-c2.loss=0.001"),
        took_s("links.c1-c2.loss=0.001", "links.c1-c2.loss-correlation=0.9"),
    )
    clean = took_s()
    assert (bursts - clean) / (alone - clean) == pytest.approx(0.1, rel=0.01)


def test_tcp_is_expected_to_lose_nothing() -> None:
    assert took_s("links.c1-c2.loss=0.001", transport=TCP) == took_s(transport=TCP)


def test_a_window_of_half_the_way_halves_the_rate() -> None:
    """As many packets as are asked to be acknowledged in a round trip."""
    packets = under_way()
    window = round(packets / 2)
    bytes_asked = window * 4096 * plan().scale_bytes
    found = took_s("rdma.congestion=window", f"rdma.window={bytes_asked}B")
    assert found / took_s() == pytest.approx(packets / acknowledged(window), rel=0.05)


def test_a_wide_window_costs_nothing() -> None:
    assert took_s("rdma.congestion=window") == took_s()
    assert acknowledged(WIDEST_WINDOW) == math.inf


@given(st.integers(1, 4096))
def test_what_is_acknowledged_in_a_round_trip_is_at_most_the_window(window: int) -> None:
    assert 1 <= acknowledged(window) <= max(window + 1, 2)
    assert acknowledged(window) > window / 2 - 1


def test_the_textbook_ring_knows_it_too() -> None:
    wires = [Wires(plan(*text), ROCE) for text in ((), ("links.c1-c2.loss=0.001",))]
    clean, lossy = (path(one, one.plan.hosts[0], one.plan.hosts[2]) for one in wires)
    assert lossy.beta_s_per_byte > 1.01 * clean.beta_s_per_byte
    assert lossy.alpha_s == clean.alpha_s


# --- DCQCN at rest -------------------------------------------------------------------------------

LINE = Bottleneck(rate_bps=10e9, packet_bytes=FRAME, byte_counter=10e6)


def test_the_fixed_point_is_the_paper_s() -> None:
    """By hand for two flows: p³ = R_AI N² (1/B + N/TC)² / τC²."""
    c = 10e9 / 8 / FRAME
    cubed = 1e-3 * c * 4 / (55e-6 * c**2) * (FRAME / 10e6 + 2 / (55e-6 * c)) ** 2
    assert LINE.marked_share(2) == pytest.approx(cubed ** (1 / 3))


@given(st.integers(1, 100))
def test_more_flows_need_more_marks(flows: int) -> None:
    assert LINE.marked_share(flows + 1) > LINE.marked_share(flows)


def test_scaled_links_rest_at_the_same_bytes_as_real_ones() -> None:
    """A packet stands for 20: its chance of a mark is 20 times that, and so is what the fixed point asks for."""
    real = Bottleneck(400e9, FRAME, 10e6).marked_share(4)
    scaled = Bottleneck(20e9, FRAME, 0.5e6).marked_share(4)
    assert scaled == pytest.approx(20 * real, rel=0.02)


def test_a_queue_rests_where_its_marks_are() -> None:
    port = Port(mark_min_bytes=5_000, mark_max_bytes=200_000, mark_probability=0.25)
    assert waiting_bytes(0.125, port) == 102_500
    assert waiting_bytes(0.9, port) == 200_000
    assert waiting_bytes(0.1, Port()) == 0
