"""An attribution in a sentence, and what to do about it in another. In: what was found. Out: text, no markup."""

from __future__ import annotations

from analysis import units
from analysis.findings.headline import NOTICEABLE
from analysis.form.attribution import CauseShare, Remedied, Shares, Turning

DETECTABLE = 1e-3
EQUAL = "Held equal: tokens, model, how it learns; a GPU weighs what it achieves."


def headline(found: Shares) -> str:
    """One sentence: how much is lost, and to what."""
    lost_s, ideal_s = found.lost_s, found.ideal_s
    took = f"An iteration takes {units.time(found.actual_s, 4)}"
    if lost_s < ideal_s * 1e-3:
        return (
            f"{took}; without {_listed([one.name for one in found.causes])} it would not be faster."
        )
    ordered = sorted(found.causes, key=lambda one: -one.lost_s)
    shares = [f"{one.name} {units.percent(one.share)}" for one in ordered if detectable(one, found)]
    than = f"{units.time(lost_s)} ({units.percent(lost_s / found.actual_s)}) of it lost"
    unseen = [one.name for one in ordered if not detectable(one, found)]
    also = f"; of {_listed(unseen)} nothing is detectable" if unseen else ""
    return f"{took}, {than}: {_listed(shares)}{also}."


def detectable(cause: CauseShare, found: Shares) -> bool:
    """Whether a cause's share is more than the emulator's own spread: a thousandth of the iteration at least, and not
    both sides of 0 over the seeds."""
    low, high = cause.interval_s or (cause.lost_s, cause.lost_s)
    return abs(cause.lost_s) >= DETECTABLE * found.actual_s and not low <= 0 <= high


def verdict(remedies: list[Remedied]) -> str:
    """Which remedy frees most for the same tokens, of those with which the model learns as before; lease only where
    that frees more than anything that can be done with the hardware that there is.

    Held equal: the tokens, the model, how it learns. A GPU weighs as much as the FLOP/s that it achieves.
    """
    had = [one for one in remedies if one.why_not is None and one.faithful and one.learns_alike]
    retrofits = [one for one in had if not one.leases]
    leases = [one for one in had if one.leases]
    best = max(retrofits, key=lambda one: one.freed, default=None)
    lease = max(leases, key=lambda one: one.freed, default=None)
    if lease and lease.freed >= NOTICEABLE and (best is None or lease.freed > best.freed):
        beside = f", more than {_told(best)}" if best and best.freed > 0 else ""
        return f"Lease: to {_frees(lease)}{beside}. {EQUAL}"
    if best is None or best.freed < NOTICEABLE:
        return f"Leave it: no remedy frees {units.percent(NOTICEABLE)} of the computing. {EQUAL}"
    beside = f" (to {lease.name}: {units.percent(lease.freed)})" if lease else ""
    return f"Mend: {_frees(best)}{_pays(best)}{beside}. {EQUAL}"


def money_verdict(remedies: list[Remedied], turning: Turning | None) -> str | None:
    """The same weighed by money; None where nothing has a price."""
    had = [one for one in remedies if one.money and one.faithful and one.learns_alike]
    best = max(had, key=lambda one: one.gained, default=None)
    if best is None or best.money is None:
        return None
    if best.gained <= 0:
        return "By money: leave it. No remedy is worth more than the cluster as it is."
    said = f"By money: {best.name}, {_billions(best.gained)} more than as it is."
    if turning is None:
        return said
    return (
        f"{said} In {turning.horizon_years:g} years {turning.lease} is worth as much as {turning.train} at a rent of"
        f" {turning.turning_rent_usd:.2f} USD per GPU-hour (reckoned: {turning.rent_usd:.2f}), or where an H100-hour of"
        f" training is worth {turning.turning_compute_usd:.2f} USD (reckoned: {turning.compute_usd:.2f})."
    )


def _billions(amount: float) -> str:
    return f"{amount / 1e9:.3g} bn USD" if abs(amount) >= 1e8 else f"{amount / 1e6:.3g} m USD"


def remedy_detectable(remedy: Remedied) -> bool:
    """Whether what a remedy saves is more than the emulator's own spread."""
    low, high = remedy.interval_s or (remedy.saved_s or 0.0,) * 2
    return abs(remedy.freed) >= DETECTABLE and not low <= 0 <= high


def _frees(remedy: Remedied) -> str:
    return f"{remedy.name} frees {units.percent(remedy.freed)} of the computing"


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
