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
SECONDS_PER_KM = 4.897e-6
NOTICED_MS = 6.0
"""So long at most until a port's change has reached all switches: Open vSwitch looks every 5 ms."""
QUEUED_MS = 1.0
"""So long at most a datagram waits behind training, whose hosts send at half of the links' rate."""
APART_MS = 1.0
"""No datagram is sent so near to an instant from which on its fate is another."""


def turns_ms(drawn: Drawn) -> list[tuple[float, float]]:
    """From when to when the fate of datagrams changes: those that the cut meets on the wire, those that a switch
    has not yet led round, those for which there is a repair, those that may take the link again."""
    cut = float(drawn["cut_ms"])
    meets = cut - float(drawn["distance_km"]) * SECONDS_PER_KM * 1e3
    repaired = cut + float(drawn["repair_ms"])
    back = cut + DARK_MS + float(drawn["hold_down_ms"])
    noticed = ((one, one + NOTICED_MS) for one in (cut, repaired, back))
    return [(meets - QUEUED_MS, meets), *noticed]


def fair(drawn: Drawn) -> bool:
    """Whether no datagram is sent at such an instant, nor near it."""
    interval = float(drawn["interval_ms"])
    spans = ((first - APART_MS, last + APART_MS) for first, last in turns_ms(drawn))
    return all(
        first % interval + (last - first) < interval and first % interval for first, last in spans
    )


def fabric(drawn: Drawn, protection: str) -> Topology:
    """A triangle whose first link is cut for a while, under probes, and training that fills half of each link."""
    names = ("c1", "c2", "c3")
    campus = {"hosts": [{"count": 1, "accelerator": "H100", "nics": 1, "nic": "200Gbit/s"}]}
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
                "model": {"parameters": 0.25e9, "dtype": "bf16"},
                "batch": {"tokens": "128Ki"},
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
    yield _count(
        work,
        "iterations-touched",
        len(protected.training.timeline[0].touched),
        "iterations during which the link was dark, with fast failover",
        doubtful(protected),
    )
    yield _back(work, protected)


def _count(work: Attempt, task: str, due: int, asked: str, give: int = 0) -> Marked:
    given = work.number(task)
    if given is None:
        return Marked(task, False, asked, f"{work.answers.get(task)!r} is no number")
    right = given.is_integer() and abs(given - due) <= give
    said = f"{given:g}, and so the run has it" if right else f"not {given:g}"
    return Marked(task, right, asked, said, given, due)


def doubtful(run: Run) -> int:
    """How many iterations ended just when the light went, or began just when it came back: they may be counted, or
    not."""
    ((cut_s, back_s),) = run.training.timeline[0].spans_s
    spans = run.events.group_by("iteration").agg(
        begin=pl.col("start_ns").min() / 1e9, end=pl.col("end_ns").max() / 1e9
    )
    near = (pl.col("begin") - back_s).abs() < APART_MS / 1e3
    near |= (pl.col("end") - cut_s).abs() < APART_MS / 1e3
    return int(spans.select(near.sum()).collect().item())


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
