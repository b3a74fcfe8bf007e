"""A benchmark as one self-contained page: bandwidth and time against size, every algorithm beside its model.

In: a run folder with `bench.json`. Out: its `report.html`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from analysis import pages, units
from analysis.findings.benchmark import alike, left_out
from analysis.findings.headline import faithful, warning
from analysis.form.benchmark import BenchmarkTable, MeasuredCase, read_benchmark
from analysis.pictures.charts import Chart
from analysis.pictures.fabric_map import COLOURS
from analysis.pictures.lanes import rank_timeline
from analysis.pictures.scaling import SizeCurve, scaling
from analysis.pictures.tracks import network_tracks
from analysis.report.health import coarsest
from analysis.run import load_benchmark, read_fidelity, read_manifest, read_plan
from analysis.tables import digest, read_events

FAR_OFF = 0.5
"""Of a row by the model: then the headline names it."""

Value = Callable[[MeasuredCase], float]


def write_benchmark_page(run_dir: Path) -> Path:
    """Write `report.html` of a benchmark's folder, and return its path."""
    run_dir = Path(run_dir)
    table, fidelity = read_benchmark(run_dir), read_fidelity(run_dir)
    manifest = read_manifest(run_dir)
    about = {name: manifest[name] for name in ("seed", "time", "machine")}
    run = load_benchmark(run_dir)
    ranks, plan = rank_timeline(run), read_plan(run_dir)
    text = pages.render(
        "bench.html.j2",
        headline=headline(table, warned=warning(fidelity)),
        table=table,
        plan=plan,
        coarse=coarsest(plan),
        manifest=manifest,
        s=about
        | {
            "fidelity": fidelity,
            "faithful": faithful(fidelity),
            "digest": digest(read_events(run_dir / "events.parquet")),
        },
        charts=charts(table),
        ranks=ranks,
        network=network_tracks(run, ranks.begin_ns, ranks.end_ns),
        notes=alike(table) + left_out(table),
    )
    target = run_dir / "report.html"
    target.write_text(text, encoding="utf-8")
    return target


def headline(table: BenchmarkTable, warned: str = "") -> str:
    """The fastest at the largest size, and how far the model is from what was measured."""
    largest = max(row.size_bytes for row in table.rows)
    best = min((row for row in table.rows if row.size_bytes == largest), key=lambda row: row.time_s)
    speed = f", {units.throughput(best.busbw_Bps)} of bus bandwidth" if best.busbw_Bps else ""
    missed = [(abs(row.error), row) for row in table.rows if row.error is not None]
    model = ""
    if missed:
        error, worst = max(missed, key=lambda one: one[0])
        model = f"; the model is within {units.percent(error)} of every row"
        if error > FAR_OFF:
            by = f"{worst.algorithm} of {units.binary_size(worst.size_bytes)}"
            model = f"; the model misses {by} by {units.percent(error)}"
    what = f"{table.op} of {units.binary_size(largest)} over {table.ranks} hosts"
    return f"{warned}{what} took {units.time(best.time_s, 4)} at best ({best.algorithm}{speed}){model}."


def charts(table: BenchmarkTable) -> list[tuple[str, str, Chart]]:
    """(title, what it says, chart) of bandwidth and of time; of a barrier, which moves nothing, none."""
    if any(row.busbw_Bps is None for row in table.rows):
        return []
    speed = _chart(table, _busbw, _predicted_busbw, units.throughput)
    taken = _chart(table, lambda row: row.time_s, lambda row: row.predicted_s, units.time)
    return [
        ("Bus bandwidth", "Higher is better.", speed),
        ("Time", "Mean of the iterations. Lower is better.", taken),
    ]


def _busbw(row: MeasuredCase) -> float:
    return row.busbw_Bps or 0.0


def _predicted_busbw(row: MeasuredCase) -> float:
    return _busbw(row) * row.time_s / row.predicted_s if row.predicted_s else 0.0


def _chart(
    table: BenchmarkTable, measured: Value, model: Value, text: Callable[[float], str]
) -> Chart:
    names = list(dict.fromkeys(_name(row) for row in table.rows))
    series = []
    for number, name in enumerate(names):
        rows = sorted((r for r in table.rows if _name(r) == name), key=lambda row: row.size_bytes)
        points = [(row.size_bytes, measured(row)) for row in rows]
        expected = [(row.size_bytes, model(row)) for row in rows if model(row) > 0]
        series.append(SizeCurve(name, points, expected or points, number % COLOURS))
    return scaling(series, text)


def _name(row: MeasuredCase) -> str:
    """As asked for: auto may mean another algorithm at each size."""
    return row.asked if row.asked == "auto" else row.algorithm
