"""Field types of the language: quantities with units and bounds, and names.

Each is an `Annotated` alias that pydantic reads, checks and describes in the JSON Schema. What goes
wrong is raised as a custom error whose context holds `expected` and `hint` for the diagnostic.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from pydantic import (
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from scenario.text import units
from scenario.text.units import Quantity, UnitError

NAME = r"[a-z][a-z0-9-]*"


def problem(message: str, expected: str = "", hint: str = "") -> PydanticCustomError:
    """An error in the form that `shape` turns into a diagnostic."""
    context = {"said": message, "expected": expected, "hint": hint}
    return PydanticCustomError("longhaul", "{said}", context)


@dataclass(frozen=True)
class Read:
    """Reads a quantity, within bounds that only catch slips of the unit. SI inside.

    `above` is an open lower bound, `least` and `most` are closed ones.
    """

    quantity: Quantity
    above: float | None = None
    least: float | None = None
    most: float | None = None

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, _: Any, __: GetJsonSchemaHandler) -> dict[str, Any]:
        listed = "|".join(re.escape(unit) for unit in self.quantity.units)
        optional = "?" if self.quantity.bare else ""
        pattern = rf"^\s*{units.NUMBER}\s*({listed}){optional}\s*$"
        kinds: dict[str, Any] = {"type": ["string", "number"] if self.quantity.bare else "string"}
        shown = {"pattern": pattern, "examples": [self.quantity.example]}
        return kinds | shown | {"x-quantity": self.quantity.name}

    def read(self, written: object) -> float:
        """The SI value. Raises PydanticCustomError."""
        try:
            value = units.read(written, self.quantity)
        except UnitError as error:
            raise problem(error.message, error.expected, error.hint) from None
        if not self._within(value):
            raise problem(f"{self.quantity.said} out of bounds", self.bounds)
        return value

    @property
    def bounds(self) -> str:
        """The bounds in words."""
        words = [("above", self.above), ("at least", self.least), ("at most", self.most)]
        said = [f"{w} {units.write(v, self.quantity)}" for w, v in words if v is not None]
        return f"{self.quantity.said} {' and '.join(said)}"

    def _within(self, value: float) -> bool:
        return (
            (self.above is None or value > self.above)
            and (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
        )


@dataclass(frozen=True)
class NameField:
    """Reads a name that matches `pattern` and has at most `longest` characters."""

    pattern: str
    says: str
    longest: int
    if_longer: str = ""

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, _: Any, __: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{self.pattern}$", "maxLength": self.longest}

    def read(self, written: object) -> str:
        """The name. Raises PydanticCustomError."""
        if not isinstance(written, str):
            raise problem("not a name", self.says, "put it in quotes if it is meant as text")
        if not re.fullmatch(self.pattern, written):
            raise problem("not a name that can be used here", self.says, self._mended(written))
        if len(written) > self.longest:
            raise problem("a name too long", f"at most {self.longest} characters", self.if_longer)
        return written

    def _mended(self, written: str) -> str:
        mended = re.sub(r"[^a-z0-9]+", "-", written[:40].lower()).strip("-")
        return f"did you mean {mended}?" if re.fullmatch(self.pattern, mended) else ""


class Matched(NameField):
    """Reads a pattern of names."""

    def _mended(self, written: str) -> str:
        small = written[:40].lower().replace("_", "-")
        return f"did you mean {small}?" if re.fullmatch(self.pattern, small) else ""


@dataclass(frozen=True)
class Numbered:
    """Reads a key that is a number: `what` it should be the number of."""

    pattern: str = r"[1-9][0-9]{0,5}"
    what: str = "the number of a host"
    says: str = "a whole number, from 1 on"

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, _: Any, __: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{self.pattern}$"}

    def read(self, written: object) -> int:
        """The number. Raises PydanticCustomError."""
        if not isinstance(written, str) or not re.fullmatch(self.pattern, written):
            raise problem(f"not {self.what}", self.says)
        return int(written)


@dataclass(frozen=True)
class VersionField:
    """Reads the version of the language: the whole number 1, which `true` and 1.0 are not."""

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, _: Any, __: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"const": 1}

    def read(self, written: object) -> int:
        """The version. Raises PydanticCustomError."""
        if type(written) is not int or written != 1:
            raise problem("not a version of this language", "1")
        return written


_LOWER = "lower-case letters, digits and hyphens, a letter first"

Name: TypeAlias = Annotated[str, NameField(NAME, _LOWER, 40)]
"""Of a topology, a workload, a link, a template."""

ShortName: TypeAlias = Annotated[str, NameField(NAME, _LOWER, 8)]
"""Of a host group, a switch: it becomes part of an interface name (15 characters)."""

CampusName: TypeAlias = Annotated[
    str, NameField(NAME, _LOWER, 6, "the campus's whole name may stand in `site`")
]
"""Of a campus: it begins the names of all that stands there (hosts: 10 characters)."""

Model: TypeAlias = Annotated[
    str, NameField(r"[A-Za-z][A-Za-z0-9-]*", "letters, digits and hyphens, a letter first", 20)
]
"""Of an accelerator, as its maker writes it: GB200."""

Pattern: TypeAlias = Annotated[
    str, Matched(r"[a-z*?\[][a-z0-9*?\[\]-]*", "a name, or a pattern with *, ? or [12] in it", 40)
]
"""Of links or hosts: * stands for any characters, ? for one, [12] for a 1 or a 2."""

Version: TypeAlias = Annotated[int, VersionField()]
"""Of the language that a document is written in."""

Number: TypeAlias = Annotated[int, Numbered()]
"""Of a host in its group."""

Year: TypeAlias = Annotated[int, Field(ge=1900, le=2099)]
"""In which equipment was made."""

YearKey: TypeAlias = Annotated[int, Numbered(r"(?:19|20)[0-9]{2}", "a year", "a year such as 2016")]
"""The same, as a key."""


def _no_files(written: object) -> None:
    """Nothing is left of `include` where it can stand, as reading has put the files' contents in its place."""
    if written is not None:
        raise problem("files cannot be included here", "`include` at the top of a file")


