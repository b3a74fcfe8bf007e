"""Every kind of duration of a run, and what its slowest 1 % have in common.

In: a run. Out: durations by what they are of (iterations, collectives, messages between campuses), their
tails, and for the slowest of them the link, the rank and the event of the timeline that they came from.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import polars as pl

from analysis.findings.incidents import incidents
from analysis.findings.stalls import collective_times, collectives, iterations
from analysis.findings.tail import tail
from analysis.form.parts import NamedShare, Tail
from analysis.form.training import KindTail, SlowestMessages
from analysis.run import Run
from analysis.tables import NS

SLOWEST = 0.01
"""The share of durations whose causes are asked for."""


def durations_ns(run: Run) -> dict[str, Sequence[int]]:
    """Nanoseconds by what took so long: `iteration`, `collective 1`, `step 1/3` … and `c1 → c2`.

    A collective's time is from its last entry to its last end; a step is one operation of its
    schedule, over ranks and iterations; a pair of campuses has its messages, from the first byte sent
    to the last received.
    """
    found: dict[str, Sequence[int]] = {"iteration": iterations(run)["duration_ns"].to_list()}
    for (task,), rows in collective_times(run.measured).group_by("task", maintain_order=True):
        found[f"collective {task}"] = rows["transfer_ns"].to_list()
    messages = run.messages
    for (src, dst), rows in sorted(
        messages.group_by("src_campus", "dst_campus", maintain_order=True), key=lambda one: one[0]
    ):
        found[f"{src} → {dst}"] = rows["message_ns"].to_list()
    return found


def latencies(run: Run) -> list[KindTail]:
    """The tail of each kind of duration: `what`, count, mean, quantiles up to p99.9, max."""
    return [
        _kind(what, tail(pl.Series(values, dtype=pl.Int64).cast(pl.Float64) * NS))
        for what, values in durations_ns(run).items()
        if len(values)
    ]


def slowest_messages(run: Run) -> SlowestMessages:
    """Where the slowest 1 % of messages came from: their `count` of `of`, the time `above_s` which they
    lie, and shares of them by link (pair of campuses), by sending rank and by event, most first."""
    messages = run.messages
    if messages.is_empty():
        return SlowestMessages(0, 0, None, [], [], [])
    kept = max(1, round(messages.height * SLOWEST))
    slowest = messages.top_k(kept, by=["transfer_ns", "end_ns"]).join(
        run.ranks.select(src="rank", src_name="name"), on="src"
    )
    return SlowestMessages(
        count=kept,
        of=messages.height,
        above_s=int(slowest["transfer_ns"].to_numpy().min()) * NS,
        by_link=_shares(slowest, pl.format("{} → {}", "src_campus", "dst_campus")),
        by_rank=_shares(slowest, pl.format("{} · {}", "src", "src_name")),
        by_event=_by_event(run, slowest),
    )


def slowest_entries(run: Run) -> list[NamedShare]:
    """Who was last to enter the slowest 1 % of collectives (at least one), most often first."""
    times = collective_times(run.measured).sort("transfer_ns", descending=True)
    kept = times.head(max(1, round(times.height * SLOWEST)))
    entered = collectives(run.measured).join(
        kept.select("iteration", "task", "group"), on=["iteration", "task", "group"]
    )
    last = (
        entered.sort("start_ns", "rank", descending=[True, False])
        .group_by("iteration", "task", "group", maintain_order=True)
        .agg(pl.col("rank").first())
        .join(run.ranks.select("rank", "name"), on="rank")
    )
    return _shares(last, pl.format("{} · {}", "rank", "name"))


def _by_event(run: Run, slowest: pl.DataFrame) -> list[NamedShare]:
    """Shares that were under way while an event of the timeline was in force."""
    begins = slowest["end_ns"] - slowest["transfer_ns"]
    spans = list(zip(begins, slowest["end_ns"], strict=True))
    shares = [
        NamedShare(one.name, sum(one.touches(b, e) for b, e in spans) / len(spans))
        for one in incidents(run)
    ]
    found = [one for one in shares if one.share]
    return sorted(found, key=lambda one: (-one.share, one.name))


def _shares(table: pl.DataFrame, name: pl.Expr, top: int = 5) -> list[NamedShare]:
    counted = table.group_by(name.alias("name")).len().sort("len", "name", descending=[True, False])
    whole = table.height
    return [NamedShare(label, count / whole) for label, count in counted.head(top).iter_rows()]


def _kind(what: str, found: Tail) -> KindTail:
    return KindTail(**msgspec.structs.asdict(found), what=what)
