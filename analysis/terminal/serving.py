"""How well requests were served, in the terminal. In: a workload's part of `summary.json`. Out: tables."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis import units
from analysis.terminal.tables import table

Data = dict[str, Any]
_QUANTILES = ("p50_s", "p90_s", "p99_s", "p999_s", "max_s")


def print_serving(found: Data, out: Console) -> None:
    """Latencies, what the first token's is made of, and goodput."""
    out.print(_latencies(found))
    out.print(_groups(found))


def _latencies(found: Data) -> Table:
    title = f"Requests of {found['name']} (warm-up left out)"
    made = table(title, "", "count", "p50", "p90", "p99", "p99.9", "max")
    rows = (
        ("first token", "first_token"),
        ("between tokens", "inter_token"),
        ("  as produced", "inter_token_made"),
        ("whole answer", "end_to_end"),
    )
    for name, key in rows:
        if found[key]:
            made.add_row(name, str(found[key]["count"]), *_cells(found[key]))
    made.caption = _caption(found)
    made.caption_justify = "left"
    made.caption_style = ""
    return made


def _cells(tail: Data) -> list[str]:
    marks = tail["notes"]
    return [
        units.time(tail[key]) + (f" ({marks[key]})" if key in marks else "") for key in _QUANTILES
    ]


def _caption(found: Data) -> str:
    goodput = found["goodput"]
    return (
        f"{units.percent(goodput['share'])} within {units.time(goodput['first_token_s'])} to the first"
        f" token and {units.time(goodput['token_s'])} per token: {goodput['requests_per_s']:.3g}"
        f" requests/s, {found['output_tokens_per_s']:.4g} tokens/s"
    )


def _groups(found: Data) -> Table:
    title = "Time to first token: what it is made of (means)"
    made = table(title, "", "requests", "p50", "p99", "network", "queue", "prefill")
    for listed, key, words in (
        ("by_client", "client_campus", "from"),
        ("by_campus", "campus", "served at"),
        ("by_accelerator", "accelerator", "served by"),
    ):
        for group in found[listed]:
            first, parts = group["first_token"], group["parts"]
            made.add_row(
                Text(f"{words} {group[key]}"),
                str(group["requests"]),
                units.time(first["p50_s"]),
                units.time(first["p99_s"]),
                *(units.time(parts[part]) for part in ("network", "queue", "prefill")),
            )
    return made
