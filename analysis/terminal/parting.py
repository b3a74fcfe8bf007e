"""Where two runs part, in the terminal. In: a `Parting`. Out: rich, 80 columns."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from analysis.series.first_difference import Parting
from analysis.terminal.tables import table


def print_parting(found: Parting, names: tuple[str, str], out: Console) -> None:
    """Whether all is the same; else what differs in the manifests, and the first row that does."""
    for name, before, after in found.manifest:
        out.print(Text(f"{name}: {_short(before)} → {_short(after)}"))
    if found.same:
        counted = " and ".join(f"{count} {name}" for name, count in found.rows)
        out.print(Text(f"all {counted} are the same, to the nanosecond", "bold"))
        return
    if not found.manifest:
        out.print(Text("the manifests say nothing that differs"))
    assert found.first
    what = ", ".join(f"{name} {value}" for name, value in found.first.items())
    counted = ", ".join(name for name, _ in found.rows)
    out.print(Text(f"{found.differing} of {found.total} {counted} differ, first {what}", "bold"))
    made = table(f"The first of the {found.table} that differs", "", *names)
    for column in found.before or found.after or {}:
        made.add_row(column, *(_value(side, column) for side in (found.before, found.after)))
    out.print(made)


def _value(side: dict[str, Any] | None, column: str) -> str:
    return "not there" if side is None else str(side[column])


def _short(value: Any) -> str:
    """Digests are long."""
    text = str(value)
    return f"{text[:16]}…" if len(text) == 64 else text
