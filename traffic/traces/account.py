"""What was understood of traces, as plain data and as tables: files, nodes, collectives with their bytes."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from analysis.errors import RunError
from analysis.tables import SCHEMA
from traffic.traces.assembling import Imported
from traffic.traces.busy import total_s, union, without
from traffic.traces.form import Compute, Node, TimeSpan, Trace, TracedCollective, TracedTransfer
from traffic.traces.matching import instances, messages

MOST_TASKS = 1 << 15


@dataclass(frozen=True)
class CollectiveKind:
    """Collectives of one sort: how many, their sizes as nccl-tests counts them, and among how many ranks."""

    op: str
    count: int
    size_bytes: int
    smallest_bytes: int
    largest_bytes: int
    ranks: tuple[int, ...]
    dtypes: tuple[str, ...]


def kinds(trace: Trace) -> list[CollectiveKind]:
    """The communication of one iteration, by collective; each counts once, not once per rank."""
    found: dict[str, list[tuple[int, int, str]]] = {}
    for group, parts in instances(trace):
        rank, index = parts[0]
        work = trace.ranks[rank][index].work
        assert isinstance(work, TracedCollective)
        row = (work.size_bytes, len(trace.groups[group]), work.dtype)
        found.setdefault(work.op, []).append(row)
    for (rank, index), _ in messages(trace):
        work = trace.ranks[rank][index].work
        assert isinstance(work, TracedTransfer)
        found.setdefault("send_recv", []).append((work.size_bytes, 2, ""))
    return [_kind(op, rows) for op, rows in sorted(found.items())]


def _kind(op: str, rows: list[tuple[int, int, str]]) -> CollectiveKind:
    sizes = [size for size, _, _ in rows]
    ranks = tuple(sorted({count for _, count, _ in rows}))
    dtypes = tuple(sorted({dtype for _, _, dtype in rows if dtype}))
    return CollectiveKind(op, len(rows), sum(sizes), min(sizes), max(sizes), ranks, dtypes)


def compute_s(trace: Trace) -> list[float]:
    """Seconds of compute of each rank in one iteration."""
    return [
        sum(node.work.ns for node in nodes if isinstance(node.work, Compute)) / 1e9
        for nodes in trace.ranks
    ]


def account(imported: Imported) -> dict[str, Any]:
    """Everything that is to be said of an import, for `--format json`."""
    seconds = compute_s(imported.trace)
    return {
        "ranks": len(imported.trace.ranks),
        "groups": len(imported.trace.groups),
        "nodes": sum(map(len, imported.trace.ranks)),
        "compute_s": {"least": min(seconds), "most": max(seconds)},
        "measured": measured(imported.trace),
        "files": [
            {
                "file": str(recording.file),
                "rank": None if recording.everybody else rank,
                "format": recording.format,
                "kept": _counts(recording.kept),
                "ignored": _counts(recording.ignored),
                "notes": recording.notes,
            }
            for rank, recording in sorted(imported.files.items())
        ],
        "collectives": [asdict(kind) for kind in kinds(imported.trace)],
        "notes": list(imported.notes),
    }


def _counts(counter: Counter[str]) -> dict[str, int]:
    return {what: count for what, count in counter.items() if count}


def events(trace: Trace) -> pl.DataFrame:
    """What the trace measured, as a run's events: one iteration, all ranks on one axis.

    Compute is when kernels ran (`traffic.traces.busy`): launch gaps, copies and fills are gaps. A collective has the
    same `task` on all of its ranks; communication that could not be matched, and compute, are numbered behind them,
    each rank's by itself. Without measured times (only Kineto profiles have them) the table is empty. Clocks are kept
    or corrected as `traffic.traces.clocks` finds. Raises RunError where that is more than a table of events numbers.
    """
    numbers = _numbers(trace)
    rows = []
    matched: list[list[TimeSpan]] = [[] for _ in trace.ranks]
    for rank, nodes in enumerate(trace.ranks):
        for index, node in enumerate(nodes):
            if node.measured is not None and not isinstance(node.work, Compute):
                matched[rank].append(node.measured)
                rows.append(_collective(rank, numbers[rank, index], node, trace))
    behind = max(numbers.values(), default=-1) + 1
    for rank, busy in enumerate(trace.busy):
        rest = without(busy.communication, union(matched[rank]))
        rows += [
            _row(rank, behind + 1 + n, "collective", span, trace) for n, span in enumerate(rest)
        ]
        rows += [_row(rank, behind, "compute", span, trace) for span in busy.compute]
        behind += 1 + len(rest)
    if behind > MOST_TASKS:
        raise RunError(f"{behind:,} things to number are more than {MOST_TASKS:,}: take one step")
    return pl.DataFrame(rows, schema=SCHEMA, orient="row").sort("rank", "task", "start_ns")


def measured(trace: Trace) -> list[dict[str, float]]:
    """Of each rank, in seconds: what its GPU computed and communicated, and of this what no compute covered. Empty
    where the trace has no times."""
    return [
        {
            "compute_s": total_s(one.compute),
            "communication_s": total_s(one.communication),
            "exposed_communication_s": total_s(without(one.communication, one.compute)),
        }
        for one in trace.busy
    ]


def _numbers(trace: Trace) -> dict[tuple[int, int], int]:
    together = [parts for _, parts in instances(trace)] + [list(pair) for pair in messages(trace)]
    return {part: number for number, parts in enumerate(together) for part in parts}


def _collective(rank: int, task: int, node: Node, trace: Trace) -> tuple[Any, ...]:
    assert node.measured is not None
    assert not isinstance(node.work, Compute)
    start, end = _moved(node.measured, rank, trace)
    offset, _ = _moved(TimeSpan(0, 0), rank, trace)
    before = [trace.ranks[rank][index].measured for index in node.after]
    ready = max((_moved(span, rank, trace)[1] for span in before if span), default=offset)
    return rank, 0, task, -1, "collective", -1, node.work.size_bytes, min(ready, start), start, end


def _row(rank: int, task: int, kind: str, span: TimeSpan, trace: Trace) -> tuple[Any, ...]:
    start, end = _moved(span, rank, trace)
    return rank, 0, task, -1, kind, -1, 0, start, start, end


def _moved(span: TimeSpan, rank: int, trace: Trace) -> tuple[int, int]:
    """On the axis of all ranks."""
    offset = trace.offsets_ns[rank] if trace.offsets_ns else 0
    return span.start_ns + offset, span.end_ns + offset
