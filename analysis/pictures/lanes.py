"""Lanes of coloured spans for the report: what every rank did, and the messages of one collective.

In: a run. Out: a `Timeline` of whole microseconds, packed for the page, or the rectangles of one
iteration for paper. What is left out to keep the page small is said in `note`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from analysis import units
from analysis.findings.incidents import Incident, incidents
from analysis.findings.stalls import collective_times, collectives, iterations, members
from analysis.messages import messages
from analysis.pictures.bands import Band, bands
from analysis.run import Run
from analysis.tables import NS

ACTIVITIES = ("compute", "sync wait", "transfer")
COMPUTE, WAIT, TRANSFER = range(3)
MESSAGE_STATES = ("sender not ready", "on the wire")
LATE, WIRE = range(2)
SPAN_LIMIT = 90_000
"""Spans that a page holds, at about 12 bytes each."""

_US = 1000
_KINDS = 4


@dataclass(frozen=True)
class Mark:
    """An iteration's stretch of the time axis, in microseconds from the timeline's begin.

    `last` names the rank that was the last to enter its collective.
    """

    label: str
    begin_us: int
    end_us: int
    last: str


@dataclass(frozen=True)
class Timeline:
    """Lanes of spans. `packed[i]` is lane i, three numbers for each span.

    They are the gap since the end of the span before (µs; negative where spans overlap), the duration
    (µs), and kind + 4 * (index of its mark - index of the mark of the span before). `bands` are
    the timeline's events.
    """

    kinds: tuple[str, ...]
    lanes: tuple[dict[str, Any], ...]
    packed: tuple[tuple[int, ...], ...]
    marks: tuple[Mark, ...]
    note: str
    begin_ns: int
    end_ns: int
    bands: tuple[Band, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """As the page's script reads it."""
        return {
            "origin": self.begin_ns // _US,
            "kinds": self.kinds,
            "lanes": self.lanes,
            "packed": self.packed,
            "marks": [[mark.label, mark.begin_us, mark.end_us, mark.last] for mark in self.marks],
            "bands": [band.as_data() for band in self.bands],
        }


@dataclass(frozen=True)
class Rectangle:
    """One span on paper: lane, and place on the time axis as shares of its length."""

    lane: int
    begin: float
    width: float
    kind: int


