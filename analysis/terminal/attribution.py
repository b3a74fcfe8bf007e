"""An attribution in the terminal. In: what was found, with its runs. Out: rich tables."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from analysis import units
from analysis.form.attribution import Attribution, Remedied
from analysis.pictures.waterfall import characters
from analysis.series.verdict import detectable, headline, verdict
from analysis.terminal.tables import table

_NOTHING_S = 1e-9


def print_attribution(found: Attribution, page: Path, out: Console) -> None:
    """The sentence, the waterfall, the interactions, and where the page is."""
    out.print(Panel(Text(headline(found)), title=Text(str(found.name), "bold")))
    _warn(found, out)
    out.print(_waterfall(found))
    if found.interactions:
        out.print(_interactions(found))
    if found.remedies:
        out.print(_remedies(found.remedies))
        out.print(Text(verdict(found.remedies), "bold"))
    for name in found.without_effect:
        out.print(Text(f"{name} makes no difference to this topology", "dim"))
    out.print(f"page {page}", soft_wrap=True)


def _warn(found: Attribution, out: Console) -> None:
    count = sum(not one.faithful for one in found.runs)
    if count:
        text = f"{count} of {len(found.runs)} runs were UNFAITHFUL: their reports say where."
        out.print(Text(text, "bold white on red"))


def _waterfall(found: Attribution) -> Table:
    seeds = found.seeds
    title = f"From the ideal to the actual iteration (Shapley, {units.counted(seeds, 'seed')})"
    made = table(title, "", "", "time", "emulator's spread", "share")
    made.columns[1].justify = "left"
    known = {one.name: one for one in found.causes}
    for label, bar, value in characters(found, width=22):
        cause = known.get(label)
        around = units.interval(cause.interval_s) if cause else ""
        seen = cause is None or detectable(cause, found)
        share = units.percent(cause.share) if cause and seen else ""
        made.add_row(Text(label), bar, value if seen else "not detectable", around, share)
    return made


def _interactions(found: Attribution) -> Table:
    made = table(
        "What causes do together, beyond each alone", "causes", "extra time", "emulator's spread"
    )
    for one in found.interactions:
        seconds = units.time(one.extra_s) if abs(one.extra_s) > _NOTHING_S else "0 s"
        made.add_row(Text(" × ".join(one.causes)), seconds, units.interval(one.interval_s))
    return made


def _remedies(remedies: list[Remedied]) -> Table:
    priced = ["worth a day"] if any(one.worth_per_day for one in remedies) else []
    made = table(
        "Remedies, by what each buys", "remedy", "saves", "emulator's spread", "share", *priced
    )
    for one in remedies:
        if one.saved_s is None:
            made.add_row(
                Text(one.name, "dim"), Text(one.why_not or "", "dim"), "", "", *[""] * len(priced)
            )
            continue
        worth = one.worth_per_day
        made.add_row(
            Text(one.name),
            units.time(one.saved_s),
            units.interval(one.interval_s),
            units.percent(one.share),
            *[units.money(worth.amount, worth.currency) if worth else ""] * len(priced),
        )
    return made
