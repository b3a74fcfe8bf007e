"""What stands beside the ranks in a trace: iterations, critical path, events of the timeline, counters of the network.

In: a run, and the first number that is free for a process. Out: events of the Trace Event Format.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from analysis.export.trace_format import US, Event, counter, instant, meta, named, span
from analysis.findings.again import sent_again
from analysis.findings.critical import critical_path
from analysis.findings.incidents import incidents
from analysis.findings.network import ports, samples
from analysis.findings.stalls import iterations
from analysis.run import Run
from analysis.tables import read_table

MOST_PROBES = 20_000
"""Of a direction that a trace shows."""


def beside(run: Run, free: int) -> Iterator[Event]:
    """All of it: each a process of its own, iterations and critical path above the ranks, the rest below."""
    yield from _iterations(run, free)
    yield from _path(run, free + 1)
    yield from _happened(run, free + 2)
    yield from _network(run, free + 3)
    yield from _probes(run, free + 4)


def _iterations(run: Run, process: int) -> Iterator[Event]:
    yield from named(process, "iterations", -2)
    for number, begin_ns, end_ns, _ in iterations(run).iter_rows():
        yield span(
            f"iteration {number}", "iteration", (process, 0), (begin_ns, end_ns), {"n": number}
        )
        yield instant(f"iteration {number} begins", "iteration", (process, 0), begin_ns)


def _path(run: Run, process: int) -> Iterator[Event]:
    """A row without gaps: what each iteration's time is made of."""
    name = dict(run.ranks.select("rank", "name").iter_rows())
    yield from named(process, "critical path", -1)
    for number, kind, rank, peer, begin_ns, end_ns in critical_path(run).iter_rows():
        ends = f"{name.get(peer)} → {name[rank]}" if kind == "wire" else name[rank]
        args = {"iteration": number, "rank": rank, "peer": peer}
        yield span(f"{kind}: {ends}", "critical path", (process, 0), (begin_ns, end_ns), args)


def _happened(run: Run, process: int) -> Iterator[Event]:
    """The timeline's events, a row each."""
    found = incidents(run)
    if found:
        yield from named(process, "events of the timeline", process)
    for row, one in enumerate(found):
        yield meta(process, "thread_name", {"name": one.name}, row)
        args = {"links": list(one.links), "hosts": list(one.hosts)}
        for times in one.spans_ns:
            yield span(one.says or one.name, "timeline", (process, row), times, args)


def _network(run: Run, process: int) -> Iterator[Event]:
    """Counters: of each direction of each long-haul link what it carried, held, dropped; what TCP sent again."""
    found = samples(run.path)
    if found is None:
        return
    yield from named(process, "network", process)
    for port in ports(run.plan).values():
        rows = found.filter(interface=port.interface).sort("t_ns")
        if not port.ends and not rows["drops"].max():
            continue
        for at_ns, used, queue, drops, marked in rows.select(
            "t_ns", pl.col("utilisation").fill_null(0.0), "queue_packets", "drops", "marked"
        ).iter_rows():
            yield counter(
                f"{port.name} utilisation", process, at_ns, {"percent": round(100 * used, 2)}
            )
            yield counter(f"{port.name} queue", process, at_ns, {"packets": queue})
            yield counter(f"{port.name} lost", process, at_ns, {"dropped": drops, "marked": marked})
    yield from _again(run, process)


def _again(run: Run, process: int) -> Iterator[Event]:
    """Packets that TCP has sent again so far, by sender."""
    rows = sent_again(run.path).group_by("host", "t_ns").agg(pl.col("packets").sum())
    so_far = rows.sort("host", "t_ns").with_columns(pl.col("packets").cum_sum().over("host"))
    for host, at_ns, packets in so_far.iter_rows():
        yield counter(f"{host} sent again", process, at_ns, {"packets": packets})


def _probes(run: Run, process: int) -> Iterator[Event]:
    """What probes took, a counter for each direction of a link; a mark where one was lost. Of very many, of those
    sent one after another the slowest."""
    path = Path(run.path) / "probes.parquet"
    if not path.is_file():
        return
    yield from named(process, "probes", process)
    rows = read_table(path, "link", "direction", "sent_ns", "received_ns").sort(
        "link", "direction", "sent_ns"
    )
    for (link, direction), own in rows.group_by("link", "direction", maintain_order=True):
        name = f"{link} {direction} one way"
        together = pl.int_range(pl.len()) // (-(-own.height // MOST_PROBES))
        taken = own.with_columns(
            delay_ns=pl.col("received_ns") - pl.col("sent_ns"), together=together
        )
        slowest = taken.drop_nulls().sort("delay_ns").group_by("together").last().sort("sent_ns")
        for at_ns, delay_ns in slowest.select("sent_ns", "delay_ns").iter_rows():
            yield counter(name, process, at_ns, {"us": delay_ns / US})
        for at_ns in own.filter(pl.col("received_ns").is_null())["sent_ns"].head(MOST_PROBES):
            yield instant(f"{name}: a probe was lost", "probe", (process, 0), at_ns)
