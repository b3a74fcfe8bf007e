"""The study language: the keys that a file of `kind: study` may have.

Pydantic checks the form; what makes no sense (a path that leads nowhere, a range upside down) is for `loading` to tell.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from scenario.text.fields import Duration, Files, Name, NameField, PositiveShare, Version
from scenario.text.strict import Strict
from scenario.types.study import DesignName

MOST_VARIED = 40
MOST_POINTS = 1_000_000


class _Listed:
    """Says in the JSON Schema that a bare list of values may stand for the mapping."""

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [{"type": "array", "items": {}, "minItems": 1}, handler(core)]}


_STEP = r"[A-Za-z*?][\w*?-]*(?:\[\d{1,6}\])?"
Path: TypeAlias = Annotated[
    str,
    NameField(
        rf"{_STEP}(?:\.{_STEP})*",
        "a path as --set has it, such as links.c1-c2.age; with workload. before it, one of the workload",
        160,
    ),
]
"""Of a value of the topology or, behind `workload.`, of the workload; a step with * or ? stands for all that match."""
Text: TypeAlias = Annotated[str, Field(min_length=1, max_length=1000)]


class VariedModel(Strict):
    """Over which values something is varied. A bare list is short for `values`."""

    values: list[Any] | None = Field(default=None, min_length=1, max_length=1000)
    """The values themselves, as the file that they go into would have them."""
    names: list[Text] = Field(default=[], max_length=1000)
    """What to call these values, where they are long."""
    range: list[Any] | None = Field(default=None, min_length=2, max_length=2)
    """From the first to the second, with units: anything between is as likely. Of two whole numbers, whole ones."""
    normal: list[Any] | None = Field(default=None, min_length=2, max_length=2)
    """Mean and standard deviation of a normal distribution, which is cut off 3.1 deviations from its mean."""
    steps: int = Field(default=5, ge=2, le=1000)
    """How many values a grid, or one at a time, takes of a range or a distribution."""
    spacing: Literal["linear", "logarithmic"] = "linear"
    """Whether values of a range are as likely by their size, or by the logarithm of it."""
    usual: Any = None
    """Its value where something else is varied; without it, what the files say, else the middle."""


VariedField: TypeAlias = Annotated[VariedModel, _Listed()]


class SampleModel(Strict):
    """Of a study by the model: what is carried out in the fabric, so that the model is believed or not."""

    points: int = Field(default=20, ge=1, le=10_000)
    """How many points: those where the verdict turns, the extremes, the rest spread over all."""
    differ: PositiveShare = 0.05
    """By which share model and fabric may differ. Beyond it at any point the study does not conclude."""
    measure: list[Text] = Field(default=[], max_length=100)
    """What is held against each other; without it, all that is measured and that one run answers."""


class BudgetModel(Strict):
    """What a study may take. The most informative points come first, and what is missing is said."""

    time: Duration | None = None
    """Wall time, after which no further point is begun."""
    points: int | None = Field(default=None, ge=1, le=MOST_POINTS)
    """Points."""


class StudyModel(Strict):
    """A study: many runs, or forecasts, that differ in a few things."""

    longhaul: Version
    """Version of this language."""
    kind: Literal["study"]
    """That it is a study."""
    name: Name
    """Name of the study."""
    description: str = ""
    """What it is to find out, for people."""
    include: Files = None
    """Files, beside this one or below, to start from. This file says only what differs."""
    topology: Text
    """The topology's file, from where this file is."""
    workload: Text | None = None
    """The workload's file; without it one step of training, as `longhaul run` does."""
    set: dict[Path, Any] = Field(default={}, max_length=100)
    """Values that differ from the files' at every point."""
    vary: dict[Path, VariedField] = Field(min_length=1, max_length=MOST_VARIED)
    """What is varied, by path."""
    seeds: int = Field(default=1, ge=1, le=1000)
    """Runs of each point in the fabric, with seeds 1, 2, …; the model knows no chance."""
    design: DesignName = "grid"
    """Which points: all combinations; drawn (random, latin-hypercube); for Sobol' or Morris indices; or one thing
    changed at a time."""
    points: int | None = Field(default=None, ge=2, le=MOST_POINTS)
    """How many, of a design that is drawn. Of `sobol` and `morris` as many as whole blocks have room for."""
    draw: int = Field(default=1, ge=0, le=2**32 - 1)
    """Seed of a design that is drawn."""
    measure: list[Text] = Field(min_length=1, max_length=100)
    """Figures of each run's summary.json, by path; `lost`, the share of time lost against one uniform campus; and
    `verdict`."""
    verdict: Text | None = None
    """An expression over what is measured, such as `lost > 30%`. Without it the verdict is the cause that costs
    most."""
    constraints: list[Text] = Field(default=[], max_length=100)
    """Expressions over what is varied: points where one does not hold are left out."""
    depth: Literal["fabric", "model"] = "fabric"
    """Whether each point is carried out, or forecast by the model and a sample of them carried out."""
    sample: SampleModel = SampleModel()
    """Of a study by the model: the sample."""
    budget: BudgetModel = BudgetModel()
    """What it may take."""
    keep: Literal["all", "extremes", "none"] = "extremes"
    """Of which runs the whole folder stays, with its report; of all others one row."""
