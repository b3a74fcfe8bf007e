"""A study, checked: what is varied over which values, by which design, what is measured, at which depth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import NormalDist
from typing import Literal, TypeAlias

from scenario.expressions.terms import Term

DesignName: TypeAlias = Literal[
    "grid", "random", "latin-hypercube", "sobol", "morris", "one-at-a-time"
]
Depth: TypeAlias = Literal["fabric", "model"]
Keep: TypeAlias = Literal["all", "extremes", "none"]
WORKLOAD = "workload."
"""Paths that begin so are of the workload, all others of the topology."""
DOWN = "down"
"""A row, or a verdict, of a point at which a link carries nothing."""
TAIL = 1e-3
"""Of a normal distribution, cut off at either end: 3.1 standard deviations."""
DIGITS = 6


@dataclass(frozen=True)
class Value:
    """One value of something varied: as `--set` takes it, its name for people, and as a number for the analysis: in SI,
    or the index among choices."""

    text: str
    label: str
    number: float


@dataclass(frozen=True)
class Unit:
    """As a file writes it: `mi`, its size in SI, and whether only whole numbers are meant."""

    name: str = ""
    si: float = 1.0
    quantity: str = ""
    whole: bool = False

    def value(self, number_si: float) -> Value:
        """A value as written with this unit, to six digits."""
        rounded = float(f"{number_si / self.si:.{DIGITS}g}")
        rounded = round(rounded) if self.whole else rounded
        text = f"{rounded:g}{self.name}" if abs(rounded) < 1e6 else f"{rounded!r}{self.name}"
        return Value(text, text, rounded * self.si)


@dataclass(frozen=True)
class Choices:
    """One of some values."""

    values: tuple[Value, ...]
    measured: bool = False
    """Whether their numbers are quantities, in the order of their size, and not only their places."""
    quantity: str = ""

    def at(self, chance: float) -> Value:
        """The value at a chance from 0 to 1."""
        return self.values[min(int(chance * len(self.values)), len(self.values) - 1)]

    def levels(self) -> tuple[Value, ...]:
        """What a grid takes."""
        return self.values


@dataclass(frozen=True)
class Stretch:
    """Anything between two ends, each as likely: of the number, or of its logarithm."""

    low: float
    high: float
    unit: Unit
    steps: int
    logarithmic: bool = False
    measured: bool = True

    @property
    def quantity(self) -> str:
        """What it is: age, distance; empty of a bare number."""
        return self.unit.quantity

    def at(self, chance: float) -> Value:
        """The value at a chance from 0 to 1."""
        if self.unit.whole:
            return self.unit.value(
                min(self.low + int(chance * (self.high - self.low + 1)), self.high)
            )
        if self.logarithmic:
            return self.unit.value(self.low * (self.high / self.low) ** chance)
        return self.unit.value(self.low + chance * (self.high - self.low))

    def levels(self) -> tuple[Value, ...]:
        """What a grid takes: both ends, and evenly between."""
        shares = [step / (self.steps - 1) for step in range(self.steps)]
        if self.unit.whole:
            found = [self.unit.value(round(self.low + s * (self.high - self.low))) for s in shares]
            return tuple(dict.fromkeys(found))
        return tuple(self.at(share) for share in shares)


@dataclass(frozen=True)
class Normal:
    """A normal distribution, less a thousandth at either end."""

    mean: float
    deviation: float
    unit: Unit
    steps: int
    measured: bool = True

    @property
    def quantity(self) -> str:
        """What it is."""
        return self.unit.quantity

    def at(self, chance: float) -> Value:
        """The value at a chance from 0 to 1."""
        inside = TAIL + (1 - 2 * TAIL) * min(max(chance, 0.0), 1.0)
        return self.unit.value(NormalDist(self.mean, self.deviation).inv_cdf(inside))

    def levels(self) -> tuple[Value, ...]:
        """What a grid takes: the middles of equally likely parts."""
        return tuple(self.at((step + 0.5) / self.steps) for step in range(self.steps))


Spread: TypeAlias = Choices | Stretch | Normal


@dataclass(frozen=True)
class Varied:
    """Something varied: its path as written, and all paths that it stands for, which get the same value.

    `usual` is its value where something else is varied alone.
    """

    path: str
    targets: tuple[str, ...]
    spread: Spread
    usual: Value

    def settings(self, value: Value) -> tuple[str, ...]:
        """As `--set` and `--set-workload` take them, the latter still with `workload.` before."""
        return tuple(f"{target}={value.text}" for target in self.targets)


@dataclass(frozen=True)
class Sample:
    """Of a study by the model, how many points are carried out in the fabric, of what, and by which share the two may
    differ (relative; of shares themselves absolute) for the model to be believed."""

    points: int = 20
    differ: float = 0.05
    measure: tuple[str, ...] = ()


@dataclass(frozen=True)
class Study:
    """A study as its file asks for it. Settings are texts as `--set` takes them."""

    name: str
    description: str
    files: tuple[Path, ...]
    topology: Path
    workload: Path | None
    fixed: tuple[str, ...]
    varied: tuple[Varied, ...]
    design: DesignName
    points: int | None
    draw: int
    seeds: int
    measure: tuple[str, ...]
    constraints: tuple[tuple[str, Term], ...]
    verdict: tuple[str, Term] | None
    depth: Depth
    sample: Sample
    keep: Keep
    budget_s: float = math.inf
    budget_points: int | None = None

    @property
    def file(self) -> Path:
        """Where it is written."""
        return self.files[-1]

    @property
    def rules_verdict(self) -> bool:
        """Whether it asks for a verdict."""
        return "verdict" in self.measure


@dataclass(frozen=True)
class StudyPoint:
    """A point of a design: its number, and a value for each thing varied, in their order."""

    index: int
    values: tuple[Value, ...]

    def settings(self, study: Study) -> tuple[str, ...]:
        """All settings of the study here."""
        own = [t for v, one in zip(study.varied, self.values, strict=True) for t in v.settings(one)]
        return (*study.fixed, *own)

    def known(self, study: Study) -> Mapping[str, float | str]:
        """The values by path, for expressions: quantities in SI, of other choices their names."""
        return {
            one.path: value.number if one.spread.measured else value.label
            for one, value in zip(study.varied, self.values, strict=True)
        }


@dataclass(frozen=True)
class Design:
    """The points of a study in order, most informative first, and how many a constraint took away.

    `chances` are their places in the unit cube, which the indices of Morris are worked out from;
    `block` is how many points belong together, of a design of blocks (Sobol', Morris).
    """

    points: tuple[StudyPoint, ...]
    excluded: int = 0
    chances: tuple[tuple[float, ...], ...] = field(default=(), repr=False)
    block: int = 1
