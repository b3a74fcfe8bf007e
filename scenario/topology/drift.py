"""A link that ages during a run: the aging model asked again at every step, one event per step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from scenario.text.tree import Steps
from scenario.text.units import AGE, YEAR_S, write
from scenario.topology.links import check_alive, directions
from scenario.topology.models import Link
from scenario.topology.scene import Scene, listed
from scenario.topology.timeline import Drift
from scenario.types.topology import Change, Direction, Event, LongHaul, Timing


def drift(scene: Scene, steps: Steps, name: str, event: Drift) -> Iterator[Event]:
    """Those steps of a drift in which a link differs from what it is without.

    Step i of n begins when i/n of the time is over, so that a link is never older than it should
    be; the last one lasts. What makes no sense is added to the scene's problems.
    """
    links = scene.links_like(event.link)
    for link in links:
        _check(scene, steps, event, link)
    if scene.problems.found:
        return
    where = listed("link", [link.name for link in links], event.link)
    nothing = True
    for index in range(1, event.steps + 1):
        share = index / event.steps
        changes = [_aged(scene, link, share, event.to_age) for link in links]
        kept = tuple(change for change in changes if change.forward or change.backward)
        if kept:
            nothing = False
            says = f"{where}: {_years(links, event, share)}"
            when = _timing(event, index)
            yield Event(f"{name}-step-{index}", event.event, says, when, changes=kept)
    if nothing:
        expected = "an age at which this span loses packets, or steps down"
        hint = "more age, less margin, a damper cable"
        scene.problems.add((*steps, "to-age"), "an event that changes nothing", expected, hint)


def _timing(event: Drift, index: int) -> Timing:
    length_s = event.lasts / event.steps
    last = index == event.steps
    return Timing(first_s=event.at + index * length_s, lasts_s=None if last else length_s)


def _check(scene: Scene, steps: Steps, event: Drift, link: LongHaul) -> None:
    """Complain of a link that cannot age so."""
    said, mtu = scene.written.links[link.name], scene.written.mtu
    if event.to_age <= link.age_s:
        message = f"link {link.name} is as old as that already"
        expected = f"more than its age, {write(link.age_s, AGE)}"
        scene.problems.add((*steps, "to-age"), message, expected)
    elif link.medium == "hollow-core":
        message = "how hollow-core fibre ages is not known"
        scene.problems.add((*steps, "link"), message, "a link of `medium: fibre`")
    elif _given(said):
        message = f"age changes nothing about link {link.name}: its `loss` is given"
        hint = "leave its `loss` out, or use `degrade`"
        expected = "a link whose loss follows from its age"
        scene.problems.add((*steps, "link"), message, expected, hint)
    else:
        at = (event.to_age, mtu)
        check_alive((*steps, "to-age"), said, link.distance_m, at, scene.problems)


def _given(link: Link) -> bool:
    """Whether the file says the loss of both directions, so that age changes nothing."""
    ways = (link.forward, link.backward)
    said = all(way.loss is not None or link.loss is not None for way in ways)
    return link.aging == "loss" and said


def _aged(scene: Scene, link: LongHaul, share: float, to_age_s: float) -> Change:
    """What differs from the link as it is when `share` of the way to the age is gone."""
    age_s = _age_s(link, share, to_age_s)
    written = scene.written
    forward, backward = directions(written.links[link.name], link.distance_m, age_s, written.mtu)
    return Change(
        link.name, _difference(link.forward, forward), _difference(link.backward, backward)
    )


def _age_s(link: LongHaul, share: float, to_age_s: float) -> float:
    return link.age_s + share * (to_age_s - link.age_s)


def _difference(now: Direction, then: Direction) -> dict[str, float]:
    before = asdict(now)
    return {key: value for key, value in asdict(then).items() if value != before[key]}


def _years(links: tuple[LongHaul, ...], event: Drift, share: float) -> str:
    """`22.5 years old`; `20 to 22.5 years old`."""
    ages_s = [_age_s(link, share, event.to_age) for link in links]
    shown = dict.fromkeys(f"{age_s / YEAR_S:.3g}" for age_s in (min(ages_s), max(ages_s)))
    return f"{' to '.join(shown)} years old"
