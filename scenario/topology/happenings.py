"""The written timeline to events: each with all that it does to links, hosts and the controller.

Links' own `flaps` become events too. What makes no sense (a host that is not there, an event that
changes nothing) is added to the problems.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scenario.text.tree import Problems, Steps
from scenario.topology.degradation import degrade, rate_step
from scenario.topology.drift import drift
from scenario.topology.models import TopologyModel
from scenario.topology.scene import Scene, listed
from scenario.topology.timeline import (
    Crash,
    Degrade,
    Drift,
    EventModel,
    LinkDown,
    LinkFlap,
    PowerLoss,
    RateStep,
    Throttle,
)
from scenario.topology.timing import timing
from scenario.types.topology import Event, Timing

MOST_AGED = 20_000
"""Links times steps, of all drifts: each is the aging model asked once, some 0.2 ms."""


def happenings(scene: Scene) -> tuple[Event, ...]:
    """All events: links' own flaps first, then the timeline in its order."""
    events = list(_flaps(scene.written))
    counts: dict[str, int] = {}
    aged = 0
    for index, event in enumerate(scene.written.timeline):
        steps = ("timeline", index)
        if isinstance(event, Drift):
            aged += event.steps * len(scene.links_like(event.link))
            if aged > MOST_AGED:
                _too_much(scene.problems, (*steps, "steps"))
                break
        counts[event.event] = counts.get(event.event, 0) + 1
        name = event.name or f"{event.event}-{counts[event.event]}"
        made = _events(scene, steps, name, event)
        _check_names(steps, made, events, scene.problems)
        events += made
    return tuple(events)


def _too_much(problems: Problems, steps: Steps) -> None:
    message = "so many links age in so many steps that nobody would wait for it"
    hint = "fewer steps, or fewer links"
    problems.add(
        steps, message, f"at most {MOST_AGED:,} in all: links times steps, of all drifts", hint
    )


def _flaps(written: TopologyModel) -> Iterator[Event]:
    for name, link in written.links.items():
        if link.flaps:
            when = Timing(mtbf_s=link.flaps.mtbf, mttr_s=link.flaps.mttr)
            yield Event(f"flaps-{name}", "link-flap", f"link {name} down", when, (name,))


def _check_names(
    steps: Steps, made: Sequence[Event], others: Sequence[Event], problems: Problems
) -> None:
    taken = {event.name for event in others}
    for name in [event.name for event in made if event.name in taken][:1]:
        problems.add((*steps, "name"), f"a second event called {name}", "a name of its own")


def _events(scene: Scene, steps: Steps, name: str, event: EventModel) -> list[Event]:
    """What is written at `steps` as events: one, but for a drift."""
    if isinstance(event, Drift):
        return list(drift(scene, steps, name, event))
    return [_event(scene, steps, name, event)]


def _event(scene: Scene, steps: Steps, name: str, event: EventModel) -> Event:
    assert not isinstance(event, Drift)
    when = timing(steps, event, scene.problems)
    match event:
        case Degrade():
            says, changes = degrade(scene, steps, event)
            return Event(name, event.event, says, when, changes=changes)
        case RateStep():
            says, changes = rate_step(scene, steps, event)
            return Event(name, event.event, says, when, changes=changes)
        case LinkDown() | LinkFlap():
            return _dark(scene, name, event, when)
        case PowerLoss():
            return _power_loss(scene, name, event, when)
        case Throttle() | Crash():
            return _on_hosts(scene, steps, (name, when), event)
    return Event(name, event.event, "controller down", when, controller_down=True)


def _dark(scene: Scene, name: str, event: LinkDown | LinkFlap, when: Timing) -> Event:
    links = tuple(link.name for link in scene.links_like(event.link))
    says = f"{listed('link', links, event.link)} down"
    return Event(name, event.event, says, when, links_down=links)


def _power_loss(scene: Scene, name: str, event: PowerLoss, when: Timing) -> Event:
    says = f"campus {event.campus} without power"
    dark, off = scene.links_of(event.campus), scene.hosts_of(event.campus)
    return Event(name, event.event, says, when, links_down=dark, hosts_down=off)


def _on_hosts(
    scene: Scene, steps: Steps, named: tuple[str, Timing], event: Throttle | Crash
) -> Event:
    """`named`: the event's name and when it happens."""
    name, when = named
    hosts = scene.hosts(steps, event)
    where = f"campus {event.campus}" if event.campus else listed("host", hosts, event.hosts or "")
    if isinstance(event, Crash):
        return Event(name, event.event, f"{where} down", when, hosts_down=hosts)
    says = f"{where}: compute takes {event.slowdown:g} times as long"
    return Event(name, event.event, says, when, slowed=hosts, slowdown=event.slowdown)
