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
from analysis.report.probes import probe_chart
from analysis.run import read_manifest, read_plan

Data = dict[str, Any]


def services(run_dir: Path) -> list[Data]:
    """What the page shows of each inference workload of a run folder."""
    return [_service(served) for served in load_served(run_dir)]


def render(run_dir: Path, summary: ServingSummary) -> str:
    """The page of a run in which nobody trains, as text."""
    return pages.render(
        "serving-run.html.j2",
        headline=summary.headline,
        s=summary,
        plan=read_plan(run_dir),
        manifest=read_manifest(run_dir),
        services=services(run_dir),
        probe_chart=probe_chart(run_dir, summary.probes),
    )


def _service(served: Served) -> Data:
    found = summarise(served)
    groups = found.groups()
    return {
        "found": found,
        "sentence": sentence(found),
        "groups": groups,
        "bars": stacked_bars([_bar(label, group) for label, group in groups], left=210, width=850),
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
