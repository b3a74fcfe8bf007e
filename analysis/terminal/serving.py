"""How well requests were served, in the terminal. In: a workload's part of `summary.json`. Out: tables."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis import units
from analysis.form.parts import TailKey
from analysis.form.serving import Service
from analysis.terminal.tables import captioned, table, tail_cells

_QUANTILES: tuple[TailKey, ...] = ("p50_s", "p90_s", "p99_s", "p999_s", "max_s")


def print_serving(found: Service, out: Console) -> None:
    """Latencies, what the first token's is made of, and goodput."""
    out.print(_latencies(found))
    out.print(_groups(found))


def _latencies(found: Service) -> Table:
    title = f"Requests of {found.name} (warm-up left out)"
    made = table(title, "", "count", "p50", "p90", "p99", "p99.9", "max")
    rows = (
        ("first token", found.first_token),
        ("between tokens", found.inter_token),
        ("  as produced", found.inter_token_made),
        ("whole answer", found.end_to_end),
    )
    for name, tail in rows:
        if tail:
            made.add_row(name, str(tail.count), *tail_cells(tail, _QUANTILES))
    return captioned(made, _caption(found))


def _caption(found: Service) -> str:
    goodput = found.goodput
    return (
        f"{units.percent(goodput.share)} within {units.time(goodput.first_token_s)} to the first"
        f" token and {units.time(goodput.token_s)} per token: {goodput.requests_per_s:.3g}"
        f" requests/s, {found.output_tokens_per_s:.4g} tokens/s"
    )


def _groups(found: Service) -> Table:
    title = "Time to first token: what it is made of (means)"
    columns = ("", "count", "p50", "p99", "network", "queue", "prefill")
    hands = found.parts.handover > 0
    made = table(title, *columns, *(("handed",) if hands else ()))
    for words, group in found.groups():
        first, parts = group.first_token, group.parts
        made.add_row(
            Text(words),
            str(group.requests),
            units.time(first.p50_s),
            units.time(first.p99_s),
            units.time(parts.network),
            units.time(parts.queue),
            units.time(parts.prefill),
            *((units.time(parts.handover),) if hands else ()),
        )
    return made
