"""An attribution for people: in the terminal, and as one self-contained page with its waterfall.

In: what `analysis.series.attribution` found, with its runs. Out: rich tables, `attribution.html`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from analysis import pages, units
from analysis.findings.headline import NOTICEABLE
from analysis.pictures.waterfall import characters, waterfall
from analysis.terminal.tables import table

Data = Mapping[str, Any]
_NOTHING_S = 1e-9


def headline(found: Data) -> str:
    """One sentence: how much is lost, and to what."""
    lost_s, ideal_s = found["lost_s"], found["ideal_s"]
    took = f"An iteration takes {units.time(found['actual_s'], 4)}"
    if lost_s < ideal_s * 1e-3:
        return f"{took}; without {_listed([one['name'] for one in found['causes']])} it would not be faster."
    ordered = sorted(found["causes"], key=lambda one: -one["lost_s"])
    shares = [f"{one['name']} {units.percent(one['share'])}" for one in ordered]
    than = f"{units.time(lost_s)} ({units.percent(lost_s / found['actual_s'])}) of it lost"
    return f"{took}, {than}: {_listed(shares)}."


def verdict(remedies: list[Data]) -> str:
    """Retrofit, lease or leave: the remedy that frees most GPU time for the same tokens, of those with
    which the model learns as before."""
    tried = [one for one in remedies if one["why_not"] is None and one["faithful"]]
    had = [one for one in tried if one["learns_alike"]]
    retrofits = [one for one in had if not one["leases"]]
    best = max(had, key=lambda one: float(one["share"]), default=None)
    if best is None or best["share"] < NOTICEABLE:
        return f"Leave it: no remedy frees {units.percent(NOTICEABLE)} of the GPU time."
    frees = f"{best['name']} frees {units.percent(best['share'])} of the GPU time"
    if not best["leases"]:
        return f"Retrofit: {frees}{_pays(best)}."
    second = max(retrofits, key=lambda one: float(one["share"]), default=None)
    beside = f", more than any retrofit ({_told(second)})" if second else ""
    return f"Lease: to {frees}{beside}."


def _told(remedy: Data) -> str:
    return f"{remedy['name']}: {units.percent(remedy['share'])}"


def _pays(remedy: Data) -> str:
    worth = remedy["worth_per_day"]
    if not worth:
        return ""
    year = units.money(worth["amount"] * 365, worth["currency"])
    return f", and pays if it costs less than {year} a year"


def write_page(found: Data, path: Path) -> Path:
    """Write the page, and return its path."""
    text = pages.render(
        "attribution.html.j2",
        found=found,
        headline=headline(found),
        verdict=verdict(found["remedies"]) if "remedies" in found else None,
        waterfall=waterfall(found),
        unfaithful=[one for one in found["runs"] if not one["faithful"]],
    )
    path.write_text(text, encoding="utf-8")
    return path


def write_json(found: Data, path: Path) -> None:
    """Write what was found, as data."""
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def print_attribution(found: Data, out: Console) -> None:
    """The sentence, the waterfall, the interactions."""
    out.print(Panel(Text(headline(found)), title=Text(str(found["name"]), "bold")))
    _warn(found, out)
    out.print(_waterfall(found))
    if found["interactions"]:
        out.print(_interactions(found))
    if "remedies" in found:
        out.print(_remedies(found["remedies"]))
        out.print(Text(verdict(found["remedies"]), "bold"))
    for name in found["without_effect"]:
        out.print(Text(f"{name} makes no difference to this topology", "dim"))


def _warn(found: Data, out: Console) -> None:
    count = sum(not one["faithful"] for one in found["runs"])
    if count:
        text = f"{count} of {len(found['runs'])} runs were UNFAITHFUL: their reports say where."
        out.print(Text(text, "bold white on red"))


def _waterfall(found: Data) -> Any:
    seeds = found["seeds"]
    title = f"From the ideal to the actual iteration (Shapley, {units.counted(seeds, 'seed')})"
    made = table(title, "", "", "time", "95 % of seeds", "share")
    made.columns[1].justify = "left"
    known = {one["name"]: one for one in found["causes"]}
    for label, bar, value in characters(found, width=22):
        cause = known.get(label)
        around = units.interval(cause["interval_s"]) if cause else ""
        share = units.percent(cause["share"]) if cause else ""
        made.add_row(Text(label), bar, value, around, share)
    return made


def _interactions(found: Data) -> Any:
    made = table(
        "What causes do together, beyond each alone", "causes", "extra time", "95 % of seeds"
    )
    for one in found["interactions"]:
        seconds = units.time(one["extra_s"]) if abs(one["extra_s"]) > _NOTHING_S else "0 s"
        made.add_row(Text(" × ".join(one["causes"])), seconds, units.interval(one["interval_s"]))
    return made


def _remedies(remedies: list[Data]) -> Any:
    made = table(
        "Remedies, by what each buys", "remedy", "saves", "95 % of seeds", "", "worth a day"
    )
    for one in remedies:
        if one["why_not"]:
            made.add_row(Text(one["name"], "dim"), Text(one["why_not"], "dim"), "", "", "")
            continue
        worth = one["worth_per_day"]
        made.add_row(
            Text(one["name"]),
            units.time(one["saved_s"]),
            units.interval(one["interval_s"]),
            units.percent(one["share"]),
            units.money(worth["amount"], worth["currency"]) if worth else "no price",
        )
    return made


def _listed(words: list[str]) -> str:
    return ", ".join(words[:-1]) + (" and " if len(words) > 1 else "") + words[-1]