def rank_timeline(
    run: Run, limit: int = SPAN_LIMIT, happened: Sequence[Incident] | None = None
) -> Timeline:
    """Compute, sync wait, transfer of every rank; only around the slowest iteration if too many. `happened` are its
    bands: the timeline's events, unless others are given."""
    found = iterations(run)
    spans = activity_spans(run.measured)
    shown = _around_slowest(found, keep=limit * found.height // max(spans.height, 1))
    first, final = int(shown["iteration"][0]), int(shown["iteration"][-1])
    spans = spans.filter(pl.col("iteration").is_between(first, final))
    begin_ns = min(int(shown["begin_ns"][0]), int(spans["start_ns"].to_numpy().min()))
    ranks = sorted(spans["rank"].unique())
    last = _last_to_enter(run)
    lanes = _lanes(run, ranks)
    end_ns = int(shown["end_ns"][-1])
    return Timeline(
        kinds=ACTIVITIES,
        lanes=lanes,
        packed=packed(spans.with_columns(mark=pl.col("iteration") - first), ranks, begin_ns),
        marks=tuple(
            Mark(
                str(row["iteration"]),
                *_microseconds(row["begin_ns"], row["end_ns"], begin_ns),
                last[row["iteration"]],
            )
            for row in shown.to_dicts()
        ),
        note=_window_note(found, shown),
        begin_ns=begin_ns,
        end_ns=end_ns,
        bands=bands(
            incidents(run) if happened is None else happened,
            begin_ns,
            end_ns,
            [lane["name"] for lane in lanes],
        ),
    )


def message_timeline(run: Run, limit: int = SPAN_LIMIT) -> Timeline | None:
    """The messages of the slowest collective, a lane per receiver; None where none were recorded.

    Where those of all ranks are too many: only receivers whose sender is on another campus.
    """
    slowest = collective_times(run.measured).sort("transfer_ns", descending=True).row(0, named=True)
    same = (pl.col("iteration") == slowest["iteration"]) & (pl.col("task") == slowest["task"])
    taking_part = members(run.measured).filter(
        (pl.col("task") == slowest["task"]) & (pl.col("group") == slowest["group"])
    )
    same &= pl.col("rank").is_in(taking_part["rank"].to_list())
    found = messages(run.measured.filter(same))
    shown = found if 2 * found.height <= limit else _between_campuses(found, run)
    if shown.is_empty():
        return None
    spans = message_spans(shown)
    begin_ns = int(spans["start_ns"].to_numpy().min())
    end_ns = int(spans["end_ns"].to_numpy().max())
    ranks = sorted(spans["rank"].unique())
    begin_us, end_us = _microseconds(begin_ns, end_ns, begin_ns)
    return Timeline(
        kinds=MESSAGE_STATES,
        lanes=_with_senders(_lanes(run, ranks), shown, run),
        packed=packed(spans.with_columns(mark=pl.lit(0)), ranks, begin_ns),
        marks=(Mark(str(slowest["iteration"]), begin_us, end_us, ""),),
        note=_message_note(slowest, shown, found),
        begin_ns=begin_ns,
        end_ns=end_ns,
    )


def typical_iteration(run: Run) -> tuple[int, list[Rectangle]]:
    """The iteration of median duration, for paper: its number and its rectangles."""
    found = iterations(run).sort("duration_ns", "iteration")
    median = found.row((found.height - 1) // 2, named=True)
    spans = activity_spans(run.measured.filter(pl.col("iteration") == median["iteration"]))
    begin_ns = int(spans["start_ns"].to_numpy().min())
    length_ns = max(int(spans["end_ns"].to_numpy().max()) - begin_ns, 1)
    return median["iteration"], [
        Rectangle(rank, (start - begin_ns) / length_ns, (end - start) / length_ns, kind)
        for rank, _, kind, start, end in spans.iter_rows()
    ]


def activity_spans(events: pl.DataFrame) -> pl.DataFrame:
    """Rows of rank, iteration, kind (index in `ACTIVITIES`), start_ns, end_ns, as they began."""
    compute = events.filter(pl.col("kind") == "compute")
    waits = collectives(events)
    entered = pl.min_horizontal("last_start_ns", "end_ns")
    return _ordered(
        _spans(compute, COMPUTE, pl.col("start_ns"), pl.col("end_ns")),
        _spans(waits, WAIT, pl.col("start_ns"), entered),
        _spans(waits, TRANSFER, entered, pl.col("end_ns")),
    )


def message_spans(found: pl.DataFrame) -> pl.DataFrame:
    """Rows as `activity_spans`, of messages at their receivers: the sender not ready, then the wire."""
    at_receiver = found.with_columns(rank=pl.col("dst"))
    sent = pl.col("end_ns") - pl.col("transfer_ns")
    return _ordered(
        _spans(at_receiver, LATE, sent - pl.col("peer_late_ns"), sent),
        _spans(at_receiver, WIRE, sent, pl.col("end_ns")),
    )


def _spans(table: pl.DataFrame, kind: int, start: pl.Expr, end: pl.Expr) -> pl.DataFrame:
    code = pl.lit(kind, dtype=pl.Int64).alias("kind")
    return table.select("rank", "iteration", code, start.alias("start_ns"), end.alias("end_ns"))


def _ordered(*tables: pl.DataFrame) -> pl.DataFrame:
    spans = pl.concat(tables).filter(pl.col("end_ns") > pl.col("start_ns"))
    return spans.sort("rank", "start_ns", "kind")


def packed(spans: pl.DataFrame, ranks: list[int], begin_ns: int) -> tuple[tuple[int, ...], ...]:
    """Each lane's spans (`rank`, `kind`, `mark`, `start_ns`, `end_ns`) as differences; ends are rounded, not durations,
    so nothing drifts."""
    start, end = ((pl.col(name) - begin_ns) // _US for name in ("start_ns", "end_ns"))
    before = end.shift().over("rank").fill_null(0)
    step = (pl.col("mark") - pl.col("mark").shift().over("rank").fill_null(0)) * _KINDS
    lanes = spans.select(
        "rank", packed=pl.concat_list(start - before, end - start, pl.col("kind") + step)
    )
    by_rank = lanes.group_by("rank", maintain_order=True).agg(pl.col("packed").explode())
    found = dict(by_rank.iter_rows())
    return tuple(tuple(found[rank]) for rank in ranks)


def _lanes(run: Run, ranks: list[int]) -> tuple[dict[str, Any], ...]:
    return tuple(run.ranks.filter(pl.col("rank").is_in(ranks)).drop("gpus").to_dicts())


def _with_senders(
    lanes: tuple[dict[str, Any], ...], shown: pl.DataFrame, run: Run
) -> tuple[dict[str, Any], ...]:
    """The lanes, each with the rank that it receives from, where that is only one."""
    senders: dict[int, list[int]] = {}
    for dst, src in shown.select("dst", "src").unique().sort("src").iter_rows():
        senders.setdefault(dst, []).append(src)
    names = _names(run)
    only = {dst: names[found[0]] for dst, found in senders.items() if len(found) == 1}
    return tuple({**lane, "from": only.get(lane["rank"], "")} for lane in lanes)


def _last_to_enter(run: Run) -> dict[int, str]:
    """Per iteration, the rank that was the last to enter a collective; of equals, the lowest."""
    names = _names(run)
    entries = collectives(run.measured).sort("start_ns", "rank", descending=[True, False])
    last = entries.group_by("iteration", maintain_order=True).agg(pl.col("rank").first())
    return {iteration: names[rank] for iteration, rank in last.iter_rows()}


def _names(run: Run) -> dict[int, str]:
    return {rank: f"{rank} · {name}" for rank, name in run.ranks.select("rank", "name").iter_rows()}


def _around_slowest(found: pl.DataFrame, keep: int) -> pl.DataFrame:
    """At most `keep` (at least one) consecutive iterations with the slowest in their middle."""
    keep = min(max(keep, 1), found.height)
    slowest = int(found["duration_ns"].arg_max() or 0)
    first = min(max(slowest - keep // 2, 0), found.height - keep)
    return found.slice(first, keep)


def _between_campuses(found: pl.DataFrame, run: Run) -> pl.DataFrame:
    campus = dict(run.ranks.select("rank", "campus").iter_rows())
    place = [pl.col(side).replace_strict(campus) for side in ("src", "dst")]
    return found.filter(place[0] != place[1])


def _microseconds(begin: int, end: int, origin: int) -> tuple[int, int]:
    return (begin - origin) // _US, (end - origin) // _US


def _window_note(found: pl.DataFrame, shown: pl.DataFrame) -> str:
    drawn = "Drawn to 1 µs."
    if shown.height == found.height:
        return f"All {found.height} measured iterations. {drawn}"
    slowest = found.sort("duration_ns", descending=True)["iteration"][0]
    return (
        f"{shown.height} of {found.height} measured iterations ({shown['iteration'][0]} to "
        f"{shown['iteration'][-1]}), around the slowest ({slowest}); the others are in "
        f"events.parquet. {drawn}"
    )


def _message_note(slowest: dict[str, Any], shown: pl.DataFrame, found: pl.DataFrame) -> str:
    took = units.time(slowest["transfer_ns"] * NS, 4)
    what = f"The slowest collective: iteration {slowest['iteration']}, {took}."
    if shown.height == found.height:
        return f"{what} All {found.height} messages."
    return (
        f"{what} {shown.height} of {found.height} messages: those between campuses; the others are "
        "in events.parquet."
    )
