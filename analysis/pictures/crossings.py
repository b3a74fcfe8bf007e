"""What goes from lane to lane of the timeline: messages, and the critical path.

In: a run and the iterations that are shown. Out: rows of numbers for the page's script, as many as a page holds; where
there are more, those of the slowest iterations.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from analysis.findings.critical import LINKS
from analysis.findings.stalls import iterations
from analysis.run import Run

MOST_MESSAGES = 20_000
MOST_STEPS = 10_000
_US = 1000
Data = dict[str, Any]


def message_rows(run: Run, numbers: list[int], begin_ns: int) -> list[list[int]]:
    """Messages of some iterations: sender, receiver, first byte sent, last byte received; microseconds from the begin
    of what is shown, in the order in which they were sent."""
    kept = _slowest(run, numbers, MOST_MESSAGES, run.messages)
    rows = run.messages.filter(pl.col("iteration").is_in(kept)).select(
        "src",
        "dst",
        sent=(pl.col("end_ns") - pl.col("message_ns") - begin_ns) // _US,
        received=(pl.col("end_ns") - begin_ns) // _US,
    )
    return _rows(rows.sort("sent", "src", "dst"))


def path_rows(run: Run, path: pl.DataFrame, numbers: list[int], begin_ns: int) -> list[list[int]]:
    """The critical path of some iterations: kind, rank, peer, begin, end, from first to last."""
    kept = _slowest(run, numbers, MOST_STEPS, path)
    codes = {kind: code for code, kind in enumerate(LINKS)}
    rows = path.filter(pl.col("iteration").is_in(kept)).select(
        pl.col("kind").cast(pl.String).replace_strict(codes, return_dtype=pl.Int64),
        "rank",
        "peer",
        (pl.col("begin_ns") - begin_ns) // _US,
        (pl.col("end_ns") - begin_ns) // _US,
    )
    return _rows(rows)


def _slowest(run: Run, numbers: list[int], most: int, rows: pl.DataFrame) -> list[int]:
    """Of some iterations the slowest whose rows together are not too many; none if one alone has too many."""
    counts = dict(rows.group_by("iteration").len().iter_rows())
    ordered = iterations(run).sort("duration_ns", descending=True)["iteration"]
    shown = [number for number in ordered if number in set(numbers)]
    total = np.cumsum([counts.get(number, 0) for number in shown])
    return [number for number, so_far in zip(shown, total, strict=True) if so_far <= most]


def _rows(table: pl.DataFrame) -> list[list[int]]:
    return [list(row) for row in table.iter_rows()]
