"""What probes saw, in the terminal. In: rows of `summary.json`. Out: a table."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from analysis import units
from analysis.terminal.tables import table

Data = dict[str, Any]


def print_probes(ways: list[Data], out: Console) -> None:
    """One-way delays of the long-haul links under load, loss and reordering."""
    made = table(
        "Probes of the long-haul links",
        "way",
        "sent",
        "lost",
        "reordered",
        "alone",
        "p50",
        "p99",
        "max",
    )
    for way in ways:
        delay = way["delay"]
        marks = delay["notes"] if delay else {}
        times = [
            units.time(delay[key], 4) + (f" ({marks[key]})" if key in marks else "")
            for key in ("p50_s", "p99_s", "max_s")
        ] if delay else ["none came"] * 3  # fmt: skip
        made.add_row(
            Text(f"{way['source']}→{way['sink']}"),
            str(way["sent"]),
            str(way["lost"]),
            str(way["reordered"]),
            units.time(way["alone_s"], 4),
            *times,
        )
    load = max(way["load"] for way in ways)
    made.caption = (
        f"alone: with nobody else on the way; the probes are at most {load:.2g} of a link"
    )
    made.caption_justify = "left"
    made.caption_style = ""
    out.print(made)
