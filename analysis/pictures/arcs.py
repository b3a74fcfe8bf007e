"""Long-haul links as arcs above the campuses: how high each goes, so that no text covers another.

In: the links of `plan.json` and where the campuses stand. Out: arcs in a picture's own units, and a link
in words. Near campuses have low arcs, parallel links lie one above another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analysis import units

HEALTH = (
    "no loss",
    "loss below 1e-5",
    "loss to 1e-3, or stepped down",
    "loss above 1e-3, or under half its rate",
)

_ARC_FIRST, _ARC_STEP = 60.0, 98.0
_LETTER, LINE = 6.2, 15.0
_HALF = 0.5
_ROOMY, _LABELLED = 4, 12
"""Up to so many campuses arcs carry two lines of text; up to so many links they carry any."""


@dataclass(frozen=True)
class DrawnLink:
    """A long-haul link by name: an SVG path, lines of text at its top, its health (index in `HEALTH`).

    The text is centred on `x`, about `text_width` wide, its first line on `y`.
    """

    link: str
    path: str
    x: float
    y: float
    text_width: float
    lines: tuple[str, ...]
    health: int
    title: str


@dataclass(frozen=True)
class Flight:
    """An arc before the place of the ground is known: its ends and height, and its link."""

    x1: float
    x2: float
    height: float
    lines: tuple[str, ...]
    link: Mapping[str, Any]
    title: str

    @property
    def middle(self) -> float:
        """Where its top is."""
        return (self.x1 + self.x2) / 2

    @property
    def half(self) -> float:
        """Half the width of its text, roughly."""
        return text_width(self.lines) / 2

    @property
    def room(self) -> float:
        """The height that arc and text need above the ground."""
        return self.height + LINE * len(self.lines) + 16


def flights(plan: Mapping[str, Any], middles: Sequence[float]) -> list[Flight]:
    """The arcs of a plan, near ones first and lowest; `middles` is where each campus's border is.

    One whose text would cover another's goes higher.
    """
    order = {campus["name"]: index for index, campus in enumerate(plan["campuses"])}
    found: list[Flight] = []
    for link in sorted(plan["links"], key=lambda link: abs(order[link["a"]] - order[link["b"]])):
        first, last = sorted((order[link["a"]], order[link["b"]]))
        found.append(
            _raised(_flight(plan, link, (middles[first], middles[last]), last - first), found)
        )
    return found


def landed(flight: Flight, ground: float, depth: float) -> DrawnLink:
    """The arc above campuses that begin at `ground`, ending `depth` inside their frames."""
    y = ground + depth
    lift = y - (flight.height + depth) * 4 / 3
    x1, x2 = flight.x1, flight.x2
    path = f"M{x1:.1f} {y:.1f}C{x1:.1f} {lift:.1f} {x2:.1f} {lift:.1f} {x2:.1f} {y:.1f}"
    top = ground - flight.height - 7 - LINE * (len(flight.lines) - 1)
    state = health(flight.link)
    return DrawnLink(
        flight.link["name"],
        path,
        flight.middle,
        top,
        2 * flight.half,
        flight.lines,
        state,
        flight.title,
    )


def health(link: Mapping[str, Any]) -> int:
    """Index in `HEALTH` by the worse direction's loss and corruption (classes as in CorrOpt), and by
    what age has left of the rate."""
    worst = max(
        link[side].get("loss", 0.0) + link[side].get("corruption", 0.0)
        for side in ("forward", "backward")
    )
    left = link.get("rate_share", 1.0)
    if worst >= 1e-3 or left < _HALF:
        return 3
    if worst >= 1e-5 or left < 1:
        return 2
    return int(worst > 0)


def aged(link: Mapping[str, Any]) -> str:
    """Age and condition: 15 years, worn."""
    age = units.years(link["age_s"]) if link.get("age_s") else "new"
    condition = str(link.get("condition") or "")
    return f"{age}, {condition}" if condition not in {"", age} else age


def link_lines(link: Mapping[str, Any], scale: float) -> tuple[str, ...]:
    """A link in two lines: distance and delay; rate, age, condition and loss."""
    forward = link["forward"]
    loss = units.ratio(max(link[side].get("loss", 0.0) for side in ("forward", "backward")))
    rate_bps, left = forward["rate_bps"] * scale, link.get("rate_share", 1.0)
    stepped = f" of {units.rate(rate_bps / left)}" if left < 1 else ""
    return (
        f"{units.distance(link['distance_m'])} · {units.time(forward['delay_s'])}",
        f"{units.rate(rate_bps)}{stepped} · {aged(link)} · loss {loss}",
    )


def text_width(lines: Sequence[str]) -> float:
    """About how wide lines of text are."""
    return max(map(len, lines), default=0) * _LETTER


def _flight(
    plan: Mapping[str, Any], link: Mapping[str, Any], ends: tuple[float, float], apart: int
) -> Flight:
    lines = link_lines(link, plan.get("scale_bytes", 1.0))
    shown = lines if len(plan["campuses"]) <= _ROOMY else lines[:1]
    shown = shown if len(plan["links"]) <= _LABELLED else ()
    height = _ARC_FIRST + _step(shown) * (apart - 1)
    title = f"{link['name']}: {', '.join(lines)}"
    return Flight(ends[0] + 10, ends[1] - 10, height, shown, link, title)


def _raised(flight: Flight, others: Sequence[Flight]) -> Flight:
    """The same arc, as much higher as its text needs to be clear of the others'."""
    while any(_collide(flight, other) for other in others):
        flight = replace(flight, height=flight.height + _step(flight.lines) / 2)
    return flight


def _step(lines: Sequence[str]) -> float:
    return _ARC_STEP if len(lines) > 1 else _ARC_STEP * 0.6


def _collide(one: Flight, other: Flight) -> bool:
    beside = abs(one.middle - other.middle) >= one.half + other.half + 8
    needed = LINE * max(len(one.lines), len(other.lines), 1) + 12
    return not beside and abs(one.height - other.height) < needed
