"""`auto`: what is chosen is what the model says is fastest, and it tells near from far, small from large."""

from collections.abc import Callable

import pytest

from scenario.plan.types import Plan
from tests.fabric.planned import plan_of
from traffic.collectives import ALGORITHMS, ELEMENT_BYTES, OPS, Options
from traffic.model.choosing import Choice, choose, predictions
from traffic.model.model import Model
from traffic.model.wires import Wires
from traffic.schedule import Schedule

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


def alone(plan: Plan) -> Callable[[Schedule], float]:
    """How long a schedule takes that all enter at once."""
    model = Model(plan)
    return lambda schedule: max(model.ends_s(schedule, [0.0] * len(plan.hosts)))


def chosen(plan: Plan, size: int, op: str = "all_reduce") -> Choice:
    return choose(Wires(plan), op, size, Options(), alone(plan))


def test_small_messages_get_few_latencies_and_large_ones_few_bytes() -> None:
    plan = campuses(1, 8)
    small, large = chosen(plan, 8 * ELEMENT_BYTES), chosen(plan, 64_000_000)
    assert small.algorithm not in ("ring", "pairwise", "hierarchical")
    assert large.algorithm in ("ring", "halving_doubling", "pairwise")
    assert large.predicted_s > small.predicted_s


def test_over_a_long_haul_sums_are_made_inside_the_campuses_first() -> None:
    assert chosen(campuses(2, 4, "30ms"), 100_000_000).algorithm == "hierarchical"


def test_all_send_to_all_at_once_where_ways_are_long_and_queues_hold_it() -> None:
    """Measured so, at a tenth and a hundredth of the bytes: docs/collectives.md."""
    plan = campuses(3, 4, "30ms")
    assert chosen(plan, 20_000_000).algorithm == "direct"
    assert chosen(plan, 100_000_000).algorithm == "direct"


@pytest.mark.parametrize("op", OPS)
def test_nothing_that_can_be_chosen_is_faster_than_what_is(op: str) -> None:
    plan = campuses(2, 2)
    choice = chosen(plan, 1_000_000, op)
    others = predictions(Wires(plan), op, 1_000_000, Options(), alone(plan))
    assert choice.predicted_s == min(other.predicted_s for other in others)
    assert (op, choice.algorithm) in ALGORITHMS


def test_many_senders_to_one_port_are_chosen_only_while_its_queue_holds_all_they_send() -> None:
    plan = campuses(1, 8)
    packets = plan.wires[0].b.shape.limit_packets
    fits = 8 * (packets // 7) * PAYLOAD // ELEMENT_BYTES * ELEMENT_BYTES
    names = [
        {x.algorithm for x in predictions(Wires(plan), "all_reduce", size, Options(), alone(plan))}
        for size in (fits, fits + 8 * PAYLOAD)
    ]
    assert "direct" in names[0]
    assert "direct" not in names[1]


def test_a_burst_of_small_messages_from_a_whole_campus_may_be_too_much_for_the_long_haul() -> None:
    """12 hosts have a packet each for 12 others at once: more than the border's queue takes."""
    for hosts, expected in ((12, False), (4, True)):
        plan = campuses(2, hosts, "1us")
        found = predictions(Wires(plan), "all_reduce", 9600, Options(), alone(plan))
        assert ("direct" in {x.algorithm for x in found}) is expected
