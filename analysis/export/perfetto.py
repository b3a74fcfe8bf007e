"""A run as a trace that ui.perfetto.dev and chrome://tracing open: ranks as processes, messages as arrows.

In: a run. Out: JSON of the Trace Event Format [Google, "Trace Event Format"], times in microseconds. Tasks of all
iterations are in it; messages are many, so those of the slowest iterations come first, up to a limit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TextIO

import polars as pl

from analysis.findings.incidents import incidents
from analysis.findings.stalls import iterations
from analysis.messages import messages
from analysis.run import Run

MESSAGE_LIMIT = 200_000
_US = 1000.0
Event = dict[str, Any]


@dataclass(frozen=True)
class Written:
    """What a trace holds: the iterations whose messages are in it, and of how many."""

    iterations: tuple[int, ...]
    of: int


def write_trace(run: Run, out: TextIO, limit: int = MESSAGE_LIMIT) -> Written:
    """Write the trace, an event a line. `limit` is of messages; one iteration's are always in."""
    kept = slowest_iterations(run, limit)
    out.write('{"displayTimeUnit":"ms","traceEvents":[\n')
    first = True
    for event in events(run, kept):
        out.write(("" if first else ",\n") + json.dumps(event, separators=(",", ":")))
        first = False
    about = {"run": run.manifest.get("name"), "seed": run.manifest.get("seed"), "messages of": kept}
    out.write('\n],"otherData":' + json.dumps(about) + "}\n")
    return Written(tuple(kept), run.measured["iteration"].n_unique())


def slowest_iterations(run: Run, limit: int) -> list[int]:
    """The slowest measured iterations whose messages together stay within the limit; at least one."""
    received = run.measured.filter(pl.col("kind") == "recv")
    counts = dict(received.group_by("iteration").len().iter_rows())
    kept: list[int] = []
    total = 0
    for number in iterations(run).sort("duration_ns", descending=True)["iteration"]:
        total += counts.get(number, 0)
        if kept and total > limit:
            break
        kept.append(number)
    return sorted(kept)


def events(run: Run, kept: list[int]) -> Iterator[Event]:
    """All events of the trace: names, tasks, messages with their arrows, the timeline's events."""
    yield from _names(run)
    yield from _tasks(run)
    yield from _messages(run, kept)
    yield from _happened(run)


def _names(run: Run) -> Iterator[Event]:
    for rank in run.ranks.iter_rows(named=True):
        label = f"rank {rank['rank']} · {rank['name']} ({rank['accelerator']}, {rank['campus']})"
        yield _meta(rank["rank"], "process_name", {"name": label})
        yield _meta(rank["rank"], "process_sort_index", {"sort_index": rank["rank"]})
        yield _meta(rank["rank"], "thread_name", {"name": "tasks"})


def _tasks(run: Run) -> Iterator[Event]:
    """Compute and collectives; where they overlap, each has a row of its own."""
    tasks = run.events.filter(pl.col("kind").is_in(["compute", "collective"]))
    for row in tasks.iter_rows(named=True):
        args = {"iteration": row["iteration"], "task": row["task"], "bytes": row["bytes"]}
        span = (row["start_ns"], row["end_ns"])
        row_id = 0 if row["kind"] == "compute" else 1 + row["task"]
        yield _span(row["kind"], "task", (row["rank"], row_id), span, args)


def _messages(run: Run, kept: list[int]) -> Iterator[Event]:
    """A message: a span at its sender's row, one at its receiver's, and an arrow between the two."""
    found = messages(run.measured.filter(pl.col("iteration").is_in(kept)))
    name = dict(run.ranks.select("rank", "name").iter_rows())
    for number, row in enumerate(found.iter_rows(named=True)):
        begin, end = row["end_ns"] - row["transfer_ns"], row["end_ns"]
        args = {"bytes": row["bytes"], "peer_late_us": row["peer_late_ns"] / _US}
        at_sender = (row["src"], _thread("send", row["dst"]))
        at_receiver = (row["dst"], _thread("recv", row["src"]))
        yield _span(f"to {name[row['dst']]}", "message", at_sender, (begin, end), args)
        yield _span(f"from {name[row['src']]}", "message", at_receiver, (begin, end), args)
        yield _arrow("s", number, at_sender, begin)
        yield _arrow("f", number, at_receiver, end)
    for src, dst in found.select("src", "dst").unique().sort("src", "dst").iter_rows():
        yield _meta(src, "thread_name", {"name": f"to rank {dst}"}, _thread("send", dst))
        yield _meta(dst, "thread_name", {"name": f"from rank {src}"}, _thread("recv", src))


def _happened(run: Run) -> Iterator[Event]:
    """The timeline's events, as a process of their own below the ranks."""
    pid = int(run.ranks["rank"].to_numpy().max()) + 1
    found = incidents(run)
    if found:
        yield _meta(pid, "process_name", {"name": "events of the timeline"})
    for row_id, one in enumerate(found):
        yield _meta(pid, "thread_name", {"name": one.name}, row_id)
        args = {"links": list(one.links), "hosts": list(one.hosts)}
        for span in one.spans_ns:
            yield _span(one.says or one.name, "timeline", (pid, row_id), span, args)


def _thread(kind: str, peer: int) -> int:
    """A number of its own for each peer and direction, above those of tasks."""
    return 2**16 + 2 * peer + (kind == "recv")


def _span(
    name: str, category: str, place: tuple[int, int], span: tuple[int, int], args: Event
) -> Event:
    """A complete event."""
    begin_ns, end_ns = span
    return {
        "name": name, "cat": category, "ph": "X", "ts": begin_ns / _US, "dur": (end_ns - begin_ns) / _US,
        "pid": place[0], "tid": place[1], "args": args,
    }  # fmt: skip


def _arrow(phase: str, number: int, place: tuple[int, int], at_ns: int) -> Event:
    """One end of a flow; it binds to the span that encloses it."""
    ends = {"bp": "e"} if phase == "f" else {}
    return {
        "name": "message", "cat": "message", "ph": phase, "id": number, "ts": at_ns / _US,
        "pid": place[0], "tid": place[1],
    } | ends  # fmt: skip


def _meta(pid: int, what: str, args: Event, tid: int = 0) -> Event:
    return {"name": what, "ph": "M", "pid": pid, "tid": tid, "args": args}
