"""The network under the timeline: what each long-haul link carried, held and dropped, on the ranks' time axis.

In: a run with telemetry, and the stretch of time that is shown. Out: a `Tracks`, packed for the page: one track for
each direction of a long-haul link and for each other port that dropped packets, retransmissions by TCP's own account,
probes' delays. Samples are few (at most some 2,000); probes are thinned to the worst of each moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from analysis.findings.again import sent_again
from analysis.findings.network import SwitchPort, crossing, ports, samples
from analysis.run import Run

MOST_TRACKS = 16
"""That a page has room for: those that dropped most, then the busiest."""
MOST_MOMENTS = 2000
MOST_AGAIN = 4000
MOST_DELAYS = 1500
"""Probes' delays that are kept per direction: of each moment the longest."""
_US = 1000
Data = dict[str, Any]


@dataclass(frozen=True)
class Tracks:
    """The tracks of a page. `at_us` are the samples' times, microseconds from the begin of what is shown; the numbers
    of a track are one for each of them, but `dropped` and `marked` pairs of (index, packets).

    `again` are rows of (since, until, sender, receiver, packets), ranks or −1; `note` says what is left out.
    """

    at_us: tuple[int, ...]
    tracks: tuple[Data, ...]
    again: tuple[tuple[int, int, int, int, int], ...]
    note: str

    def as_data(self) -> Data:
        """As the page's script reads it."""
        return {"at": self.at_us, "tracks": self.tracks, "again": self.again}


