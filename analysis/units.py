"""SI quantities as people read them: the one place where seconds become milliseconds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from scenario.text.units import YEAR_S

_TIMES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_PREFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB")
_MILE_M = 1609.344
_NEVER = 1e-15  # of packets: one in a hundred years at 400 Gbit/s


def time(seconds: float, digits: int = 3) -> str:
    """So many significant digits: 1.93 s, 78.8 µs, 0 s."""
    magnitude = abs(seconds)
    if magnitude < 0.5e-9:
        return "0 s"
    if seconds < 0:
        return "\N{MINUS SIGN}" + time(magnitude, digits)
    for unit, name in _TIMES:
        if float(f"{magnitude:.{digits}g}") >= unit:
            return f"{_digits(seconds / unit, digits)} {name}"
    return f"{_digits(seconds / 1e-9, digits)} ns"


def size(count_bytes: float) -> str:
    """14 GB (GB = 1e9 bytes)."""
    return _prefixed(count_bytes, "B")


def binary_size(count_bytes: float) -> str:
    """64 KiB, 1 GiB: as benchmarks name sizes."""
    power = min(int(math.log2(max(count_bytes, 1.0)) // 10), len(_BINARY) - 1)
    return f"{_digits(count_bytes / 1024.0**power)} {_BINARY[power]}"


def throughput(rate_Bps: float) -> str:
    """12.5 GB/s."""
    return _prefixed(rate_Bps, "B/s")


def rate(rate_bps: float) -> str:
    """400 Gbit/s."""
    return _prefixed(rate_bps, "bit/s")


def ratio(value: float) -> str:
    """A loss or corruption ratio: 0, 1.2e-5, 0.031; what no run can ever see is <1e-15."""
    if value == 0:
        return "0"
    if 0 < value < _NEVER:
        return f"<{_NEVER:.0e}"
    if value >= 1e-2:
        return f"{value:.2g}"
    digits, exponent = f"{value:.1e}".split("e")
    return f"{digits.removesuffix('.0')}e{int(exponent)}"


def percent(share: float | None) -> str:
    """31 %, 0.4 %, 0 %, and never a rounded 0 for more than a billionth; a dash for None."""
    if share is None:
        return "\N{EN DASH}"
    if share < 0:
        return "\N{MINUS SIGN}" + percent(-share)
    hundredths = share * 100 if share > 1e-9 else 0.0
    if hundredths == 0 or hundredths >= 9.95:
        return f"{hundredths:.0f} %"
    if hundredths < 0.0005:
        return "<0.001 %"
    return f"{hundredths:.1f} %" if hundredths >= 0.05 else f"{hundredths:.1g} %"


def error(relative: float | None) -> str:
    """A relative error with its sign: +0.01 %, -3.2 %, 0 %; a dash for None."""
    if relative is None:
        return "\N{EN DASH}"
    if relative == 0:
        return "0 %"
    sign = "+" if relative > 0 else "\N{MINUS SIGN}"
    value = abs(relative) * 100
    return f"{sign}{value:.2g} %" if value < 10 else f"{sign}{value:.0f} %"


def distance(metres: float) -> str:
    """Kilometres and miles: 16.1 km (10 mi)."""
    return f"{_digits(metres / 1000)} km ({_digits(metres / _MILE_M)} mi)"


def years(seconds: float) -> str:
    """15 years."""
    count = seconds / YEAR_S
    return "1 year" if round(count, 1) == 1 else f"{_digits(count)} years"


def interval(seconds: Sequence[float] | None) -> str:
    """An interval of times: 1.2 s … 1.4 s; a dash for None, where nothing is known of the spread."""
    if seconds is None:
        return "\N{EN DASH}"
    return f"{time(seconds[0])} … {time(seconds[1])}"


def money(amount: float, currency: str) -> str:
    """12,300 USD, 1.25 USD: whole units from a hundred on."""
    digits = 0 if abs(amount) >= 100 else 2
    return f"{amount:,.{digits}f} {currency}"


def counted(number: int, what: str) -> str:
    """1 rank, 2 ranks."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def quantity(value: float | None, unit: str) -> str:
    """A measured value in the unit it was stored in: `s`, `Bps`, `bps`, `ratio`, or any other.

    None, where nothing could be measured, is a dash.
    """
    if value is None:
        return "\N{EN DASH}"
    shown = _SHOWN.get(unit)
    return shown(value) if shown else f"{_digits(value)} {unit}"


def _prefixed(value: float, unit: str) -> str:
    for factor, prefix in _PREFIXES:
        if float(f"{abs(value):.3g}") >= factor:
            return f"{_digits(value / factor)} {prefix}{unit}"
    return f"{_digits(value)} {unit}"


def _digits(value: float, digits: int = 3) -> str:
    """So many significant digits, never in scientific notation."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    magnitude = math.floor(math.log10(abs(float(f"{value:.{digits}g}"))))
    decimals = max(0, digits - 1 - magnitude)
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


_SHOWN: dict[str, Callable[[float], str]] = {
    "s": time,
    "Bps": throughput,
    "bps": rate,
    "ratio": ratio,
    "B": size,
}
