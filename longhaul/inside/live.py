"""A fabric that somebody outside works in: `asked-N.json` of the run folder comes in, `answer-N.json` goes out.

While nothing is asked, virtual time stands still: the wait for the next request never sleeps, and what never sleeps
takes no virtual time. Whoever asks stops the guest's process meanwhile, so that the wait takes no CPU either.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from longhaul.fabric import build
from longhaul.inside.happening import ByHand
from longhaul.inside.stage import Stage
from scenario.errors import LonghaulError

LOOK_EVERY_S = 0.01
ASKED, ANSWER = "asked-{}.json", "answer-{}.json"
HOST = "host"
"""The key of an argument that is a host, by its name."""


def live(fabric: Stage) -> int:
    """Answer until the guest is ended."""
    build.impair(fabric.plan, fabric.job.seed)
    events = ByHand(fabric)
    for number in count():
        fabric.tell(waiting=number)
        request = _awaited(fabric, fabric.folder / ASKED.format(number))
        try:
            found = {"answer": DEEDS[request["do"]](fabric, events, request)}
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


def _awaited(fabric: Stage, path: Path) -> dict[str, Any]:
    """The next request; in virtual time, without any passing."""
    virtual = fabric.job.time == "virtual"
    while not path.exists():
        if virtual:
            os.sched_yield()
        else:
            time.sleep(LOOK_EVERY_S)
    request: dict[str, Any] = json.loads(path.read_text())
    return request


def _command(fabric: Stage, _: ByHand, request: dict[str, Any]) -> str:
    """What a shell command says on a host."""
    return str(fabric.net[request[HOST]].cmd(request["text"]))


def _call(fabric: Stage, _: ByHand, request: dict[str, Any]) -> Any:
    """What a method of the Mininet object, or of one of its hosts, returns."""
    thing = fabric.net[request[HOST]] if HOST in request else fabric.net
    found = getattr(thing, request["name"])
    arguments = [_argument(fabric, one) for one in request["arguments"]]
    named = {name: _argument(fabric, one) for name, one in request["named"].items()}
    return found(*arguments, **named)


def _argument(fabric: Stage, given: Any) -> Any:
    """An argument as it was meant: a host by its name, lists element by element."""
    if isinstance(given, dict) and set(given) == {HOST}:
        return fabric.net[given[HOST]]
    return [_argument(fabric, one) for one in given] if isinstance(given, list) else given


def _event(_: Stage, events: ByHand, request: dict[str, Any]) -> None:
    """Begin or end an event of the timeline."""
    (events.begin if request["begins"] else events.end)(request["name"])


def _sleep(_: Stage, __: ByHand, request: dict[str, Any]) -> None:
    """Let time pass."""
    time.sleep(request["seconds"])


def _now(_: Stage, __: ByHand, ___: dict[str, Any]) -> float:
    """Seconds on the fabric's clock."""
    return time.monotonic()


DEEDS: dict[str, Callable[[Stage, ByHand, dict[str, Any]], Any]] = {
    "command": _command,
    "call": _call,
    "event": _event,
    "sleep": _sleep,
    "now": _now,
}
