"""What `longhaul bench` measured, in the terminal. In: `bench.json`. Out: a table in nccl-tests' columns."""

from __future__ import annotations

from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from analysis.findings.benchmark import alike, left_out
from analysis.form.benchmark import BenchmarkTable, MeasuredCase, read_benchmark

WIDTH = 168
ELEMENT_BYTES = 4
PER_RANK = ("all_gather", "reduce_scatter", "all_to_all")
"""Collectives whose count is of one rank's part, as nccl-tests prints it: the size over the ranks."""
ROOTED = ("broadcast", "reduce")
ROOT = 0
REDUCING = ("all_reduce", "reduce_scatter", "reduce")
COLUMNS = (
    "size\n(B)", "count\n(elements)", "type", "redop", "root", "algorithm", "time\n(us)", "algbw\n(GB/s)",
    "busbw\n(GB/s)", "#wrong", "p50\n(us)", "p99\n(us)", "model\n(us)", "error", "dropped\n(packets)",
)  # fmt: skip


def print_results(folder: Path, out: Console) -> None:
    """The table of a run folder's `bench.json`, WIDTH columns wide."""
    out.width = max(out.width, WIDTH)
    data = read_benchmark(folder)
    out.print(
        f"{data.op} over {data.ranks} hosts of {data.name}: {data.iterations} iterations after"
        f" {data.warmup} to warm up, {data.channels} connection(s) per pair, {_carrier(data)};"
        f" bytes carried are divided by {data.scale_bytes:g}"
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column in COLUMNS:
        words = column.split("\n")[0] in ("type", "redop", "algorithm")
        table.add_column(column, justify="left" if words else "right", no_wrap=True)
    for row in data.rows:
        table.add_row(*_cells(data, row))
    out.print(table)
    for line in alike(data) + left_out(data):
        out.print(line)


def _carrier(data: BenchmarkTable) -> str:
    return data.congestion if data.transport == "tcp" else data.transport


def _cells(data: BenchmarkTable, row: MeasuredCase) -> list[str]:
    auto = "auto: " if row.asked == "auto" else ""
    parts = data.ranks if data.op in PER_RANK else 1
    return [
        f"{row.size_bytes:.0f}",
        f"{row.size_bytes / ELEMENT_BYTES / parts:.0f}",
        "uint32",
        "sum" if data.op in REDUCING else "none",
        str(ROOT) if data.op in ROOTED else "-1",
        auto + row.algorithm,
        _us(row.time_s),
        _gigabytes(row.algbw_Bps),
        _gigabytes(row.busbw_Bps),
        "N/A" if row.wrong is None else str(row.wrong),
        _us(row.p50_s),
        _us(row.p99_s),
        _us(row.predicted_s),
        "–" if row.error is None else f"{row.error:+.1%}",
        "–" if row.dropped is None else str(row.dropped),
    ]


def _gigabytes(rate_Bps: float | None) -> str:
    return "N/A" if rate_Bps is None else f"{rate_Bps / 1e9:.4g}"


def _us(seconds: float) -> str:
    return f"{seconds * 1e6:.1f}"
