"""Human quantities to SI numbers and back: `400Gbit/s`, `10mi`, `78.8us`, `25MiB`, `15y`, `0.1%`.

Text goes in, a float in SI units comes out. A bare number where a unit is needed is refused,
because nobody remembers which unit a bare 10 was. Arithmetic is decimal, so `78.8us` is exactly `78.8e-6`.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from decimal import Decimal

from scenario.errors import WrongInput

NUMBER = r"[+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,3})?"
_SPLIT = re.compile(rf"\s*({NUMBER})\s*(\S.*)?", re.DOTALL)


class UnitError(WrongInput, ValueError):
    """Text that is not the quantity it should be: what would be, and how to mend it."""

    def __init__(self, message: str, expected: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.expected, self.hint = message, expected, hint


@dataclass(frozen=True)
class Quantity:
    """A physical kind: each unit's factor to SI (a decimal, as text), and what a reader is shown.

    `shown` are the units that `write` uses, ascending.
    `bare` says whether a number without a unit has a meaning of its own (a count, a share).
    `si` is the unit of what `read` gives: `s`, `bit/s`, `1` of a share, empty of a count.
    """

    name: str
    article: str
    units: dict[str, str] = field(hash=False)
    shown: tuple[str, ...]
    example: str
    si: str
    bare: bool = False

    @property
    def said(self) -> str:
        """The name with its article."""
        return f"{self.article} {self.name}"

    @property
    def expected(self) -> str:
        """What to write, in one phrase."""
        listed = ", ".join(self.units)
        if self.bare:
            return f"{self.said}: a number, or one followed by {listed}"
        return f"{self.said} such as {self.example} (units: {listed})"


def _bits(suffixes: tuple[str, ...]) -> dict[str, str]:
    steps = {"": "1", "k": "1e3", "M": "1e6", "G": "1e9", "T": "1e12"}
    return {step + s: factor for s in suffixes for step, factor in steps.items() if step + s}


RATE = Quantity(
    "rate",
    "a",
    _bits(("bit/s", "bps", "")),
    ("bit/s", "kbit/s", "Mbit/s", "Gbit/s"),
    "400Gbit/s",
    "bit/s",
)
BANDWIDTH = Quantity(
    "bandwidth", "a", _bits(("B/s",)), ("B/s", "kB/s", "MB/s", "GB/s", "TB/s"), "900GB/s", "B/s"
)
SIZE = Quantity(
    "size",
    "a",
    _bits(("B",)) | {"KiB": "1024", "MiB": "1048576", "GiB": "1073741824", "TiB": "1099511627776"},
    ("B", "kB", "MB", "GB", "TB"),
    "25MiB",
    "B",
)
DISTANCE = Quantity(
    "distance", "a", {"m": "1", "km": "1000", "mi": "1609.344"}, ("m", "km"), "16.1km", "m"
)
YEAR_S = 31557600.0
"""A Julian year: 365.25 days."""
DURATION = Quantity(
    "duration",
    "a",
    {"ns": "1e-9", "us": "1e-6", "µs": "1e-6", "ms": "1e-3", "s": "1", "min": "60", "h": "3600"}
    | {"d": "86400", "y": str(YEAR_S)},
    ("ns", "us", "ms", "s"),
    "78.8us",
    "s",
)
AGE = Quantity("age", "an", {"y": str(YEAR_S), "d": "86400"}, ("y",), "20y", "s")
FLOPS = Quantity(
    "computing rate",
    "a",
    {"GFLOP/s": "1e9", "TFLOP/s": "1e12", "PFLOP/s": "1e15"},
    ("GFLOP/s", "TFLOP/s"),
    "989TFLOP/s",
    "FLOP/s",
)
POWER = Quantity(
    "power", "a", {"W": "1", "kW": "1e3", "MW": "1e6", "GW": "1e9"}, ("W", "kW", "MW"), "700W", "W"
)
DECIBEL = Quantity("ratio in decibels", "a", {"dB": "1"}, ("dB",), "3dB", "dB")
FREQUENCY = Quantity(
    "frequency",
    "a",
    {"/s": "1", "/min": "0.0166666666666666666667", "/h": "0.000277777777777777777778"},
    ("/h", "/s"),
    "20/s",
    "1/s",
)
SHARE = Quantity("share", "a", {"%": "1e-2", "ppm": "1e-6"}, (), "0.1%", "1", bare=True)
COUNT = Quantity(
    "count",
    "a",
    {"k": "1e3", "M": "1e6", "B": "1e9", "G": "1e9", "T": "1e12"}
    | {"Ki": "1024", "Mi": "1048576", "Gi": "1073741824"},
    (),
    "7e9",
    "",
    bare=True,
)

QUANTITIES = {
    quantity.name: quantity
    for quantity in (
        RATE,
        BANDWIDTH,
        SIZE,
        DISTANCE,
        DURATION,
        AGE,
        FLOPS,
        POWER,
        DECIBEL,
        FREQUENCY,
        SHARE,
        COUNT,
    )
}


def read(written: object, quantity: Quantity) -> float:
    """The SI value of `written` (text, or a bare number). Raises UnitError."""
    if isinstance(written, bool) or not isinstance(written, (str, int, float)):
        raise UnitError(f"not {quantity.said}", quantity.expected)
    meant = _other_digits(str(written)[:80], quantity)
    if meant:
        message = "digits in groups, or a decimal comma"
        raise UnitError(message, quantity.expected, f"did you mean {' or '.join(meant)}?")
    parts = _SPLIT.fullmatch(str(written))
    if parts is None:
        raise UnitError(f"not {quantity.said}", quantity.expected)
    number, unit = parts[1], (parts[2] or "").rstrip()
    value = float(Decimal(number) * _factor(number, unit, quantity))
    if value in (float("inf"), float("-inf")):
        raise UnitError(f"{quantity.said} too large to compute with", quantity.expected)
    return value


_GROUPED = re.compile(
    r"\s*([+-]?[0-9]{1,3}(?:[ ,_'\u00a0\u202f][0-9]{3})+)(\.[0-9]+)?\s*([^\s0-9].*)?"
)
_COMMA = re.compile(r"\s*([+-]?[0-9]+),([0-9]+)\s*([^\s0-9].*)?")


def _other_digits(written: str, quantity: Quantity) -> list[str]:
    """What `1,6Tbit/s` and `400 000 Mbit/s` may stand for, if they are quantities else; a comma before three digits
    may be of either kind."""
    meant = []
    if (grouped := _GROUPED.fullmatch(written)) and _is_unit(grouped[3], quantity):
        whole = re.sub(r"[^0-9+-]", "", grouped[1])
        meant.append(f"{whole}{grouped[2] or ''}{(grouped[3] or '').rstrip()}")
    if (comma := _COMMA.fullmatch(written)) and _is_unit(comma[3], quantity):
        meant.append(f"{comma[1]}.{comma[2]}{(comma[3] or '').rstrip()}")
    return meant


def _is_unit(unit: str | None, quantity: Quantity) -> bool:
    return (unit or "").rstrip() in quantity.units or (not unit and quantity.bare)


def _factor(number: str, unit: str, quantity: Quantity) -> Decimal:
    if unit in quantity.units:
        return Decimal(quantity.units[unit])
    if not unit and quantity.bare:
        return Decimal(1)
    if not unit:
        message = f"a bare number where {quantity.said} needs its unit"
        choices = ", ".join(number + unit for unit in list(quantity.units)[:5])
        raise UnitError(message, quantity.expected, f"did you mean {choices}?")
    raise UnitError(
        f"`{unit[:20]}` is no unit of {quantity.name}",
        quantity.expected,
        _nearest_unit(number, unit, quantity),
    )


def _nearest_unit(number: str, unit: str, quantity: Quantity) -> str:
    """A hint that keeps the number: the same letters in another case first, then the closest."""
    alike = [known for known in quantity.units if known.lower() == unit.lower()]
    close = alike or difflib.get_close_matches(unit[:20], quantity.units, 1, 0.6)
    return f"did you mean {' or '.join(number + known for known in close)}?" if close else ""


def write(value: float, quantity: Quantity) -> str:
    """`value` (SI) as text that `read` turns back into the same float (an age: nearly)."""
    exact = Decimal(repr(float(value)))
    fitting = [u for u in quantity.shown if abs(exact) >= Decimal(quantity.units[u])]
    unit = fitting[-1] if fitting else (quantity.shown[0] if quantity.shown else "")
    number = exact / Decimal(quantity.units[unit]) if unit else exact
    return f"{_plain(number)}{unit}"


def _plain(number: Decimal) -> str:
    """Digits without an exponent where that is short, else with one."""
    shortest = number.normalize()
    fixed = f"{shortest:f}"
    return fixed if len(fixed) <= 12 else f"{shortest:e}".replace("e+", "e")
