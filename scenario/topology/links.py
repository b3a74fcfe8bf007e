"""A written long-haul link to what its two directions do to packets: said, else physics and age."""

from __future__ import annotations

import math

from scenario.text.tree import Problems, Steps
from scenario.text.units import RATE, YEAR_S, write
from scenario.topology.aging import Aged, Span, aged, oldest_age_s
from scenario.topology.geography import length_m, light_delay_s
from scenario.topology.impaired import WRITTEN, said
from scenario.topology.models import Effects, Link, TopologyModel
from scenario.types.topology import Direction, LongHaul

# A link that loses more than this is down, whatever its rate.
MOST_LOSS = 0.5
MOST_MEMBERS = 64
"""Open vSwitch hashes into at most 64 slots in its data plane."""
# Less than one packet in a billion: no run is long enough to meet it.
NEGLIGIBLE_LOSS = 1e-9

IS_DOWN = "a link this old is down"
"""How the complaint about one begins; studies take it for an answer."""


def long_haul(name: str, written: TopologyModel, problems: Problems) -> LongHaul:
    """The link by that name. One too old to carry anything is added to `problems`."""
    link = written.links[name]
    distance_m = length_m(link, *(written.campuses[end] for end in link.between))
    forward, backward = directions(link, distance_m, link.age, written.mtu)
    _check_carried(("links", name), forward, backward, written, problems)
    check_alive(("links", name, "age"), link, distance_m, (link.age, written.mtu), problems)
    members = _members(link)
    if members > MOST_MEMBERS:
        problems.add(
            ("links", name, "member"), f"a bundle of {members} members", f"at most {MOST_MEMBERS}"
        )
    return LongHaul(
        name=name,
        a=link.between[0],
        b=link.between[1],
        distance_m=distance_m,
        age_s=link.age,
        condition=link.condition,
        forward=forward,
        backward=backward,
        medium=link.medium,
        rate_share=aged(_span(link, distance_m, link.age), link.aging, written.mtu).rate_share,
        members=members,
        noticed_s=link.noticed_after,
        generation=link.generation,
    )


def directions(
    link: Link, distance_m: float, age_s: float, mtu: int
) -> tuple[Direction, Direction]:
    """What the link does to packets at an age: from its first campus to the second, and back."""
    state = aged(_span(link, distance_m, age_s), link.aging, mtu)
    return (
        _direction(link, link.forward, distance_m, state),
        _direction(link, link.backward, distance_m, state),
    )


def check_alive(
    steps: Steps, link: Link, distance_m: float, at: tuple[float, int], problems: Problems
) -> None:
    """Complain where age alone takes the link down; `at` is the age in seconds, and the MTU."""
    span = _span(link, distance_m, at[0])
    lost = aged(span, link.aging, at[1]).packet_loss
    if lost <= MOST_LOSS or all(way.loss <= MOST_LOSS for way in directions(link, distance_m, *at)):
        return
    oldest_s = oldest_age_s(span, link.aging, MOST_LOSS, at[1])
    oldest = math.floor(10 * oldest_s / YEAR_S) / 10
    message = f"{IS_DOWN}: it loses {lost:.0%} of its packets"
    hint = "less age, more margin, a drier cable" + (", or `aging: step`" * (link.aging == "loss"))
    problems.add(steps, message, f"an age under {oldest:g}y for this span", hint)


def _check_carried(
    steps: Steps,
    forward: Direction,
    backward: Direction,
    written: TopologyModel,
    problems: Problems,
) -> None:
    """Complain of a link that at this scale takes more than a second for a packet: nothing can be measured over it."""
    least_bps = 8 * written.mtu * written.scale.bytes
    rate_bps = min(forward.rate_bps, backward.rate_bps)
    if rate_bps < least_bps:
        carried = write(rate_bps / written.scale.bytes, RATE)
        message = f"too slow to carry anything: {carried} after dividing by `scale.bytes`"
        expected = (
            f"at least {write(least_bps, RATE)}: a packet of {written.mtu:,} bytes in a second"
        )
        problems.add((*steps, "rate"), message, expected)


def nominal_bps(link: Link, way: Effects) -> float:
    """The rate of a direction when the link was new."""
    return _first(way.rate, link.rate, 0.0)


def _members(link: Link) -> int:
    """As many as the faster direction takes."""
    fastest_bps = max(nominal_bps(link, link.forward), nominal_bps(link, link.backward))
    return math.ceil(fastest_bps / link.member - 1e-9) if link.member else 1


def _span(link: Link, distance_m: float, age_s: float) -> Span:
    return Span(distance_m, age_s, link.condition, link.margin, link.technology)


def _direction(link: Link, way: Effects, distance_m: float, state: Aged) -> Direction:
    """What is said of the direction, else of the link, else by physics and age."""
    modelled_loss = state.packet_loss if state.packet_loss >= NEGLIGIBLE_LOSS else 0.0
    impairments = {"loss": modelled_loss} | said(way, link, fields=WRITTEN)
    return Direction(
        rate_bps=nominal_bps(link, way) * state.rate_share,
        delay_s=_first(way.delay, link.delay, light_delay_s(distance_m, link.medium)),
        queue_bytes=way.queue if way.queue is not None else link.queue,
        **impairments,
    )


def _first(*choices: float | None) -> float:
    """The first choice that was made."""
    return next(choice for choice in choices if choice is not None)