Files: TypeAlias = Annotated[
    None,
    BeforeValidator(_no_files),
    WithJsonSchema({"type": ["string", "array"], "items": {"type": "string"}}),
]
"""Of a document that others start from."""

Rate: TypeAlias = Annotated[float, Read(units.RATE, above=0, most=1e15)]
Bandwidth: TypeAlias = Annotated[float, Read(units.BANDWIDTH, above=0, most=1e15)]
Flops: TypeAlias = Annotated[float, Read(units.FLOPS, above=0, most=1e18)]
Power: TypeAlias = Annotated[float, Read(units.POWER, above=0, most=1e10)]
Size: TypeAlias = Annotated[float, Read(units.SIZE, above=0, most=1e15)]
Distance: TypeAlias = Annotated[float, Read(units.DISTANCE, above=0, most=5e7)]
Delay: TypeAlias = Annotated[float, Read(units.DURATION, least=0, most=10)]
Jitter: TypeAlias = Annotated[float, Read(units.DURATION, least=0, most=0.2)]
"""Up to the least time after which TCP takes a packet for lost, 200 ms: beyond it, nothing else is measured."""
Queue: TypeAlias = Annotated[float, Read(units.SIZE, least=1500, most=1e12)]
"""From one packet of Ethernet to 1 TB: netem counts a queue's packets in 32 bits."""
Loss: TypeAlias = Annotated[float, Read(units.SHARE, least=0, most=0.5)]
"""Up to a half: what loses more is down, and a timeline's `link-down` says so."""
Moment: TypeAlias = Annotated[float, Read(units.DURATION, least=0, most=1e7)]
Duration: TypeAlias = Annotated[float, Read(units.DURATION, least=1e-6, most=1e7)]
Period: TypeAlias = Annotated[float, Read(units.DURATION, least=1e-3, most=4e9)]
Age: TypeAlias = Annotated[float, Read(units.AGE, least=0, most=100 * units.YEAR_S)]
Margin: TypeAlias = Annotated[float, Read(units.DECIBEL, least=-20, most=40)]
Share: TypeAlias = Annotated[float, Read(units.SHARE, least=0, most=1)]
PositiveShare: TypeAlias = Annotated[float, Read(units.SHARE, above=0, most=1)]
Frequency: TypeAlias = Annotated[float, Read(units.FREQUENCY, above=0, most=1e9)]
Count: TypeAlias = Annotated[float, Read(units.COUNT, least=1, most=1e18)]
