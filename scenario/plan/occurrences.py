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
    clock; `event` is its index in the timeline."""

    begin_ns: int
    event: int
    end_ns: int | None


def moments(
    timeline: Sequence[PlannedEvent], seed: int
) -> Iterator[tuple[int, tuple[Occurrence, ...]]]:
    """Each instant (ns) at which something begins or ends, with all that is on from then on.

    In order, and without end where an event recurs. Chance is drawn from the seed and the event's
    name: one event more changes nothing about the others.
    """
    begins = heapq.merge(
        *(_occurrences(index, event, seed) for index, event in enumerate(timeline)),
        key=lambda occurrence: occurrence.begin_ns,
    )
    upcoming = next(begins, None)
    on: list[Occurrence] = []
    while upcoming or any(occurrence.end_ns is not None for occurrence in on):
        ends = [occurrence.end_ns for occurrence in on if occurrence.end_ns is not None]
        now = min([*ends, *([upcoming.begin_ns] if upcoming else [])])
        on = [occurrence for occurrence in on if occurrence.end_ns != now]
        while upcoming and upcoming.begin_ns == now:
            on.append(upcoming)
            upcoming = next(begins, None)
        yield now, tuple(on)


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
                yield Occurrence(_ns(at_s), index, None)
                return
            yield Occurrence(_ns(at_s), index, max(_ns(at_s + lasts_s), _ns(at_s) + 1))
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
