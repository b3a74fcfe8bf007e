"""Events of the Trace Event Format [Google, "Trace Event Format"], as ui.perfetto.dev and chrome://tracing read them.

In: nanoseconds. Out: dictionaries whose times are microseconds. A place is a process and a thread of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

US = 1000.0
Event = dict[str, Any]
Place = tuple[int, int]


def span(name: str, category: str, place: Place, times: tuple[int, int], args: Event) -> Event:
    """A complete event, from one time to another."""
    begin_ns, end_ns = times
    return {
        "name": name, "cat": category, "ph": "X", "ts": begin_ns / US, "dur": (end_ns - begin_ns) / US,
        "pid": place[0], "tid": place[1], "args": args,
    }  # fmt: skip


def arrow(number: int, tail: tuple[Place, int], head: tuple[Place, tuple[int, int]]) -> list[Event]:
    """A flow from a place at a time to the span that is at another place. Its head lies 1 ns before that span
    ends: a flow's end binds to the span that encloses it, and at the end itself the next one would."""
    place, (begin_ns, end_ns) = head
    common = {"name": "message", "cat": "message", "id": number}
    begun = {**common, "ph": "s", "ts": tail[1] / US, "pid": tail[0][0], "tid": tail[0][1]}
    at_ns = max(end_ns - 1, begin_ns)
    return [
        begun,
        {**common, "ph": "f", "bp": "e", "ts": at_ns / US, "pid": place[0], "tid": place[1]},
    ]


def counter(name: str, process: int, at_ns: int, values: Mapping[str, float]) -> Event:
    """What a counter shows from a time on."""
    return {"name": name, "ph": "C", "ts": at_ns / US, "pid": process, "args": dict(values)}


def instant(name: str, category: str, place: Place, at_ns: int) -> Event:
    """A mark across all processes."""
    return {
        "name": name, "cat": category, "ph": "i", "s": "g", "ts": at_ns / US,
        "pid": place[0], "tid": place[1],
    }  # fmt: skip


def meta(process: int, what: str, args: Event, thread: int = 0) -> Event:
    """A name of a process or thread, or its place among the others."""
    return {"name": what, "ph": "M", "pid": process, "tid": thread, "args": args}


def named(process: int, name: str, place: int) -> list[Event]:
    """A process with a name, the `place`-th from the top."""
    return [
        meta(process, "process_name", {"name": name}),
        meta(process, "process_sort_index", {"sort_index": place}),
    ]