def network_tracks(run: Run, begin_ns: int, end_ns: int) -> Tracks | None:
    """What the network did within [begin, end); None where nothing was sampled."""
    found = samples(run.path)
    if found is None or found.is_empty():
        return None
    known = ports(run.plan)
    own = _within(found.filter(pl.col("interface").is_in(list(known))), begin_ns, end_ns)
    chosen = _chosen(own, known)
    at = own["t_ns"].unique().sort()
    shown = [_track(known[name], own.filter(interface=name)) for name in chosen]
    crossings = crossing(run)
    begins = [[link["name"], link["a"], link["b"]] for link in run.plan["links"]]
    for track in shown:
        forward = [track["link"], *track["ends"]] in begins
        over = crossings.get((track["link"], *track["ends"]), set()) if track["link"] else ()
        track["pairs"] = [list(pair) for pair in sorted(over)]
        track["delays"] = _delays(run.path, track["link"], forward, (begin_ns, end_ns))
    long_hauls = [port for port in known.values() if port.ends]
    return Tracks(
        at_us=tuple((at - begin_ns) // _US),
        tracks=tuple(shown),
        again=_again(run, begin_ns, end_ns),
        note=_note(shown, len(long_hauls), at),
    )


def _within(found: pl.DataFrame, begin_ns: int, end_ns: int) -> pl.DataFrame:
    """The samples of a stretch of time, and one on either side of it, with what is new since the one before."""
    times = found["t_ns"].unique().sort()
    first = times.filter(times <= begin_ns).max() or 0
    last = times.filter(times >= end_ns).min() or times.max()
    new = {
        name: pl.col(name).diff().over("interface").fill_null(0)
        for name in ("drops", "marked", "tx_bytes")
    }
    ordered = found.sort("interface", "t_ns").with_columns(**new)
    return _bounded(ordered.filter(pl.col("t_ns").is_between(first, last)))


def _bounded(rows: pl.DataFrame) -> pl.DataFrame:
    """At most MOST_MOMENTS of each port: of those that become one the mean load, the longest queue, all drops."""
    times = rows["t_ns"].unique().sort()
    together = -(-len(times) // MOST_MOMENTS)
    if together <= 1:
        return rows
    last = pl.DataFrame({"t_ns": times}).with_columns(
        until=pl.col("t_ns").max().over(pl.int_range(pl.len()) // together)
    )
    return (
        rows.join(last, on="t_ns")
        .group_by("interface", "until")
        .agg(
            pl.col("utilisation").mean(),
            pl.col("queue_packets").max(),
            pl.col("drops", "marked", "tx_bytes").sum(),
        )
        .rename({"until": "t_ns"})
        .sort("interface", "t_ns")
    )


def _chosen(own: pl.DataFrame, known: Mapping[str, SwitchPort]) -> list[str]:
    """The interfaces that are drawn: long-haul ports, and others that dropped packets; as they are in the plan."""
    sums = own.group_by("interface").agg(pl.col("drops", "tx_bytes").sum())
    drawn = [row for row in sums.iter_rows() if known[row[0]].ends or row[1]]
    drawn.sort(key=lambda row: (-bool(row[1]), -bool(known[row[0]].ends), -row[2], row[0]))
    kept = {name for name, *_ in drawn[:MOST_TRACKS]}
    return sorted(kept, key=lambda name: (not known[name].ends, known[name].link, known[name].name))


def _track(port: SwitchPort, rows: pl.DataFrame) -> Data:
    """One port's samples: share of its rate in tenths of a percent, packets in the queue, packets dropped, marked."""
    rows = rows.sort("t_ns")
    used = (rows["utilisation"].fill_null(0.0).fill_nan(0.0) * 1000).round().cast(pl.Int64)
    return {
        "name": port.name,
        "link": port.link if port.ends else "",
        "ends": list(port.ends or ()),
        "host": port.towards if port.kind == "host" else "",
        "limit": port.limit_packets or max(int(rows["queue_packets"].max() or 0), 1),  # type: ignore[arg-type]
        "used": used.to_list(),
        "queue": rows["queue_packets"].to_list(),
        "dropped": _sparse(rows["drops"]),
        "marked": _sparse(rows["marked"]),
    }


def _sparse(values: pl.Series) -> list[list[int]]:
    """Pairs of (index, value) where there is any."""
    return [[index, value] for index, value in enumerate(values) if value]


def _again(run: Run, begin_ns: int, end_ns: int) -> tuple[tuple[int, int, int, int, int], ...]:
    """What connections between ranks sent again: since, until, sender, receiver, packets."""
    rank = {name: number for number, name in run.ranks.select("rank", "name").iter_rows()}
    rows = (
        sent_again(run.path)
        .filter(pl.col("t_ns") >= begin_ns, pl.col("since_ns") < end_ns)
        .sort("packets", descending=True)
        .head(MOST_AGAIN)
        .sort("t_ns", "host", "peer")
    )
    return tuple(
        ((since - begin_ns) // _US, (t - begin_ns) // _US, rank[host], rank.get(peer, -1), packets)
        for since, t, host, peer, packets in rows.select(
            "since_ns", "t_ns", "host", "peer", "packets"
        ).iter_rows()
        if host in rank
    )


def _delays(path: Path, link: str, forward: bool, shown: tuple[int, int]) -> list[list[int]]:
    """What probes took in a link's direction, (when sent, delay) in microseconds and nanoseconds; of each moment the
    longest; −1 where one was lost."""
    probes = Path(path) / "probes.parquet"
    if not link or not probes.is_file():
        return []
    direction = "forward" if forward else "backward"
    rows = pl.read_parquet(probes).filter(link=link, direction=direction)
    rows = rows.filter(pl.col("sent_ns").is_between(*shown))
    return [list(row) for row in _thinned(rows, *shown)]


def _thinned(rows: pl.DataFrame, begin_ns: int, end_ns: int) -> Iterator[Sequence[int]]:
    step = max((end_ns - begin_ns) // MOST_DELAYS, 1)
    delay = (pl.col("received_ns") - pl.col("sent_ns")).fill_null(-1)
    worst = pl.when(delay < 0).then(pl.lit(2**62)).otherwise(delay)
    yield from (
        rows.with_columns(
            at=(pl.col("sent_ns") - begin_ns) // step, delay=delay.cast(pl.Int64), worst=worst
        )
        .sort("at", "worst", "sent_ns")
        .group_by("at", maintain_order=True)
        .last()
        .select((pl.col("sent_ns") - begin_ns) // _US, "delay")
        .iter_rows()
    )


def _note(shown: Sequence[Data], long_hauls: int, at: pl.Series) -> str:
    drawn = sum(bool(track["link"]) for track in shown)
    step_ns = int(at.diff().drop_nulls().median() or 0) if len(at) > 1 else 0  # type: ignore[arg-type]
    left_out = f" {drawn} of {long_hauls} directions are drawn." if drawn < long_hauls else ""
    return (
        f"Sampled every {step_ns / 1e6:g} ms: a short burst shows only in what was dropped."
        f"{left_out} All samples are in telemetry.parquet."
    )
