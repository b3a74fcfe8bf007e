"""When the events of a timeline happen, and what the fabric must then be."""

import dataclasses
import json
import math
from itertools import islice, pairwise, takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longhaul.planning import plan_event
from scenario.plan.occurrences import Occurrence, known, moments, state
from scenario.plan.types import PlannedEvent, from_json
from scenario.types.topology import Change, Event, Timing

from .planned import plan_of

SECOND = 1_000_000_000
PLAN = plan_of(
    "scale: {bytes: 100}\n"
    "campuses:\n"
    "  c1: {fabric: {kind: single}, hosts: [{count: 2, accelerator: H100}]}\n"
    "  c2: {fabric: {kind: single}, hosts: [{count: 2, accelerator: H100}]}\n"
    "links: {c1-c2: {between: [c1, c2], delay: 100us, rate: 100Gbit/s, loss: 0.1%}}"
)
(LINK,) = PLAN.long_hauls()
LONG = Timing(first_s=0.0, lasts_s=None)


def outage(name: str = "e", **timing: float) -> PlannedEvent:
    return PlannedEvent(name, "link-down", "down", Timing(**timing))  # type: ignore[arg-type]


def planned(timing: Timing = LONG, **effects: object) -> PlannedEvent:
    event = Event("e", "any", "something happens", timing, **effects)  # type: ignore[arg-type]
    return plan_event(event, PLAN.wires, PLAN.scale_bytes)


def spans(*events: PlannedEvent, seed: int = 1, count: int = 100) -> list[tuple[float, float]]:
    """Begin and end, in seconds, of the first occurrences."""
    seen: dict[Occurrence, None] = {}
    for _, on in islice(moments(events, seed), 2 * count):
        seen |= dict.fromkeys(on)
    return [
        (o.begin_ns / SECOND, math.inf if o.end_ns is None else o.end_ns / SECOND) for o in seen
    ][:count]


def test_an_event_at_a_time_happens_once_and_is_over_again() -> None:
    assert list(moments([outage(first_s=2.0, lasts_s=0.3)], 1)) == [
        (2 * SECOND, (Occurrence(2 * SECOND, 0, 2_300_000_000),)),
        (2_300_000_000, ()),
    ]


def test_an_event_without_an_end_stays_and_no_moment_comes_after_it() -> None:
    assert list(moments([outage(first_s=1.0)], 1)) == [(SECOND, (Occurrence(SECOND, 0, None),))]


def test_a_periodic_event_comes_again_and_again() -> None:
    found = spans(outage(first_s=5.0, every_s=4.0, lasts_s=0.5), count=3)
    assert found == [(5.0, 5.5), (9.0, 9.5), (13.0, 13.5)]


def test_a_flap_is_several_outages_with_pauses_between_them() -> None:
    found = spans(outage(first_s=1.0, lasts_s=0.02, times=3, pause_s=0.03), count=9)
    assert found == [(1.0, 1.02), (1.05, 1.07), (1.1, 1.12)]


def test_what_begins_and_ends_at_one_instant_is_one_moment() -> None:
    first, second = outage("a", first_s=1.0, lasts_s=1.0), outage("b", first_s=2.0, lasts_s=1.0)
    times = [(at, [o.event for o in on]) for at, on in moments([first, second], 1)]
    assert times == [(SECOND, [0]), (2 * SECOND, [1]), (3 * SECOND, [])]


def test_random_outages_have_the_means_that_were_asked_for() -> None:
    found = spans(outage(mtbf_s=10.0, mttr_s=0.5), count=4000)
    up = [begin - end for (_, end), (begin, _) in pairwise(found)]
    down = [end - begin for begin, end in found]
    # The mean of 4000 exponential times has a standard error of 1/sqrt(4000) = 1.6 %.
    assert sum(up) / len(up) == pytest.approx(10.0, rel=0.065)
    assert sum(down) / len(down) == pytest.approx(0.5, rel=0.065)


def test_chance_comes_from_the_seed_and_the_events_name_alone() -> None:
    a, b = outage("a", mtbf_s=1.0, mttr_s=0.1), outage("b", mtbf_s=1.0, mttr_s=0.1)
    assert spans(a, seed=7) == spans(a, seed=7)
    assert spans(a, seed=7) != spans(a, seed=8)
    assert spans(a, seed=7) != spans(b, seed=7)
    together = spans(b, a, seed=7, count=400)
    assert set(spans(a, seed=7, count=50)) <= set(together)


@given(
    st.lists(
        st.builds(
            outage,
            first_s=st.floats(0, 3),
            every_s=st.one_of(st.none(), st.floats(0.5, 3)),
            lasts_s=st.floats(0.001, 0.4),
            times=st.integers(1, 2),
            pause_s=st.floats(0, 0.05),
        ),
        max_size=4,
    )
)
def test_moments_come_in_order_and_hold_exactly_what_is_on(events: list[PlannedEvent]) -> None:
    found = list(takewhile(lambda moment: moment[0] < 10 * SECOND, moments(events, 1)))
    times = [at for at, _ in found]
    assert times == sorted(set(times))
    seen = {occurrence for _, on in found for occurrence in on}
    for at, on in found:
        due = {o for o in seen if o.begin_ns <= at and (o.end_ns is None or at < o.end_ns)}
        assert set(on) == due


