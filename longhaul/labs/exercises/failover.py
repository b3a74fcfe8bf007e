"""Lab 8: what a cut costs, in datagrams and iterations, with protection and without: counted in runs made anew."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from longhaul.api.inputs import Topology, topology
from longhaul.api.results import Run
from longhaul.labs.attempt import Attempt, Marked
from longhaul.labs.draws import Drawn

LINK = "c1-c2"
DARK_MS = 400


def fabric(drawn: Drawn, protection: str) -> Topology:
    """A triangle whose first link is cut for a while, under training and probes."""
    names = ("c1", "c2", "c3")
    campus = {"hosts": [{"count": 1, "accelerator": "H100"}]}
    pairs = (("c1", "c2"), ("c2", "c3"), ("c1", "c3"))
    return topology(
        "triangle",
        scale={"bytes": 2000},
        campuses=dict.fromkeys(names, campus),
        links={
            f"{a}-{b}": {
                "between": [a, b],
                "distance": f"{drawn['distance_km']}km",
                "rate": "400Gbit/s",
            }
            for a, b in pairs
        },
        routing={
            "protection": protection,
            "repair-after": f"{drawn['repair_ms']}ms",
            "hold-down": f"{drawn['hold_down_ms']}ms",
        },
        timeline=[
            {
                "event": "link-down",
                "name": "cut",
                "link": LINK,
                "at": f"{drawn['cut_ms']}ms",
                "for": f"{DARK_MS}ms",
            }
        ],
        workloads={
            "training": {
                "kind": "training",
                "model": {"parameters": 0.5e9, "dtype": "bf16"},
                "batch": {"tokens": "256Ki"},
                "iterations": 24,
                "collective": {"algorithm": "ring"},
            },
            "probes": {"kind": "probes", "links": [LINK], "interval": f"{drawn['interval_ms']}ms"},
        },
    )


def mark(work: Attempt) -> Iterator[Marked]:
    """Two runs, and four counts in them."""
    alone, protected = (work.run(fabric(work.drawn, one)) for one in ("none", "fast-failover"))
    yield _count(
        work,
        "lost-unprotected",
        lost(alone),
        "datagrams from c1 to c2 that never came, without protection",
    )
    yield _count(work, "lost-protected", lost(protected), "the same with fast failover")
    touched = len(next(one.touched for one in alone.training.timeline if one.name == "cut"))
    yield _count(
        work,
        "iterations-touched",
        touched,
        "iterations during which the link was dark, without protection",
    )
    yield _back(work, protected)


def _count(work: Attempt, task: str, due: int, asked: str) -> Marked:
    given = work.number(task)
    if given is None:
        return Marked(task, False, asked, f"{work.answers.get(task)!r} is no number")
    said = f"{given:g}, and so the run has it" if given == due else f"not {given:g}"
    return Marked(task, given == due, asked, said, given, due)


def forward(run: Run) -> pl.DataFrame:
    """The probes from the link's first campus to its second, in the order of sending."""
    wanted = (pl.col("link") == LINK) & (pl.col("direction") == "forward")
    return run.table("probes").filter(wanted).sort("sent_ns").collect()


def lost(run: Run) -> int:
    """Datagrams of that direction that never came."""
    return forward(run)["received_ns"].null_count()


def back_ms(run: Run) -> float:
    """When the first datagram was sent after the cut that took no detour: one takes two links' delay at least."""
    cut_ns = run.training.timeline[0].spans_s[0][0] * 1e9
    seen = forward(run).drop_nulls("received_ns")
    seen = seen.with_columns(delay=pl.col("received_ns") - pl.col("sent_ns"))
    direct = pl.col("delay") < 1.9 * pl.col("delay").min()
    after = seen.filter(direct & (pl.col("sent_ns") > cut_ns))
    return float(after.select(pl.col("sent_ns").min()).item()) / 1e6


def _back(work: Attempt, run: Run) -> Marked:
    """To an interval of the probes."""
    task, interval = "back-ms", float(work.drawn["interval_ms"])
    asked = f"milliseconds from the start until a datagram takes the link again, ± {interval:g}"
    given = work.number(task)
    if given is None:
        return Marked(task, False, asked, f"{work.answers.get(task)!r} is no number")
    right = abs(given - back_ms(run)) <= interval
    said = f"{given:g}, as near as probes can tell" if right else f"not {given:g}"
    return Marked(task, right, asked, said, given, back_ms(run))
