"""What a file says must hold of a run: the entries of its `checks`, in SI units.

Each claim is held against the evidence of a run by `analysis.checks.ruling`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Quantity: TypeAlias = Literal["time", "share", "rate", "count", "number"]
"""What a bounded figure is, so that people are told it in its unit."""


@dataclass(frozen=True)
class Bounds:
    """Between `least` and `most`, both allowed; None: no bound."""

    least: float | None = None
    most: float | None = None

    def hold(self, value: float) -> bool:
        """Whether a value lies within."""
        return (self.least is None or value >= self.least) and (
            self.most is None or value <= self.most
        )


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Something that must hold, by name, and where it is written."""

    name: str
    kind: str
    file: str
    line: int
    column: int

    @property
    def place(self) -> str:
        """`file:line:column`."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, kw_only=True)
class FigureClaim(Claim):
    """A figure of `summary.json`, by its path, lies within bounds."""

    path: str
    quantity: Quantity
    bounds: Bounds


@dataclass(frozen=True, kw_only=True)
class LinkClaim(Claim):
    """What was measured of every long-haul link that matches `links` lies within bounds: `rtt` in seconds, `goodput` in
    the real world's bit/s, `drops` in packets."""

    links: str
    measure: Literal["rtt", "goodput", "drops"]
    bounds: Bounds


@dataclass(frozen=True, kw_only=True)
class PingClaim(Claim):
    """Echoes from each host of `sources` to each of `sinks` come back (or, where `answered` is false, do not), within
    bounds of time. `during` names an event of the timeline that has then been in force for `after_s`."""

    sources: tuple[str, ...]
    sinks: tuple[str, ...]
    answered: bool = True
    bounds: Bounds = Bounds()
    during: str | None = None
    after_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class DigestClaim(Claim):
    """The run's digest begins with `digest`."""

    digest: str


@dataclass(frozen=True, kw_only=True)
class FaithfulClaim(Claim):
    """The fabric did what was asked of it."""