def test_a_link_that_is_down_is_down_at_both_ends() -> None:
    found = state(PLAN, [planned(links_down=("c1-c2",))])
    assert found.down == {LINK.a.interface, LINK.b.interface}


def test_a_host_without_power_computes_nothing_and_its_switch_sees_no_light() -> None:
    found = state(PLAN, [planned(hosts_down=("c1-h100-1",))])
    (link,) = [link for link in PLAN.wires if link.name == "c1-h100-1"]
    assert found.down == {link.b.interface}
    assert found.slowdowns == {"c1-h100-1": math.inf}


def test_slowdowns_of_one_host_multiply() -> None:
    twice = planned(slowed=("c1-h100-1", "c1-h100-2"), slowdown=2.0)
    thrice = planned(slowed=("c1-h100-1",), slowdown=3.0)
    assert state(PLAN, [twice, thrice]).slowdowns == {"c1-h100-1": 6.0, "c1-h100-2": 2.0}


def test_a_change_leaves_the_other_fields_and_the_other_direction_alone() -> None:
    found = state(PLAN, [planned(changes=(Change("c1-c2", forward={"loss": 0.02}),))])
    assert found.shapes == {LINK.a.interface: dataclasses.replace(LINK.a.shape, loss=0.02)}


def test_a_changed_rate_is_scaled_as_the_plans_rates_are() -> None:
    change = Change("c1-c2", {"rate_bps": 50e9}, {"rate_bps": 50e9})
    found = state(PLAN, [planned(changes=(change,))])
    assert [shape.rate_bps for shape in found.shapes.values()] == [0.5e9, 0.5e9]


def test_of_two_changes_the_one_that_began_last_counts() -> None:
    first = planned(changes=(Change("c1-c2", {"loss": 0.1, "jitter_s": 1e-6}),))
    last = planned(changes=(Change("c1-c2", {"loss": 0.2}),))
    shape = state(PLAN, [first, last]).shapes[LINK.a.interface]
    assert (shape.loss, shape.jitter_s) == (0.2, 1e-6)


def test_a_longer_delay_line_has_room_for_what_is_then_in_flight() -> None:
    found = state(PLAN, [planned(changes=(Change("c1-c2", {"delay_s": 10e-3}),))])
    more_packets = 1e9 * (10e-3 - 100e-6) / (8 * PLAN.frame_bytes)
    shape = found.shapes[LINK.a.interface]
    assert shape.limit_packets == LINK.a.shape.limit_packets + math.ceil(more_packets)


def test_nothing_on_is_nothing_changed() -> None:
    assert state(PLAN, []) == type(state(PLAN, []))()


def test_a_plan_with_a_timeline_survives_json() -> None:
    change = Change("c1-c2", {"loss": 0.2}, {"rate_bps": 1e9})
    event = planned(
        Timing(1.0, mtbf_s=3.0, mttr_s=1.0), changes=(change,), hosts_down=("c1-h100-1",)
    )
    plan = dataclasses.replace(PLAN, timeline=(event,))
    assert from_json(json.loads(json.dumps(plan.to_json()))).timeline == (event,)


SLOW = plan_of(
    "campuses:\n"
    "  c1: {hosts: [{count: 1, accelerator: H100}]}\n"
    "  c2: {hosts: [{count: 1, accelerator: H100}]}\n"
    "links: {c1-c2: {between: [c1, c2], delay: 100us, rate: 400G, member: 100G, noticed-after: 900ms}}\n"
    "timeline:\n"
    "  - {event: link-down, link: c1-c2, at: 2s, for: 5s}\n"
    "  - {event: link-flap, link: c1-c2, at: 10s, for: 20ms, times: 2}\n"
)


def test_until_a_cut_is_noticed_its_ends_lose_all_and_then_they_are_down() -> None:
    found = [
        (at, state(SLOW, known(SLOW, on, at)))
        for at, on in takewhile(lambda one: one[0] < 9 * SECOND, moments(SLOW.timeline, 1))
    ]
    assert [at for at, _ in found] == [2 * SECOND, 2_900_000_000, 7 * SECOND]
    ends = {end.interface for wire in SLOW.long_hauls() for end in wire.ends}
    (_, cut), (_, noticed), (_, over) = found
    assert len(ends) == 8
    assert (set(cut.shapes), cut.down) == (ends, frozenset())
    assert {shape.loss for shape in cut.shapes.values()} == {1.0}
    assert not noticed.shapes
    assert noticed.down == ends
    assert (over.shapes, over.down) == ({}, frozenset())


def test_what_is_over_before_it_is_noticed_takes_nothing_down() -> None:
    late = [one for one in moments(SLOW.timeline, 1) if one[0] >= 10 * SECOND]
    assert len(late) == 4
    assert all(not state(SLOW, known(SLOW, on, at)).down for at, on in late)
