"""What happens to a running fabric, and when: pure, from the topology's timeline and the run's seed.

A planned event says which interfaces, hosts and shapes it holds in another state. `moments` turns
all of them into instants in their order, each with the events that are on from then on; `state`
says what the fabric must then look like. So whoever carries it out only applies differences, and
events may overlap.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from scenario.plan.types import Plan, PlannedEvent, Shape


@dataclass(frozen=True)
class Occurrence:
    """An event on, from `begin_ns` to before `end_ns` (None: to the end of the run), on the run's
    clock; `event` is its index in the timeline. From `noticed_ns` on the fabric knows of it (None: at once)."""

    begin_ns: int
    event: int
    end_ns: int | None
    noticed_ns: int | None = None


def moments(
    timeline: Sequence[PlannedEvent], seed: int
) -> Iterator[tuple[int, tuple[Occurrence, ...]]]:
    """Each instant (ns) at which something begins, is noticed or ends, with all that is on from then on.

    In order, and without end where an event recurs. Chance is drawn from the seed and the event's
    name: one event more changes nothing about the others.
    """
    begins = heapq.merge(
        *(_occurrences(index, event, seed) for index, event in enumerate(timeline)),
        key=lambda occurrence: occurrence.begin_ns,
    )
    upcoming = next(begins, None)
    on: list[Occurrence] = []
    now = -1
    while upcoming or any(_turns(occurrence, now) for occurrence in on):
        turns = [turn for occurrence in on for turn in _turns(occurrence, now)]
        now = min([*turns, *([upcoming.begin_ns] if upcoming else [])])
        on = [occurrence for occurrence in on if occurrence.end_ns != now]
        while upcoming and upcoming.begin_ns == now:
            on.append(upcoming)
            upcoming = next(begins, None)
        yield now, tuple(on)


def _turns(occurrence: Occurrence, now: int) -> list[int]:
    """The instants after `now` at which something changes about it."""
    instants = (occurrence.noticed_ns, occurrence.end_ns)
    return [one for one in instants if one is not None and one > now]


def known(plan: Plan, on: Iterable[Occurrence], now: int) -> list[PlannedEvent]:
    """The events of what is on at an instant, each as far as the fabric has noticed it."""
    found = []
    for one in on:
        event = plan.timeline[one.event]
        hidden = one.noticed_ns is not None and now < one.noticed_ns
        found.append(event.before_noticed() if hidden else event)
    return found


def _occurrence(
    index: int, event: PlannedEvent, begin_s: float, lasts_s: float | None
) -> Occurrence:
    begin = _ns(begin_s)
    end = None if lasts_s is None else max(_ns(begin_s + lasts_s), begin + 1)
    noticed = begin + _ns(event.noticed_after_s)
    return Occurrence(begin, index, end, noticed if event.noticed_after_s else None)


def _occurrences(index: int, event: PlannedEvent, seed: int) -> Iterator[Occurrence]:
    """One event's outages, in their order."""
    timing = event.timing
    chance = random.Random(f"{seed}/{event.name}")
    begin_s = timing.first_s
    if timing.mtbf_s:
        begin_s += chance.expovariate(1 / timing.mtbf_s)
    while True:
        at_s: float = begin_s
        for _ in range(timing.times):
            lasts_s = timing.lasts_s
            if timing.mttr_s:
                lasts_s = chance.expovariate(1 / timing.mttr_s)
            if lasts_s is None:
                yield _occurrence(index, event, at_s, None)
                return
            yield _occurrence(index, event, at_s, lasts_s)
            at_s += lasts_s + timing.pause_s
        if timing.every_s:
            begin_s += timing.every_s
        elif timing.mtbf_s:
            begin_s = at_s - timing.pause_s + chance.expovariate(1 / timing.mtbf_s)
        else:
            return


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)


@dataclass(frozen=True)
class State:
    """What of a fabric is otherwise than planned: interfaces that are down, shapes by interface,
    how many times as long a host's compute takes (infinity: it is off), whether the controller is
    down."""

    down: frozenset[str] = frozenset()
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    slowdowns: Mapping[str, float] = field(default_factory=dict)
    controller_down: bool = False


def state(plan: Plan, on: Iterable[PlannedEvent]) -> State:
    """The fabric's state with these events on. Where several change the same field of a shape the
    last one counts; slowdowns multiply."""
    events = list(on)
    fields: dict[str, dict[str, float]] = {}
    slowdowns: dict[str, float] = {}
    for event in events:
        for interface, changed in event.changes.items():
            fields.setdefault(interface, {}).update(changed)
        for host in event.slowed:
            slowdowns[host] = slowdowns.get(host, 1.0) * event.slowdown
        slowdowns |= dict.fromkeys(event.off, math.inf)
    planned = {end.interface: end.shape for link in plan.wires for end in link.ends}
    return State(
        down=frozenset(interface for event in events for interface in event.down),
        shapes={name: _reshaped(plan, planned[name], fields[name]) for name in fields},
        slowdowns=slowdowns,
        controller_down=any(event.controller_down for event in events),
    )


def _reshaped(plan: Plan, shape: Shape, fields: Mapping[str, float]) -> Shape:
    """A shape with some fields changed, and room for what is then in flight beside its queue."""
    changed = replace(shape, **fields)  # type: ignore[arg-type]
    more = _in_flight(plan, changed) - _in_flight(plan, shape)
    return replace(changed, limit_packets=shape.limit_packets + max(0, math.ceil(more)))


def _in_flight(plan: Plan, shape: Shape) -> float:
    return shape.rate_bps * (shape.delay_s + shape.jitter_s) / (8 * plan.frame_bytes)
