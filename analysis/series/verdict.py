"""An attribution in a sentence, and what to do about it in another. In: what was found. Out: text, no markup."""

from __future__ import annotations

from analysis import units
from analysis.findings.headline import NOTICEABLE
from analysis.form.attribution import Remedied, Shares


def headline(found: Shares) -> str:
    """One sentence: how much is lost, and to what."""
    lost_s, ideal_s = found.lost_s, found.ideal_s
    took = f"An iteration takes {units.time(found.actual_s, 4)}"
    if lost_s < ideal_s * 1e-3:
        return (
            f"{took}; without {_listed([one.name for one in found.causes])} it would not be faster."
        )
    ordered = sorted(found.causes, key=lambda one: -one.lost_s)
    shares = [f"{one.name} {units.percent(one.share)}" for one in ordered]
    than = f"{units.time(lost_s)} ({units.percent(lost_s / found.actual_s)}) of it lost"
    return f"{took}, {than}: {_listed(shares)}."


def verdict(remedies: list[Remedied]) -> str:
    """Retrofit, lease or leave: the remedy that frees most GPU time for the same tokens, of those with
    which the model learns as before."""
    tried = [one for one in remedies if one.why_not is None and one.faithful]
    had = [one for one in tried if one.learns_alike]
    retrofits = [one for one in had if not one.leases]
    best = max(had, key=lambda one: one.freed, default=None)
    if best is None or best.freed < NOTICEABLE:
        return f"Leave it: no remedy frees {units.percent(NOTICEABLE)} of the GPU time."
    frees = f"{best.name} frees {units.percent(best.freed)} of the GPU time"
    if not best.leases:
        return f"Retrofit: {frees}{_pays(best)}."
    second = max(retrofits, key=lambda one: one.freed, default=None)
    beside = f", more than any retrofit ({_told(second)})" if second else ""
    return f"Lease: to {frees}{beside}."


def _told(remedy: Remedied) -> str:
    return f"{remedy.name}: {units.percent(remedy.freed)}"


def _pays(remedy: Remedied) -> str:
    worth = remedy.worth_per_day
    if not worth:
        return ""
    year = units.money(worth.amount * 365, worth.currency)
    return f", and pays if it costs less than {year} a year"


def _listed(words: list[str]) -> str:
    return ", ".join(words[:-1]) + (" and " if len(words) > 1 else "") + words[-1]
