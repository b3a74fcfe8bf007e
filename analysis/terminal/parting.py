"""Where two runs part, in the terminal. In: a `Parting`. Out: rich, 80 columns."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from analysis.series.first_difference import COMPARED, Parting
from analysis.terminal.tables import table


def print_parting(found: Parting, names: tuple[str, str], out: Console) -> None:
    """Whether all is the same; else what differs in the manifests, and the first event that does."""
    for name, before, after in found.manifest:
        out.print(Text(f"{name}: {_short(before)} → {_short(after)}"))
    if found.same:
        out.print(Text(f"all {found.events} events are the same, to the nanosecond", "bold"))
        return
    if not found.manifest:
        out.print(Text("the manifests say nothing that differs"))
    assert found.first
    what = ", ".join(f"{name} {value}" for name, value in found.first.items())
    out.print(Text(f"{found.differing} of {found.events} events differ, first {what}", "bold"))
    made = table("The first event that differs", "", *names)
    for column in COMPARED:
        made.add_row(column, *(_value(side, column) for side in (found.before, found.after)))
    out.print(made)


def _value(side: dict[str, Any] | None, column: str) -> str:
    return "no such event" if side is None else str(side[column])


def _short(value: Any) -> str:
    """Digests are long."""
    text = str(value)
    return f"{text[:16]}…" if len(text) == 64 else text
