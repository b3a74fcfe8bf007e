"""Has the timeline happen to a running fabric, each event at its own instant of the fabric's clock.

The plan's `moments` say when, `state` says what the fabric must then be, `effects` makes it so. What
has happened goes to `timeline.json` of the run folder. On Mininet's command line a person decides
when: `ByHand`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from longhaul.inside.effects import FabricState, Order
from longhaul.inside.stage import Stage
from scenario.plan.occurrences import Occurrence, known, moments, state
from scenario.plan.types import Plan, PlannedEvent
from traffic.host.timers import Timer

FILE = "timeline.json"


@contextmanager
def happening(fabric: Stage, start_ns: int, order: Order) -> Iterator[TimelineRunner]:
    """The plan's timeline, its zero at `start_ns`; acts whenever its file descriptor is readable.

    On leaving, `timeline.json` says what has happened. Times in it are those at which it was done: in
    virtual time the planned ones, later by the few nanoseconds that looking at a clock takes.
    """
    timeline = TimelineRunner(fabric, start_ns, order)
    try:
        yield timeline
    finally:
        text = json.dumps(timeline.history(), indent=1, ensure_ascii=False)
        (fabric.folder / FILE).write_text(text)


@dataclass
class _Happened:
    begin_ns: int
    end_ns: int | None = None


class TimelineRunner:
    """Carries out the moments of a plan's timeline."""

    def __init__(self, fabric: Stage, start_ns: int, order: Order) -> None:
        self._fabric = fabric
        self._plan: Plan = fabric.plan
        self._start_ns = start_ns
        self._effects = FabricState(fabric, order)
        self._on: tuple[Occurrence, ...] = ()
        self._happened: dict[Occurrence, _Happened] = {}
        self._timer = Timer()
        self._moments = moments(self._plan.timeline, fabric.job.seed)
        self._upcoming = next(self._moments, None)
        self._wind()

    def fileno(self) -> int:
        """For selectors."""
        return self._timer.fd

    def act(self) -> None:
        """Do what is due, and set the timer for what comes next."""
        self._timer.went_off()
        assert self._upcoming
        now, on = self._upcoming
        self._note(on)
        self._effects.become(state(self._plan, known(self._plan, on, now)))
        self._upcoming = next(self._moments, None)
        self._wind()

    def history(self) -> list[dict[str, Any]]:
        """What has happened, in its order. `end_ns` is None of what was still on at the end."""
        return [
            {
                "name": event.name,
                "kind": event.kind,
                "says": event.says,
                "begin_ns": happened.begin_ns,
                "end_ns": happened.end_ns,
                "targets": {"links": event.links, "hosts": event.hosts},
            }
            for occurrence, happened in self._happened.items()
            for event in [self._plan.timeline[occurrence.event]]
        ]

    def _wind(self) -> None:
        if self._upcoming:
            self._timer.set(self._start_ns + self._upcoming[0])

    def _note(self, on: tuple[Occurrence, ...]) -> None:
        now_ns = time.monotonic_ns() - self._start_ns
        for occurrence in on:
            if occurrence not in self._happened:
                self._happened[occurrence] = _Happened(now_ns)
                self._tell(occurrence, begins=True)
        for occurrence in self._on:
            if occurrence not in on:
                self._happened[occurrence].end_ns = now_ns
                self._tell(occurrence, begins=False)
        self._on = on

    def _tell(self, occurrence: Occurrence, *, begins: bool) -> None:
        event = self._plan.timeline[occurrence.event]
        self._fabric.tell(event=event.name, says=event.says, begins=begins)


class ByHand:
    """The timeline's events, begun and ended by a person, in any order."""

    def __init__(self, fabric: Stage) -> None:
        self._plan: Plan = fabric.plan
        self._effects = FabricState(fabric, order=lambda *_: None)
        self._on: list[PlannedEvent] = []

    def lines(self) -> Iterator[str]:
        """A line for each event: whether it is on, its name, what it is."""
        for event in self._plan.timeline:
            yield f"{'on ' if event in self._on else 'off'}  {event.name}  {event.says}"

    def begin(self, name: str) -> None:
        """Have it happen. Raises LookupError for a name that no event has."""
        event = self._named(name)
        self._set([*(other for other in self._on if other != event), event])

    def end(self, name: str) -> None:
        """Have it be over. Raises LookupError."""
        event = self._named(name)
        self._set([other for other in self._on if other != event])

    def replan(self, plan: Plan) -> int:
        """Have all links be as another plan of the same wires says; events that are on stay on. How many ends
        changed."""
        names = [event.name for event in self._on]
        self._plan = plan
        self._on = [event for event in plan.timeline if event.name in names]
        return self._effects.replan(plan, state(plan, self._on))

    def _named(self, name: str) -> PlannedEvent:
        for event in self._plan.timeline:
            if event.name == name:
                return event
        raise LookupError(f"the timeline has no event {name!r}")

    def _set(self, on: list[PlannedEvent]) -> None:
        self._on = on
        self._effects.become(state(self._plan, on))
