"""Tables as all of the terminal's output has them: made for 80 columns."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table

from analysis import units
from analysis.form.parts import Tail, TailKey


def table(title: str, *columns: str, text: int = 1) -> Table:
    """A table whose first `text` columns are words (left) and the others numbers (right)."""
    made = Table(
        title=f"\n{title}",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
    )
    for index, column in enumerate(columns):
        made.add_column(column, justify="left" if index < text else "right", overflow="fold")
    return made


def captioned(made: Table, caption: str) -> Table:
    """The table with a line below it, in plain type."""
    made.caption = caption
    made.caption_justify = "left"
    made.caption_style = ""
    return made


def tail_cells(found: Tail, keys: Sequence[TailKey], digits: int = 3) -> list[str]:
    """Quantiles of a tail, each marked where the samples are too few for it."""
    return [
        units.time(found.value(key), digits)
        + (f" ({found.notes[key]})" if key in found.notes else "")
        for key in keys
    ]
