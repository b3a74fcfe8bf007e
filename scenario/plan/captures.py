"""Which links of a plan are captured, and what the observer must know to do so.

In: a plan and the patterns of `--capture`. Out: what the observer is told (`traffic.host.capture`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from scenario.plan.types import End, Plan, PlannedWire
from scenario.text.diagnostics import (
    Diagnostic,
    InvalidInput,
    Place,
    Source,
    complain,
    nearest,
    one_of,
)

MOST_SHOWN = 20

Receiver = tuple[str, str, float]
"""An interface that receives: its name, a description, and the bit/s at which it is sent to."""


@dataclass(frozen=True)
class CapturedLink:
    """A link, the interface at which it is looked at, and who receives what passes there."""

    name: str
    interface: str
    inwards: Receiver
    outwards: Receiver


@dataclass(frozen=True)
class Capture:
    """What is captured: the first `snap_bytes` of every frame of some links."""

    links: tuple[CapturedLink, ...]
    snap_bytes: int


def plan_capture(plan: Plan, patterns: Sequence[str], snap_bytes: int) -> Capture | None:
    """The capture of all links that a pattern names, None without patterns. Raises InvalidInput.

    A link between a switch and a host has the host's name.
    """
    names = list(dict.fromkeys(name for link in plan.wires for name in (link.name, link.link)))
    wrong = [
        _unknown(pattern, names)
        for pattern in patterns
        if not any(fnmatchcase(name, pattern) for name in names)
    ]
    if wrong:
        raise InvalidInput(wrong)
    chosen = [
        x
        for x in plan.wires
        if any(fnmatchcase(name, pattern) for pattern in patterns for name in (x.name, x.link))
    ]
    often = Counter(link.name for link in chosen)
    captured = (_captured(link, often[link.name] == 1) for link in chosen)
    return Capture(tuple(captured), snap_bytes) if patterns else None


def _captured(link: PlannedWire, unique: bool) -> CapturedLink:
    """Seen from the end that always stands among the switches. Parallel links share a name, and get
    their interface's as well."""
    name = link.name if unique else f"{link.name}-{link.b.interface}"
    inwards, outwards = _receiver(link.b, link.a), _receiver(link.a, link.b)
    return CapturedLink(name, link.b.interface, inwards, outwards)


def _receiver(end: End, sender: End) -> Receiver:
    return end.interface, f"{end.node}, from {sender.node}", sender.shape.rate_bps


def _unknown(pattern: str, names: list[str]) -> Diagnostic:
    place = Place(Source("--capture", (pattern,)), length=len(pattern))
    known = one_of(names, MOST_SHOWN)
    return complain(place, "no link has such a name", expected=known, hint=nearest(pattern, names))
