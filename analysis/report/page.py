"""`report.html`: one self-contained file that answers, with the evidence, offline and on paper.

In: a finished run folder with its `summary.json`. Out: the file. Geometry comes from `charts`,
`fabric_map` and `timeline`; the page itself is `page/report.html.j2`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from analysis import pages, units
from analysis.findings import incidents, network
from analysis.findings.collisions import sentence
from analysis.findings.critical import critical_path
from analysis.findings.equals import unequal_shares
from analysis.findings.headline import NOTICEABLE
from analysis.findings.stalls import collectives, iterations
from analysis.findings.tail import QUANTILES, distribution, survival
from analysis.form.stalls import Blame, Rank, Times
from analysis.form.summary import TrainingSummary, read_summary
from analysis.form.training import OBSERVED
from analysis.pictures.arcs import HEALTH, aged
from analysis.pictures.bands import cost_text, event_picture
from analysis.pictures.charts import Chart, Series, distributions, stacked_bars, survivals
from analysis.pictures.crossings import message_rows, path_rows
from analysis.pictures.fabric_map import COLOURS, fabric_map, palette
from analysis.pictures.heat import MOST_RANKS, rank_heat
from analysis.pictures.lanes import Timeline, message_timeline, rank_timeline, typical_iteration
from analysis.pictures.tracks import network_tracks
from analysis.report import serving as serving_page
from analysis.report.health import coarsest
from analysis.report.probes import probe_chart
from analysis.run import Run, load_run
from analysis.tables import NS

Data = dict[str, Any]
_TOP = 12
_MOST_CURVES = 6
_MAIN = COLOURS


def write_report(run_dir: Path) -> Path:
    """Write `report.html` of a run folder and return its path. Expects `summary.json` to be there."""
    run_dir = Path(run_dir)
    summary = read_summary(run_dir)
    target = run_dir / "report.html"
    if isinstance(summary, TrainingSummary):
        page = render(load_run(run_dir), summary)
    else:
        page = serving_page.render(run_dir, summary)
    target.write_text(page, encoding="utf-8")
    return target


def render(run: Run, summary: TrainingSummary) -> str:
    """The page as text."""
    costs = network.happened(run)
    ranks = rank_timeline(run, happened=_worth_a_band(costs, summary))
    return pages.render(
        "report.html.j2",
        headline=summary.headline,
        s=summary,
        manifest=run.manifest,
        plan=run.plan,
        coarse=coarsest(run.plan),
        map=_map(run, summary),
        health_names=HEALTH,
        palette=palette(run.plan),
        bars=budget_bars(summary),
        timelines=_timelines(run, ranks),
        network=network_tracks(run, ranks.begin_ns, ranks.end_ns),
        crossings=_crossings(run, ranks),
        rank_heat=rank_heat(run),
        every_rank=rank_bars(summary),
        probe_chart=probe_chart(run.path, summary.probes),
        typical=typical_iteration(run),
        events=event_picture(run, costs),
        costs=[(one, cost_text(one)) for one in costs],
        iteration_chart=iteration_chart(run, summary),
        collective_chart=collective_chart(run),
        message_chart=message_chart(run),
        links=link_rows(run.plan, summary),
        heat=heat_rows(summary.stalls.blame),
        blamed=_most_blamed(summary),
        unequal=unequal_shares(summary.stalls.by_rank),
        waits=_waits(summary),
        collisions_say=sentence(summary.collisions) if summary.collisions else None,
        services=serving_page.services(run.path),
    )


def iteration_chart(run: Run, summary: TrainingSummary) -> Chart:
    """The distribution of iteration times with the quantiles that the samples support."""
    found = summary.iterations
    values = [(key, found.value(key), q) for key, q in QUANTILES.items()]
    supported = [(value_s, q) for key, value_s, q in values if key not in found.notes]
    series = [Series("iterations", distribution(_seconds(iterations(run)["duration_ns"])), _MAIN)]
    return distributions(series, supported)


def collective_chart(run: Run) -> Chart:
    """The distribution of how long a rank was in the collective, by GPU generation."""
    waits = collectives(run.measured).join(run.ranks, on="rank")
    series = []
    for name, colour in palette(run.plan).items():
        times = _seconds(waits.filter(pl.col("accelerator") == name)["duration_ns"])
        if len(times):
            series.append(Series(f"{name} (n={len(times)})", distribution(times), colour))
    return distributions(series)


def message_chart(run: Run) -> Chart | None:
    """How many messages took longer, by pair of campuses: those of the longest first, at most six."""
    found = run.messages
    pairs = (
        found.group_by("src_campus", "dst_campus")
        .agg(pl.col("message_ns").max())
        .sort(["message_ns", "src_campus", "dst_campus"], descending=[True, False, False])
    )
    series = []
    for colour, (src, dst, _) in enumerate(pairs.head(_MOST_CURVES).iter_rows()):
        own = found.filter((pl.col("src_campus") == src) & (pl.col("dst_campus") == dst))
        label = f"{src} → {dst} (n={own.height})"
        series.append(Series(label, survival(_seconds(own["message_ns"])), colour))
    return survivals(series) if series else None


def budget_bars(summary: TrainingSummary) -> list[Any]:
    """Where an iteration goes: ideals first, then each generation on each campus."""
    stalls = summary.stalls
    rows: list[tuple[str, str, list[tuple[str, float]]]] = []
    if stalls.one_campus:
        whole = stalls.one_campus.iteration_s
        rows.append(("One uniform campus", "predicted", [("iteration", whole)]))
    ideal = stalls.ideal
    equal = [("compute", ideal.compute_s), ("transfer", ideal.communication_s)]
    rows.append(("Nobody straggles", "same fabric", equal))
    chain: list[tuple[str, float]] = list(summary.critical_path.by_kind().items())
    rows.append(("Critical path", "what the time is made of", chain))
    for group in stalls.by_group:
        label = f"{group.accelerator} · {group.campus}"
        rows.append((label, units.counted(group.ranks, "rank"), _spent(group)))
    return stacked_bars(rows, left=0, width=100)


def rank_bars(summary: TrainingSummary) -> list[Any]:
    """The same of every rank, with what of its compute hides communication; none where there are too many."""
    ranks = summary.stalls.by_rank
    if len(ranks) > MOST_RANKS:
        return []
    rows = [(f"{one.rank} · {one.name}", one.accelerator, _overlapped(one)) for one in ranks]
    return stacked_bars(rows, left=0, width=100)


def link_rows(plan: Data, summary: TrainingSummary) -> list[Data]:
    """Each long-haul link as asked, with how long messages took between its campuses."""
    measured = {(row.src_campus, row.dst_campus): row for row in summary.links}
    scale = plan.get("scale_bytes", 1.0)
    rows = []
    for link in plan["links"]:
        both = [measured.get(pair) for pair in ((link["a"], link["b"]), (link["b"], link["a"]))]
        rows.append(
            {
                **link,
                "aged": aged(link),
                "rate_bps": link["forward"]["rate_bps"] * scale,
                "messages": [m for m in both if m],
            }
        )
    return rows


def heat_rows(blame: Blame) -> Data:
    """The blame matrix with each value's share of the largest (`heat`, 0 to 1)."""
    largest = max((value for row in blame.waited_s for value in row), default=0.0) or 1.0
    cells = [[(value, value / largest) for value in row] for row in blame.waited_s]
    return {"groups": blame.groups, "cells": list(zip(blame.groups, cells, strict=True))}


