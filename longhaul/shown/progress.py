"""What a run is doing, on one line of the terminal that is gone at the end (plain lines elsewhere)."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.text import Text

from scenario.plan.coarseness import warnings

PHASES = {
    "hosts": "starting hosts",
    "switches": "starting switches",
    "network": "building the fabric",
    "routes": "installing routes",
    "up": "starting up",
    "fidelity": "checking fidelity: delay, rate and loss of every long-haul link",
    "workload": "replaying the workload",
    "closing": "stopping the fabric",
    "analysis": "analysing",
}


@contextmanager
def shown(*, quiet: bool = False) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A function that takes a run's progress, and shows it on standard error; `quiet`: and does not."""
    console = Console(stderr=True, highlight=False, quiet=quiet, markup=False)
    with console.status("reading", spinner="line") as status:
        totals: dict[str, int] = {}
        told, paces = Told(), defaultdict[str, Pace](Pace)

        def hear(message: dict[str, Any]) -> None:
            if "plan" in message:
                totals.update(iterations(message["workloads"]))
                console.print(opening(message))
                for found in warnings(message["plan"]):
                    console.print(f"warning: {found}", style="yellow")
            elif "phase" in message:
                status.update(PHASES.get(message["phase"], message["phase"]))
            elif "event" in message:
                if line := told.of(message):
                    console.print(line)
            elif "iteration" in message:
                name, done = message["workload"], message["iteration"] + 1
                left = paces[name].left(done, totals[name])
                status.update(f"replaying {name}: iteration {done} of {totals[name]}{left}")

        yield hear


class Pace:
    """How long the rest will take, from how long the last ones took; the first ones set the clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began: tuple[int, float] | None = None

    def left(self, done: int, total: int) -> str:
        """`, about 12 s left`; nothing while nobody can tell."""
        now = self._clock()
        if self._began is None:
            self._began = (done, now)
        first, began = self._began
        if done == first or done >= total:
            return ""
        left_s = (now - began) / (done - first) * (total - done)
        return f", about {_roughly(left_s)} left"


def _roughly(seconds: float) -> str:
    """As people say it: 12 s, 4 min, 2.5 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


class Told:
    """What has been said of the timeline: of an event that comes again and again, the first time."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, bool]] = set()

    def of(self, message: dict[str, Any]) -> str | None:
        """The line for an event that begins or ends; None where it has been said before."""
        key = message["event"], message["begins"]
        if key in self._seen:
            return None
        self._seen.add(key)
        return f"  {message['event']}: {message['says']}{'' if message['begins'] else ' no more'}"


def iterations(workloads: list[dict[str, Any]]) -> dict[str, int]:
    """How many iterations each workload will have, of those that have any; the warm-up among them."""
    return {
        one["name"]: one.get("warmup", 0) + one["iterations"]
        for one in workloads
        if "iterations" in one
    }


def opening(message: dict[str, Any]) -> Text:
    """What is about to run, and where."""
    plan, machine = message["plan"], message["machine"]
    campuses = ", ".join(f"{c['name']} ({len(c['hosts'])})" for c in plan.campuses)
    place = {
        "uml": f"a User-Mode Linux {machine.kernel} guest",
        "native": f"this machine's kernel {machine.kernel}",
    }[machine.name]
    return Text.assemble(
        (plan.name, "bold"),
        f": {len(plan.hosts)} hosts in {campuses}\n"
        f"in {machine.time} time, on {place} ({machine.why})",
    )


@contextmanager
def counted(what: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A function that takes how many are done, and of how many, and shows it on standard error."""
    console = Console(stderr=True, highlight=False, quiet=quiet, markup=False)
    pace = Pace()
    with console.status(f"{what}: counting", spinner="line") as status:
        yield lambda done, total: status.update(
            f"{what}: {done} of {total} done{pace.left(done, total)}"
        )
