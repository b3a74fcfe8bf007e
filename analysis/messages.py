"""Inside a collective: for every message, how long the peer was late and how long the wire took.

In: send and recv events. Out: one row per message. The split is the straggler study's for point-to-point
operations: the transfer of a message begins when both sides are ready, so a late sender is not held
against the link, nor the reverse.
"""

from __future__ import annotations

import polars as pl

_MATCH = ["stream", "nth"]


def messages(events: pl.DataFrame) -> pl.DataFrame:
    """One row per message src → dst: `end_ns` and, before it, `message_ns`, `peer_late_ns`, `transfer_ns`, `wait_ns`.

    The n-th send from src to dst is the n-th recv there: streams keep their order. `message_ns` is from
    the first byte sent to the last byte received, never less than the wire's delay; `peer_late_ns` is
    from the receiver's being ready to the first byte sent, `transfer_ns` from both being ready to the last
    byte received, `wait_ns` from the receiver's being ready to the first byte received.
    A receiver is ready when the operation is and the message before on the same stream is in.
    """
    sent = _numbered(events, "send", "rank", "peer").select(*_MATCH, sent_ns=pl.col("start_ns"))
    received = _numbered(events, "recv", "peer", "rank")
    before = pl.col("end_ns").shift().over("stream").fill_null(0)
    ready = received.with_columns(ready_ns=pl.max_horizontal("ready_ns", before))
    both_ready = pl.max_horizontal("sent_ns", "ready_ns")
    return ready.join(sent, on=_MATCH).select(
        "iteration",
        "task",
        "src",
        "dst",
        "nth",
        "bytes",
        "end_ns",
        message_ns=pl.col("end_ns") - pl.col("sent_ns"),
        peer_late_ns=both_ready - pl.col("ready_ns"),
        transfer_ns=pl.col("end_ns") - both_ready,
        wait_ns=(pl.col("start_ns") - pl.col("ready_ns")).clip(lower_bound=0),
    )


def with_campuses(found: pl.DataFrame, ranks: pl.DataFrame) -> pl.DataFrame:
    """The messages with `src_campus` and `dst_campus`."""
    campus = dict(ranks.select("rank", "campus").iter_rows())
    names = pl.Enum(sorted(set(campus.values())))
    ends = [
        pl.col(end).replace_strict(campus, return_dtype=names).alias(f"{end}_campus")
        for end in ("src", "dst")
    ]
    return found.with_columns(ends)


def _numbered(events: pl.DataFrame, kind: str, src: str, dst: str) -> pl.DataFrame:
    """Sends or recvs with `src`, `dst`, and `nth` within a `stream` (iteration, task, src, dst).

    The events are in canonical order, so those of one stream are in the order of their operations.
    """
    ranks, tasks = events.select(pl.col("rank", "task").max().cast(pl.Int64) + 1).row(0)
    collective = pl.col("iteration").cast(pl.Int64) * tasks + pl.col("task")
    return (
        events.filter(pl.col("kind") == kind)
        .with_columns(
            src=pl.col(src),
            dst=pl.col(dst),
            stream=(collective * ranks + pl.col(src)) * ranks + pl.col(dst),
        )
        .with_columns(nth=pl.int_range(pl.len(), dtype=pl.Int32).over("stream"))
    )
