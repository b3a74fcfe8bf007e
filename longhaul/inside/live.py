"""A fabric that somebody outside works in: `asked-N.json` of the run folder comes in, `answer-N.json` goes out.

What a line of Mininet's command line says goes to `said-N.txt` as it comes; `interrupt-N` ends a command on a host.

While nothing is asked, virtual time stands still: the wait for the next request never sleeps, and what never sleeps
takes no virtual time. Whoever asks stops the guest's process meanwhile, so that the wait takes no CPU either.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from longhaul.emulation import build
from longhaul.inside import beside
from longhaul.inside.happening import ByHand
from longhaul.inside.letters import ANSWER, ASKED, HOST, INTERRUPT
from longhaul.inside.stage import Stage
from longhaul.machine.init import SYSTEM
from scenario.errors import LonghaulError
from scenario.plan.types import from_json

LOOK_EVERY_S = 0.01


@dataclass(frozen=True)
class Workplace:
    """What somebody works with: the fabric, the timeline's events, Mininet's command line."""

    fabric: Stage
    events: ByHand
    prompt: build.CommandLine


def live(fabric: Stage) -> int:
    """Answer until the guest is ended."""
    build.impair(fabric.plan, fabric.job.seed)
    if SYSTEM.is_dir():
        for host in fabric.net.hosts:
            host.for_people(beside.here)
    events = ByHand(fabric)
    place = Workplace(
        fabric, events, build.CommandLine(fabric.net, events, lambda: _interrupted(fabric))
    )
    for number in count():
        fabric.tell(waiting=number)
        request = _awaited(fabric, fabric.folder / ASKED.format(number))
        try:
            found = {"answer": DEEDS[request["do"]](place, request)}
        except (
            LookupError,
            AttributeError,
            TypeError,
            ValueError,
            OSError,
            LonghaulError,
        ) as wrong:
            found = {"error": f"{type(wrong).__name__}: {wrong}"}
        (fabric.folder / ANSWER.format(number)).write_text(json.dumps(found, default=repr))
    raise AssertionError("there is always another number")


def _interrupted(fabric: Stage) -> bool:
    """Whether somebody wants the command that runs to end; asked once, it is forgotten."""
    asked = fabric.folder / INTERRUPT
    if not asked.exists():
        return False
    asked.unlink()
    return True


def _awaited(fabric: Stage, path: Path) -> dict[str, Any]:
    """The next request; in virtual time, without any passing."""
    virtual = fabric.job.time == "virtual"
    while not path.exists():
        if virtual:
            os.sched_yield()
        else:
            time.sleep(LOOK_EVERY_S)
    request: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return request


def _command(place: Workplace, request: dict[str, Any]) -> str:
    """What a shell command says on a host."""
    return str(place.fabric.net[request[HOST]].by_hand.cmd(request["text"]))


def _line(place: Workplace, request: dict[str, Any]) -> None:
    """Carry out a line of Mininet's command line."""
    with _said_to(place.fabric.folder / request["said"]):
        place.prompt.carry_out(request["text"])


@contextmanager
def _said_to(path: Path) -> Iterator[None]:
    """All that we and our children say goes to a file meanwhile."""
    kept = [os.dup(number) for number in (1, 2)]
    with path.open("ab", buffering=0) as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, handle in zip((1, 2), kept, strict=True):
            os.dup2(handle, number)
            os.close(handle)


def _call(place: Workplace, request: dict[str, Any]) -> Any:
    """What a method of the Mininet object, or of one of its hosts, returns."""
    net = place.fabric.net
    thing = net[request[HOST]] if HOST in request else net
    found = getattr(thing, request["name"])
    arguments = [_argument(place.fabric, one) for one in request["arguments"]]
    named = {name: _argument(place.fabric, one) for name, one in request["named"].items()}
    return found(*arguments, **named)


def _argument(fabric: Stage, given: Any) -> Any:
    """An argument as it was meant: a host by its name, lists element by element."""
    if isinstance(given, dict) and set(given) == {HOST}:
        return fabric.net[given[HOST]]
    return [_argument(fabric, one) for one in given] if isinstance(given, list) else given


def _event(place: Workplace, request: dict[str, Any]) -> None:
    """Begin or end an event of the timeline."""
    (place.events.begin if request["begins"] else place.events.end)(request["name"])


def _replan(place: Workplace, request: dict[str, Any]) -> int:
    """Have the links be as another plan says; how many of their ends were changed."""
    return place.events.replan(from_json(request["plan"]))


def _sleep(_: Workplace, request: dict[str, Any]) -> None:
    """Let time pass."""
    time.sleep(request["seconds"])


def _now(_: Workplace, __: dict[str, Any]) -> float:
    """Seconds on the fabric's clock."""
    return time.monotonic()


DEEDS: dict[str, Callable[[Workplace, dict[str, Any]], Any]] = {
    "command": _command,
    "line": _line,
    "call": _call,
    "event": _event,
    "replan": _replan,
    "sleep": _sleep,
    "now": _now,
}
