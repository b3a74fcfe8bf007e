"""Tables as all of the terminal's output has them: made for 80 columns."""

from __future__ import annotations

from rich import box
from rich.table import Table


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
