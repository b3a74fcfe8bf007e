"""`checks` in a topology or a workload: what must hold of a run, one model per kind, told apart by `check`.

`longhaul check` carries the run out and holds it against them. What makes no sense in one is for `claims` to tell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeAlias, TypeVar

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from scenario.text.fields import Moment, Name, Pattern, PositiveShare, Rate, Share, problem
from scenario.text.strict import Strict

Value = TypeVar("Value")


@dataclass(frozen=True)
class TextField:
    """Reads a text of a form."""

    pattern: str
    message: str
    says: str

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, _: Any, __: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{self.pattern}$"}

    def read(self, written: object) -> str:
        """The text. Raises PydanticCustomError."""
        if not isinstance(written, str):
            raise problem(self.message, self.says, "put it in quotes")
        if not re.fullmatch(self.pattern, written):
            raise problem(self.message, self.says)
        return written


_PATH = r"[_A-Za-z]\w{0,60}(?:\[\d{1,4}\]|\.[A-Za-z_]\w{0,60}){0,12}"
_IN_SUMMARY = "a path in summary.json, such as iterations.p50_s"
Figure: TypeAlias = Annotated[str, TextField(_PATH, "not the path of a figure", _IN_SUMMARY)]
Digest: TypeAlias = Annotated[
    str, TextField(r"[0-9a-f]{8,64}", "not the beginning of a digest", "8 to 64 digits of 0-9, a-f")
]
Anything: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
Packets: TypeAlias = Annotated[int, Field(ge=0, le=10**15)]


class CheckModel(Strict):
    """What every check may say."""

    name: Name | None = None
    """Its name in what is told of it; else its kind and number, such as `rtt-2`."""


class BoundedModel(CheckModel, Generic[Value]):
    """A value within bounds: `at-least`, `at-most`, both; or `about`."""

    at_least: Value | None = None
    """The smallest value that is right."""
    at_most: Value | None = None
    """The largest value that is right."""
    about: Value | None = None
    """In place of both: the value, of which it may be off by `within`."""
    within: PositiveShare = 0.01
    """With `about`: by which share of it."""


class Reach(CheckModel):
    """Each of some hosts reaches each of others: of three pings of a live fabric, one is answered."""

    check: Literal["reach"]
    """Hosts reach each other."""
    start: list[Pattern] | Pattern = Field(alias="from")
    """Campuses or hosts that ask, by name or pattern."""
    to: list[Pattern] | Pattern
    """Those that answer."""
    answered: bool = True
    """`false`: none of them must be answered."""
    during: Name | None = None
    """The event of the timeline that is in force meanwhile; else none is."""
    after: Moment = 1.0
    """With `during`: how long it has been in force when they are asked."""


class RoundTrip(BoundedModel[Moment]):
    """The round trip: of `link`, between the two campuses' borders, as every run measures it before its workload; or
    between hosts, the shortest of three pings of a live fabric."""

    check: Literal["rtt"]
    """A round trip."""
    link: Pattern | None = None
    """A long-haul link, or a pattern: every link that matches."""
    start: list[Pattern] | Pattern | None = Field(default=None, alias="from")
    """In place of `link`: campuses or hosts that ask."""
    to: list[Pattern] | Pattern | None = None
    """Those that answer."""
    during: Name | None = None
    """Between hosts: the event of the timeline that is in force meanwhile; else none is."""
    after: Moment = 1.0
    """With `during`: how long it has been in force when they are asked."""


class LinkGoodput(BoundedModel[Rate]):
    """TCP payload per second over a long-haul link, in each direction, before scaling, as every run measures it before
    its workload."""

    check: Literal["goodput"]
    """The goodput of a link."""
    link: Pattern
    """A long-haul link, or a pattern: every link that matches."""


class Drops(BoundedModel[Packets]):
    """Packets that the ports of a long-haul link dropped while the workload ran, in both directions: lost on the way,
    or for want of room in the queue."""

    check: Literal["drops"]
    """Packets that a link dropped."""
    link: Pattern
    """A long-haul link, or a pattern: all that match together."""


class IterationTime(BoundedModel[Moment]):
    """The time of an iteration of the workload that trains."""

    check: Literal["iteration"]
    """The time of an iteration."""
    figure: Literal["mean", "p50", "p90", "p99", "p999", "max"] = "p50"
    """Which of all iterations' times."""


class Waste(BoundedModel[Share]):
    """The share of GPU time that is lost against one campus of uniform hardware."""

    check: Literal["waste"]
    """The share of GPU time that is lost."""


class AnyFigure(BoundedModel[Anything]):
    """Any other number of `summary.json`, in SI units: `longhaul schema summary` lists them."""

    check: Literal["figure"]
    """A figure of the summary."""
    path: Figure
    """Its path, such as `serving[0].first_token.p99_s`."""


class SameDigest(CheckModel):
    """The run gives the same answer, to the nanosecond, as one before."""

    check: Literal["digest"]
    """The run's digest."""
    begins: Digest = Field(alias="is")
    """Its first digits, 8 or more."""


class Faithful(CheckModel):
    """The fabric was what was asked for: no check of fidelity failed."""

    check: Literal["faithful"]
    """The run is not marked UNFAITHFUL."""


CheckField: TypeAlias = Annotated[
    Reach
    | RoundTrip
    | LinkGoodput
    | Drops
    | IterationTime
    | Waste
    | AnyFigure
    | SameDigest
    | Faithful,
    Field(discriminator="check"),
]
