"""A comparison of runs in the terminal: the sentence, then a table. In: a `Comparison`. Out: rich, 80 columns."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from analysis import units
from analysis.series.compare import Comparison, Thing
from analysis.terminal.tables import table


def print_comparison(found: Comparison, out: Console) -> None:
    """What differs between two things, how sure that is, and how it was found."""
    names = f"{found.before.name} → {found.after.name}"
    if found.identical:
        out.print(Text(f"{names}: identical, every event to the nanosecond", "bold"))
        return
    made = table(
        names, "mean per iteration", "before", "after", "difference", "emulator's spread", "real?"
    )
    for one in found.differences:
        sign = "+" if one.after_s > one.before_s else ""
        made.add_row(
            one.figure,
            units.time(one.before_s, 4),
            units.time(one.after_s, 4),
            sign + units.time(one.after_s - one.before_s),
            units.interval(one.interval.as_list()),
            Text("yes", "bold") if one.real else Text("no", "dim"),
        )
    out.print(made)
    out.print(Text(_how(found.before, found.after), "dim"))


def _how(before: Thing, after: Thing) -> str:
    seeds = min(len(before.runs), len(after.runs))
    if seeds > 1:
        return (
            f"Bootstrap over {len(before.runs)} and {len(after.runs)} seeds, and iterations within;"
            " real by Holm's correction over the rows."
        )
    return (
        "Bootstrap over the iterations of one seed: what this seed alone brings about is not told "
        "from a difference. Run more seeds of each and name them all."
    )
