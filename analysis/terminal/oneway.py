"""What probes saw, in the terminal. In: rows of `summary.json`. Out: a table."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from analysis import units
from analysis.form.beside import DirectionSeen
from analysis.form.parts import TailKey
from analysis.terminal.tables import captioned, table, tail_cells

_QUANTILES: tuple[TailKey, ...] = ("p50_s", "p99_s", "max_s")


def print_probes(ways: list[DirectionSeen], out: Console) -> None:
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
        times = tail_cells(way.delay, _QUANTILES, 4) if way.delay else ["none came"] * 3
        made.add_row(
            Text(f"{way.source}→{way.sink}"),
            str(way.sent),
            str(way.lost),
            str(way.reordered),
            units.time(way.alone_s, 4),
            *times,
        )
    load = max(way.load for way in ways)
    said = f"alone: with nobody else on the way; the probes are at most {load:.2g} of a link"
    out.print(captioned(made, said))
