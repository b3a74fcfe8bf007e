"""Background load, in the terminal. In: rows of `summary.json`. Out: a table."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from analysis import units
from analysis.terminal.tables import table

Data = dict[str, Any]


def print_background(loads: list[Data], out: Console) -> None:
    """What was offered, what the network took, and what came."""
    made = table(
        "Background load (means)", "name", "way", "what", "offered", "sent", "came", text=3
    )
    for load in loads:
        made.add_row(
            Text(load["name"]),
            Text(f"{load['from']}→{load['to']}"),
            f"{load['protocol']}, {load['pattern']}",
            *(units.rate(load[key]) for key in ("offered_bps", "sent_bps", "received_bps")),
        )
    out.print(made)
