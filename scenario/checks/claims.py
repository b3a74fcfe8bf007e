"""Written checks to claims, each with its place in the file; and do their names stand for anything?

In: models. Out: `Claim`s. Complaints go to the document's problems, or come back as diagnostics where the document is a
workload's, whose links and hosts only a topology knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from scenario.checks.language import (
    AnyFigure,
    BoundedModel,
    CheckField,
    Drops,
    Faithful,
    IterationTime,
    LinkGoodput,
    Reach,
    RoundTrip,
    SameDigest,
    Waste,
)
from scenario.text.diagnostics import FEW, Diagnostic, nearest, one_of, printable
from scenario.text.tree import Problems, Steps, place_of
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

WASTE = "stalls.one_campus.waste"


@dataclass(frozen=True)
class Names:
    """What checks may speak of in a topology: its long-haul links, its campuses and hosts, its events."""

    links: Sequence[str]
    places: Sequence[str]
    events: Sequence[str]


def claims(written: Sequence[CheckField], problems: Problems, steps: Steps) -> tuple[Claim, ...]:
    """The checks that stand as a list at `steps`. What makes no sense in them is complained about."""
    counts: dict[str, int] = {}
    made: list[Claim] = []
    for index, one in enumerate(written):
        at = (*steps, index)
        counts[one.check] = counts.get(one.check, 0) + 1
        name = one.name or f"{one.check}-{counts[one.check]}"
        if any(claim.name == name for claim in made):
            problems.add((*at, "name"), f"a second check called {name}", "a name of its own")
        if isinstance(one, BoundedModel):
            _check_bounds(one, problems, at)
        if isinstance(one, RoundTrip):
            _check_ends(one, problems, at)
        place = place_of(problems.root, at)
        file = printable(place.source.name)
        written_at = {"file": file, "line": place.line, "column": place.column}
        made.append(_claim(one, {"name": name, "kind": one.check} | written_at))
    return tuple(made)


def _claim(one: CheckField, common: dict[str, Any]) -> Claim:
    """One of them."""
    if isinstance(one, Reach):
        return _pings(one, common, Bounds(), answered=one.answered)
    if isinstance(one, RoundTrip) and not one.link:
        return _pings(one, common, _bounds(one), answered=True)
    if isinstance(one, RoundTrip | LinkGoodput | Drops):
        return LinkClaim(links=one.link or "", measure=one.check, bounds=_bounds(one), **common)
    if isinstance(one, SameDigest):
        return DigestClaim(digest=one.begins, **common)
    return FaithfulClaim(**common) if isinstance(one, Faithful) else _figure(one, common)


def _figure(one: IterationTime | Waste | AnyFigure, common: dict[str, Any]) -> FigureClaim:
    quantity: Quantity
    if isinstance(one, IterationTime):
        path, quantity = f"iterations.{one.figure}_s", "time"
    elif isinstance(one, Waste):
        path, quantity = WASTE, "share"
    else:
        path, quantity = one.path, "time" if one.path.endswith("_s") else "number"
    return FigureClaim(path=path, quantity=quantity, bounds=_bounds(one), **common)


def _pings(
    one: Reach | RoundTrip, common: dict[str, Any], bounds: Bounds, *, answered: bool
) -> PingClaim:
    return PingClaim(
        sources=_listed(one.start),
        sinks=_listed(one.to),
        answered=answered,
        bounds=bounds,
        during=one.during,
        after_s=one.after if one.during else 0.0,
        **common,
    )


def _listed(patterns: list[str] | str | None) -> tuple[str, ...]:
    return (patterns,) if isinstance(patterns, str) else tuple(patterns or ())


def _bounds(one: BoundedModel[Any]) -> Bounds:
    if one.about is None:
        return Bounds(one.at_least, one.at_most)
    off = abs(one.about) * one.within
    return Bounds(one.about - off, one.about + off)


def _check_bounds(one: BoundedModel[Any], problems: Problems, at: Steps) -> None:
    said = one.at_least is not None or one.at_most is not None
    if said == (one.about is not None):
        message = "`about` beside other bounds" if said else "a check without bounds"
        problems.add(at, message, "`at-least`, `at-most` or both; or `about`")
    elif one.at_least is not None and one.at_most is not None and one.at_least > one.at_most:
        problems.add((*at, "at-least"), "more than `at-most`", "a value that is not above it")
    if "within" in one.model_fields_set and one.about is None:
        problems.add_key((*at, "within"), "`within` goes with `about`", "`about`")


def _check_ends(one: RoundTrip, problems: Problems, at: Steps) -> None:
    hosts = one.start is not None and one.to is not None
    either = one.start is not None or one.to is not None
    if either == (one.link is not None) or either != hosts:
        problems.add(at, "a round trip of what?", "`link`; or `from` and `to`")
    elif one.during and one.link:
        hint = "a link is measured before the workload: say `from` and `to`"
        problems.add_key((*at, "during"), "no event is in force then", hint=hint)


def check_names(made: Sequence[Claim], names: Names, problems: Problems, steps: Steps) -> None:
    """Complain of links, hosts and events that checks name and that are not there."""
    for index, claim in enumerate(made):
        for key, found, known in _unknown(claim, names):
            told = _told(found, known)
            problems.add((*steps, index, key), *told)


def strangers(made: Sequence[Claim], names: Names) -> Iterator[Diagnostic]:
    """The same of checks whose document has been read before."""
    for claim in made:
        for key, found, known in _unknown(claim, names):
            message, expected, hint = _told(found, known)
            yield Diagnostic(
                claim.file, claim.line, claim.column, message, f"{claim.name}.{key}", found,
                expected, hint,
            )  # fmt: skip


def _unknown(claim: Claim, names: Names) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Keys, what they say, and what they could have said."""
    named: list[tuple[str, tuple[str, ...], Sequence[str]]] = []
    if isinstance(claim, LinkClaim):
        named = [("link", (claim.links,), names.links)]
    elif isinstance(claim, PingClaim):
        event = (claim.during,) if claim.during else ()
        named = [("from", claim.sources, names.places), ("to", claim.sinks, names.places)]
        named += [("during", event, names.events)]
    for key, patterns, known in named:
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in known):
                yield key, pattern, known


def _told(found: str, known: Sequence[str]) -> tuple[str, str, str]:
    return "there is nothing of that name", one_of(known, FEW) or "none", nearest(found, known)
