"""`auto`: what is chosen is what the model says is fastest, and it tells near from far, small from large."""

import pytest

from longhaul.fabric.plan import Plan
from tests.fabric.planned import plan_of
from traffic.choosing import choose, predictions
from traffic.collectives import ALGORITHMS, ELEMENT_BYTES, OPS, Options

PAYLOAD = 8948  # bytes of a full packet for the user, at an MTU of 9000


def campuses(count: int, hosts: int, delay: str = "1ms") -> Plan:
    """Alike campuses in a full mesh."""
    names = [f"c{i + 1}" for i in range(count)]
    places = "".join(
        f"  {name}: {{hosts: [{{count: {hosts}, accelerator: H100, nics: 1, nic: 10Gbit/s}}]}}\n"
        for name in names
    )
    links = "".join(
        f"  {a}-{b}: {{between: [{a}, {b}], delay: {delay}, rate: 10Gbit/s}}\n"
        for i, a in enumerate(names)
        for b in names[i + 1 :]
    )
    return plan_of(f"campuses:\n{places}" + (f"links:\n{links}" if links else ""))


def test_small_messages_get_few_latencies_and_large_ones_few_bytes() -> None:
    plan = campuses(1, 8)
    small = choose(plan, "all_reduce", 8 * ELEMENT_BYTES, Options())
    large = choose(plan, "all_reduce", 64_000_000, Options())
    assert small.algorithm not in ("ring", "pairwise", "hierarchical")
    assert large.algorithm in ("ring", "halving_doubling", "pairwise")
    assert large.predicted_s > small.predicted_s


def test_over_a_long_haul_sums_are_made_inside_the_campuses_first() -> None:
    choice = choose(campuses(3, 4, "30ms"), "all_reduce", 100_000_000, Options())
    assert choice.algorithm == "hierarchical"


@pytest.mark.parametrize("op", OPS)
def test_nothing_that_can_be_chosen_is_faster_than_what_is(op: str) -> None:
    plan = campuses(2, 2)
    choice = choose(plan, op, 1_000_000, Options())
    assert choice.predicted_s == min(
        other.predicted_s for other in predictions(plan, op, 1_000_000, Options())
    )
    assert (op, choice.algorithm) in ALGORITHMS


def test_who_comes_late_is_not_held_against_the_algorithm() -> None:
    plan = campuses(1, 4)
    compute_s = [0.0, 0.0, 0.0, 5.0]
    assert choose(plan, "all_reduce", 1_000_000, Options(), compute_s).predicted_s < 1.0


def test_many_senders_to_one_port_are_chosen_only_while_its_queue_holds_all_they_send() -> None:
    plan = campuses(1, 8)
    packets = plan.links[0].b.shape.limit_packets
    fits = 8 * (packets // 7) * PAYLOAD // ELEMENT_BYTES * ELEMENT_BYTES
    names = [
        {choice.algorithm for choice in predictions(plan, "all_reduce", size, Options())}
        for size in (fits, fits + 8 * PAYLOAD)
    ]
    assert "direct" in names[0]
    assert "direct" not in names[1]
