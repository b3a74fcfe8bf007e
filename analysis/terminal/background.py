"""Background load, in the terminal. In: rows of `summary.json`. Out: a table."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from analysis import units
from analysis.form.beside import Load
from analysis.terminal.tables import table


def print_background(loads: list[Load], out: Console) -> None:
    """What was offered, what the network took, and what came."""
    made = table(
        "Background load (means)", "name", "way", "what", "offered", "sent", "came", text=3
    )
    for load in loads:
        made.add_row(
            Text(load.name),
            Text(f"{load.source}→{load.sink}"),
            f"{load.protocol}, {load.pattern}",
            units.rate(load.offered_bps),
            units.rate(load.sent_bps),
            units.rate(load.received_bps),
        )
    out.print(made)
