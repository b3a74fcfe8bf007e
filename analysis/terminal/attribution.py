"""An attribution in the terminal. In: what was found, with its runs. Out: rich tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from analysis import units
from analysis.form.attribution import Attribution, Remedied
from analysis.pictures.waterfall import characters
from analysis.series.verdict import (
    detectable,
    headline,
    money_verdict,
    remedy_detectable,
    verdict,
)
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
        out.print(_remedies(found.remedies, found.seeds))
        out.print(Text(verdict(found.remedies), "bold"))
        if by_money := money_verdict(found.remedies, found.turning):
            out.print(Text(by_money, "bold"))
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


def _remedies(remedies: list[Remedied], seeds: int) -> Table:
    columns = _columns(remedies, seeds)
    made = table("Remedies, by what each gains", "remedy", *columns)
    for one in remedies:
        if one.saved_s is None:
            why = Text(one.why_not or "", "dim")
            made.add_row(Text(one.name, "dim"), why, *[""] * (len(columns) - 1))
        else:
            made.add_row(Text(one.name), *(shown(one) for shown in columns.values()))
    return made


def _columns(remedies: list[Remedied], seeds: int) -> dict[str, Callable[[Remedied], str]]:
    """What there is to say of all of them, by its head."""
    columns: dict[str, Callable[[Remedied], str]] = {"saves": _saves}
    if seeds > 1:
        columns["emulator's spread"] = lambda one: units.interval(one.interval_s)
    columns["computing"] = lambda one: units.percent(one.share) if remedy_detectable(one) else ""
    if not any(one.money for one in remedies):
        columns["worth a day"] = _worth
    else:  # which says the same, and more
        columns["capital"] = lambda one: _money(one, "capital_usd")
        columns["gains, bn USD"] = lambda one: _money(one, "gained_usd")
        columns["Mtok/USD"] = lambda one: (
            f"{one.money.tokens_per_usd / 1e6:.3g}" if one.money else ""
        )
    return columns


def _saves(one: Remedied) -> str:
    return units.time(one.saved_s or 0.0) if remedy_detectable(one) else "not detectable"


def _worth(one: Remedied) -> str:
    return (
        units.money(one.worth_per_day.amount, one.worth_per_day.currency)
        if one.worth_per_day
        else ""
    )


def _money(one: Remedied, key: str) -> str:
    """In billions."""
    return f"{getattr(one.money, key) / 1e9:.3g}" if one.money else ""
