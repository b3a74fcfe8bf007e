"""A run as a trace that ui.perfetto.dev and chrome://tracing open: ranks as processes, messages as arrows.

In: a run. Out: JSON of the Trace Event Format [Google, "Trace Event Format"], times in microseconds. Tasks of all
iterations are in it, collectives split into sync wait and transfer; messages are many, so those of the slowest
iterations come first, up to a limit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

import polars as pl

from analysis.export.beside_ranks import beside
from analysis.export.trace_format import US, Event, arrow, meta, span
from analysis.findings.stalls import collectives, iterations
from analysis.messages import messages
from analysis.run import Run

MESSAGE_LIMIT = 200_000


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
    """All events of the trace: names, tasks, messages with their arrows, and what stands beside the ranks."""
    yield from _names(run)
    yield from _tasks(run)
    yield from _waits(run)
    yield from _messages(run, kept)
    yield from beside(run, int(run.ranks["rank"].to_numpy().max()) + 1)


def _names(run: Run) -> Iterator[Event]:
    for rank in run.ranks.iter_rows(named=True):
        label = f"rank {rank['rank']} · {rank['name']} ({rank['accelerator']}, {rank['campus']})"
        yield meta(rank["rank"], "process_name", {"name": label})
        yield meta(rank["rank"], "process_sort_index", {"sort_index": rank["rank"]})
        yield meta(rank["rank"], "thread_name", {"name": "tasks"})


def _tasks(run: Run) -> Iterator[Event]:
    """Compute and collectives; where they overlap, each has a row of its own."""
    tasks = run.events.filter(pl.col("kind").is_in(["compute", "collective"]))
    for row in tasks.iter_rows(named=True):
        args = {"iteration": row["iteration"], "task": row["task"], "bytes": row["bytes"]}
        times = (row["start_ns"], row["end_ns"])
        row_id = 0 if row["kind"] == "compute" else 1 + row["task"]
        yield span(row["kind"], "task", (row["rank"], row_id), times, args)


def _waits(run: Run) -> Iterator[Event]:
    """Within each collective's span: until its last rank has entered, and from then on."""
    for row in collectives(run.events).iter_rows(named=True):
        place = (row["rank"], 1 + row["task"])
        entered = min(row["last_start_ns"], row["end_ns"])
        parts = {
            "sync wait": (row["start_ns"], entered),
            "transfer": (entered, row["end_ns"]),
        }
        for name, times in parts.items():
            if times[1] > times[0]:
                yield span(name, "stall", place, times, {"iteration": row["iteration"]})


def _messages(run: Run, kept: list[int]) -> Iterator[Event]:
    """A message: a span at its sender's row, one at its receiver's, and an arrow between the two."""
    found = messages(run.measured.filter(pl.col("iteration").is_in(kept)))
    name = dict(run.ranks.select("rank", "name").iter_rows())
    for number, row in enumerate(found.iter_rows(named=True)):
        begin, end = row["end_ns"] - row["transfer_ns"], row["end_ns"]
        args = {"bytes": row["bytes"], "peer_late_us": row["peer_late_ns"] / US}
        at_sender = (row["src"], _thread("send", row["dst"]))
        at_receiver = (row["dst"], _thread("recv", row["src"]))
        yield span(f"to {name[row['dst']]}", "message", at_sender, (begin, end), args)
        yield span(f"from {name[row['src']]}", "message", at_receiver, (begin, end), args)
        yield from arrow(number, (at_sender, begin), (at_receiver, (begin, end)))
    for src, dst in found.select("src", "dst").unique().sort("src", "dst").iter_rows():
        yield meta(src, "thread_name", {"name": f"to rank {dst}"}, _thread("send", dst))
        yield meta(dst, "thread_name", {"name": f"from rank {src}"}, _thread("recv", src))


def _thread(kind: str, peer: int) -> int:
    """A number of its own for each peer and direction, above those of tasks."""
    return 2**16 + 2 * peer + (kind == "recv")
