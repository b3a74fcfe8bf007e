"""Outcomes of checks in the terminal: a line each, and of those that do not hold their place, too."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from analysis.checks.ruling import Outcome


def print_outcomes(title: str, outcomes: Sequence[Outcome], out: Console) -> None:
    """How many hold, then each."""
    held = sum(one.holds for one in outcomes)
    style = "bold" if held == len(outcomes) else "bold red"
    out.print(Text(f"{title}: {held} of {len(outcomes)} checks hold", style))
    longest = max((len(one.claim.name) for one in outcomes), default=0)
    for one in outcomes:
        out.print(_line(one, longest), soft_wrap=True)


def _line(one: Outcome, longest: int) -> Text:
    mark = Text("  ok     " if one.holds else "  FAILED ", "green" if one.holds else "bold red")
    told = mark + Text(f"{one.claim.name:<{longest}}  {one.asked}: found {one.found}")
    return told if one.holds else told + Text(f"\n         {one.claim.place}", "dim")
