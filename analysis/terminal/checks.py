"""Rulings on checks in the terminal: a line each, and of those that do not hold their place, too."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from analysis.checks.ruling import Ruling


def print_rulings(title: str, rulings: Sequence[Ruling], out: Console) -> None:
    """How many hold, then each."""
    held = sum(one.holds for one in rulings)
    style = "bold" if held == len(rulings) else "bold red"
    out.print(Text(f"{title}: {held} of {len(rulings)} checks hold", style))
    longest = max((len(one.claim.name) for one in rulings), default=0)
    for one in rulings:
        out.print(_line(one, longest), soft_wrap=True)


def _line(one: Ruling, longest: int) -> Text:
    mark = Text("  ok     " if one.holds else "  FAILED ", "green" if one.holds else "bold red")
    told = mark + Text(f"{one.claim.name:<{longest}}  {one.asked}: found {one.found}")
    return told if one.holds else told + Text(f"\n         {one.claim.place}", "dim")
