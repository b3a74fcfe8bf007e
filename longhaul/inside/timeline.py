"""Has the timeline happen to a running fabric, each event at its own instant of the fabric's clock.

The plan's `moments` say when, `state` says what the fabric must then be; here is only what sets
interfaces down and up, gives links another shape, tells hosts to compute slower or not at all, and
ends the controller. What has happened goes to `timeline.json` of the run folder.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from longhaul.fabric import netlink
from longhaul.fabric.plan import Plan
from longhaul.fabric.timeline import Occurrence, State, moments, state
from longhaul.inside.stage import Stage
from traffic.agent import Timer

FILE = "timeline.json"
Order = Callable[[str, float | None], None]
"""Tells a host how many times as long its compute takes from now on; None: it is off."""


@contextmanager
def happening(fabric: Stage, start_ns: int, order: Order) -> Iterator[Timeline]:
    """The plan's timeline, its zero at `start_ns`; acts whenever its file descriptor is readable.

    On leaving, `timeline.json` says what has happened. Times in it are those at which it was done: in
    virtual time the planned ones, later by the few nanoseconds that looking at a clock takes.
    """
    timeline = Timeline(fabric, start_ns, order)
    try:
        yield timeline
    finally:
        text = json.dumps(timeline.history(), indent=1, ensure_ascii=False)
        (fabric.folder / FILE).write_text(text)


@dataclass
class _Happened:
    begin_ns: int
    end_ns: int | None = None


class Timeline:
    """Carries out the moments of a plan's timeline."""

    def __init__(self, fabric: Stage, start_ns: int, order: Order) -> None:
        self._fabric = fabric
        self._plan: Plan = fabric.plan
        self._start_ns = start_ns
        self._order = order
        self._seed: int = fabric.job["seed"]
        self._ends = {end.interface: end for link in self._plan.links for end in link.ends}
        self._state = State()
        self._on: tuple[Occurrence, ...] = ()
        self._happened: dict[Occurrence, _Happened] = {}
        self._timer = Timer()
        self._moments = moments(self._plan.timeline, self._seed)
        self._upcoming = next(self._moments, None)
        self._wind()

    def fileno(self) -> int:
        """For selectors."""
        return self._timer.fd

    def act(self) -> None:
        """Do what is due, and set the timer for what comes next."""
        self._timer.went_off()
        assert self._upcoming
        at_ns, on = self._upcoming
        self._note(on)
        events = [self._plan.timeline[occurrence.event] for occurrence in on]
        self._become(state(self._plan, events), at_ns)
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

    def _become(self, wanted: State, at_ns: int) -> None:
        """Apply whatever differs from the state before."""
        before, self._state = self._state, wanted
        requests = netlink.Requests()
        self._shape(requests, before, at_ns)
        for interface in sorted(before.down ^ wanted.down):
            change = requests.down if interface in wanted.down else requests.up
            change(self._ends[interface].index)
        requests.send()
        for host in sorted({*before.slowdowns, *wanted.slowdowns}):
            slowdown = wanted.slowdowns.get(host, 1.0)
            if slowdown != before.slowdowns.get(host, 1.0):
                self._order(host, None if math.isinf(slowdown) else slowdown)
        if wanted.controller_down and not before.controller_down:
            self._fabric.controller.kill()
        if before.controller_down and not wanted.controller_down:
            self._fabric.controller.start()

    def _shape(self, requests: netlink.Requests, before: State, at_ns: int) -> None:
        """Every change has a seed of its own: else each would lose the same packets again."""
        for interface in sorted({*before.shapes, *self._state.shapes}):
            end = self._ends[interface]
            shape = self._state.shapes.get(interface, end.shape)
            if shape != before.shapes.get(interface, end.shape):
                requests.shape(interface, end.index, shape, f"{self._seed}/{at_ns}")
