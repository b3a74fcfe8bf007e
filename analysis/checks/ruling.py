"""Does a claim hold? Pure: a claim and the evidence in, a ruling out.

This is what `longhaul check` says, and what labs grade by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import singledispatch

from analysis import units
from analysis.checks.evidence import Echo, Evidence
from analysis.checks.figures import figure
from scenario.types.checks import (
    Bounds,
    Claim,
    DigestClaim,
    FaithfulClaim,
    FigureClaim,
    LinkClaim,
    PingClaim,
    Quantity,
)

MOST_NAMED = 3

WRITTEN: dict[Quantity, Callable[[float], str]] = {
    "time": lambda value: units.time(value, 4),
    "share": units.percent,
    "rate": units.rate,
    "count": lambda value: f"{value:,.0f}",
    "number": lambda value: f"{value:.6g}",
}
MEASURES: dict[str, tuple[str, Quantity]] = {
    "rtt": ("round trip", "time"),
    "goodput": ("goodput", "rate"),
    "drops": ("dropped packets", "count"),
}


@dataclass(frozen=True)
class Ruling:
    """Whether a claim holds. `asked` and `found` are for people; `value` is what was measured, in SI units, where it is
    one number. `ok` None: the run does not have what is asked for, so the claim does not hold either."""

    claim: Claim
    ok: bool | None
    asked: str
    found: str
    value: float | None = None

    @property
    def holds(self) -> bool:
        """Whether it is known to hold."""
        return self.ok is True


def rule(claims: Iterable[Claim], found: Evidence) -> list[Ruling]:
    """The ruling of each claim, in their order."""
    return [rule_on(claim, found) for claim in claims]


@singledispatch
def rule_on(claim: Claim, found: Evidence) -> Ruling:
    """Whether one claim holds."""
    raise NotImplementedError(type(claim), found)


@rule_on.register
def _(claim: FigureClaim, found: Evidence) -> Ruling:
    value = figure(found.summary, claim.path)
    asked = f"{claim.path} {in_words(claim.bounds, claim.quantity)}"
    if value is None:
        return Ruling(claim, None, asked, "this run has no such figure")
    told = WRITTEN[claim.quantity](value)
    return Ruling(claim, claim.bounds.hold(value), asked, told, value)


@rule_on.register
def _(claim: LinkClaim, found: Evidence) -> Ruling:
    what, quantity = MEASURES[claim.measure]
    asked = f"{what} of {claim.links} {in_words(claim.bounds, quantity)}"
    values = _drops(claim, found) if claim.measure == "drops" else _measured(claim, found)
    if not values:
        return Ruling(claim, None, asked, "nothing was measured there")
    wrong = {name: value for name, value in values.items() if not claim.bounds.hold(value)}
    shown = wrong or values
    told = _few([f"{name} {WRITTEN[quantity](value)}" for name, value in shown.items()])
    value = next(iter(values.values())) if len(values) == 1 else None
    return Ruling(claim, not wrong, asked, told, value)


def _measured(claim: LinkClaim, found: Evidence) -> dict[str, float]:
    """What the check of fidelity measured of each link that is meant, in the real world's units."""
    factor = 8 * found.scale if claim.measure == "goodput" else 1.0
    return {
        one.what.replace(" goodput", "").replace(" RTT", ""): one.measured * factor
        for one in found.fidelity
        if one.quantity == claim.measure
        and one.measured is not None
        and fnmatchcase(one.link, claim.links)
    }


def _drops(claim: LinkClaim, found: Evidence) -> dict[str, float]:
    """Of all links that are meant together."""
    listed = [drops for link, drops in found.drops.items() if fnmatchcase(link, claim.links)]
    return {claim.links: float(sum(listed))} if listed else {}


@rule_on.register
def _(claim: PingClaim, found: Evidence) -> Ruling:
    asked = f"{_ends(claim)} {_wanted(claim)}"
    echoes = [one for one in found.echoes if _meant(claim, one, found)]
    if not echoes:
        return Ruling(claim, None, asked, "nobody was asked")
    wrong = [one for one in echoes if not _as_wanted(claim, one)]
    slowest = max((one.rtt_s for one in echoes if one.rtt_s), default=None)
    told = _few([_echo(one) for one in wrong]) if wrong else _all_well(echoes, slowest)
    return Ruling(claim, not wrong, asked, told, slowest)


def _meant(claim: PingClaim, one: Echo, found: Evidence) -> bool:
    return (
        (one.during, one.after_s) == (claim.during, claim.after_s)
        and is_at(one.source, claim.sources, found.campus_of)
        and is_at(one.sink, claim.sinks, found.campus_of)
    )


def is_at(host: str, patterns: Sequence[str], campus_of: Mapping[str, str]) -> bool:
    """Whether patterns of hosts or campuses mean a host."""
    names = (host, campus_of.get(host, ""))
    return any(fnmatchcase(name, one) for name in names for one in patterns)


def _as_wanted(claim: PingClaim, one: Echo) -> bool:
    if one.rtt_s is None or not claim.answered:
        return (one.rtt_s is not None) == claim.answered
    return claim.bounds.hold(one.rtt_s)


def _ends(claim: PingClaim) -> str:
    ends = f"{', '.join(claim.sources)} → {', '.join(claim.sinks)}"
    return f"{ends} during {claim.during}" if claim.during else ends


def _wanted(claim: PingClaim) -> str:
    if claim.bounds != Bounds():
        return in_words(claim.bounds, "time")
    return "answered" if claim.answered else "not answered"


def _echo(one: Echo) -> str:
    said = "no answer" if one.rtt_s is None else units.time(one.rtt_s, 4)
    return f"{one.source} → {one.sink}: {said}"


def _all_well(echoes: Sequence[Echo], slowest: float | None) -> str:
    pairs = f"{len(echoes)} {'pair' if len(echoes) == 1 else 'pairs'}"
    return f"{pairs}, at most {units.time(slowest, 4)}" if slowest else f"{pairs}, no answer"


@rule_on.register
def _(claim: DigestClaim, found: Evidence) -> Ruling:
    digest = str(found.summary.get("digest", ""))
    asked = f"digest {claim.digest}"
    if not digest:
        return Ruling(claim, None, asked, "this run has no digest")
    return Ruling(claim, digest.startswith(claim.digest), asked, digest[: len(claim.digest)])


@rule_on.register
def _(claim: FaithfulClaim, found: Evidence) -> Ruling:
    wrong = [f"{one.what} off by {units.error(one.error)}" for one in found.fidelity if not one.ok]
    if not found.fidelity:
        return Ruling(claim, None, "faithful", "nothing was checked")
    return Ruling(
        claim, not wrong, "faithful", f"UNFAITHFUL: {_few(wrong)}" if wrong else "faithful"
    )


def in_words(bounds: Bounds, quantity: Quantity) -> str:
    """`at most 3 s`, `from 1.2 s to 1.3 s`."""
    write = WRITTEN[quantity]
    if bounds.least is not None and bounds.most is not None:
        return f"from {write(bounds.least)} to {write(bounds.most)}"
    if bounds.least is not None:
        return f"at least {write(bounds.least)}"
    return f"at most {write(bounds.most)}" if bounds.most is not None else "any"


def _few(told: Sequence[str]) -> str:
    more = len(told) - MOST_NAMED
    listed = ", ".join(told[:MOST_NAMED])
    return f"{listed} and {more} more" if more > 0 else listed
