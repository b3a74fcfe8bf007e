"""The part of the report about requests, and the whole report of a run in which nobody trains.

In: `Served` workloads. Out: what `page/serving.html.j2` shows, and the page of `page/serving-run.html.j2`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from analysis import pages, units
from analysis.findings.serving import Served, load_served, sentence, summarise
from analysis.findings.tail import distribution
from analysis.form.serving import RequestFigures
from analysis.form.summary import ServingSummary
from analysis.pictures.charts import Chart, Series, distributions, stacked_bars
from analysis.pictures.lanes import Timeline
from analysis.pictures.service_lanes import service_timeline
from analysis.pictures.tracks import Tracks, network_tracks
from analysis.report.health import coarsest
from analysis.report.probes import probe_chart
from analysis.run import load_places, read_manifest, read_plan
from analysis.tables import read_table

Data = dict[str, Any]


def services(run_dir: Path) -> list[Data]:
    """What the page shows of each inference workload of a run folder."""
    return [_service(served) for served in load_served(run_dir)]


def render(run_dir: Path, summary: ServingSummary) -> str:
    """The page of a run in which nobody trains, as text."""
    lanes, network = _timeline(run_dir)
    plan = read_plan(run_dir)
    return pages.render(
        "serving-run.html.j2",
        lanes=lanes,
        network=network,
        headline=summary.headline,
        s=summary,
        plan=plan,
        coarse=coarsest(plan),
        manifest=read_manifest(run_dir),
        services=services(run_dir),
        probe_chart=probe_chart(run_dir, summary.probes),
    )


def _timeline(run_dir: Path) -> tuple[Timeline | None, Tracks | None]:
    """When replicas had requests, and what the network did meanwhile; nothing where nobody asked."""
    path = Path(run_dir) / "requests.parquet"
    requests = read_table(path) if path.is_file() else None
    if requests is None or requests.is_empty():
        return None, None
    run = load_places(run_dir)
    lanes = service_timeline(requests, run)
    return lanes, network_tracks(run, lanes.begin_ns, lanes.end_ns)


def _service(served: Served) -> Data:
    found = summarise(served)
    groups = found.groups()
    return {
        "found": found,
        "sentence": sentence(found),
        "groups": groups,
        "bars": stacked_bars([_bar(label, group) for label, group in groups], left=0, width=100),
        "first_chart": _chart(served.requests, "client_campus", "first_token_s"),
        "gap_chart": _chart(served.gaps, "accelerator", "gap_s") if served.gaps.height else None,
    }


def _bar(label: str, group: RequestFigures) -> tuple[str, str, list[tuple[str, float]]]:
    made_of = group.parts
    parts = [
        ("network", made_of.network),
        ("in line", made_of.queue),
        ("prefill", made_of.prefill),
        ("handover", made_of.handover),
    ]
    return label, units.counted(group.requests, "request"), parts


def _chart(rows: pl.DataFrame, key: str, latency: str) -> Chart:
    """The distribution of a latency for each value of `key`."""
    series = []
    for colour, name in enumerate(rows[key].unique().sort()):
        times = rows.filter(pl.col(key) == name)[latency]
        series.append(Series(f"{name} (n={len(times)})", distribution(times), colour))
    return distributions(series)