def _map(run: Run, summary: TrainingSummary) -> Any:
    ranks = summary.stalls.by_rank if _waits(summary) else []
    return fabric_map(run.plan, {rank.rank: rank.blamed_share for rank in ranks})


def _waits(summary: TrainingSummary) -> bool:
    """Whether ranks waited for each other long enough to ask for whom."""
    stalls = summary.stalls
    return stalls.sync_wait_s >= NOTICEABLE * stalls.whole_s


def _worth_a_band(
    costs: list[incidents.Cost], summary: TrainingSummary
) -> list[incidents.Incident]:
    """The timeline's events, and of what was seen that which cost something."""
    least_s = NOTICEABLE * summary.iterations.p50_s
    return [
        one.incident
        for one in costs
        if one.incident.kind not in OBSERVED or (one.cost_s or 0.0) >= least_s
    ]


def _crossings(run: Run, shown: Timeline) -> Data:
    """Messages and the critical path of the iterations that a timeline shows."""
    numbers = [int(mark.label) for mark in shown.marks]
    path = critical_path(run)
    return {
        "messages": message_rows(run, numbers, shown.begin_ns),
        "path": path_rows(run, path, numbers, shown.begin_ns),
    }


def _timelines(run: Run, ranks: Timeline) -> list[tuple[str, str, Timeline]]:
    """(id, title, timeline) of what is shown as lanes."""
    inside = message_timeline(run)
    shown = [("ranks", "What every rank did", ranks)]
    return [*shown, ("messages", "Inside the slowest collective", inside)] if inside else shown


def _most_blamed(summary: TrainingSummary) -> list[Rank]:
    ranks = summary.stalls.by_rank
    return sorted(ranks, key=lambda rank: (-rank.blamed_s, rank.rank))[:_TOP]


def _overlapped(rank: Rank) -> list[tuple[str, float]]:
    alone_s = max(rank.compute_s - rank.hidden_communication_s, 0.0)
    parts = [("compute", alone_s), ("overlap", rank.hidden_communication_s)]
    return [*parts, *_spent(rank)[1:]]


def _spent(group: Times) -> list[tuple[str, float]]:
    return [
        ("compute", group.compute_s),
        ("sync wait", group.sync_wait_s),
        ("transfer", group.transfer_s),
        ("idle", group.idle_s),
    ]


def _seconds(nanoseconds: pl.Series) -> pl.Series:
    return nanoseconds.cast(pl.Float64) * NS
