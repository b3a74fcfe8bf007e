"""Numbers as people write them: ASCII's digits, and not thousands of them."""

import math

MOST_DIGITS = 30
LARGE = 1e6


def is_whole(text: str) -> bool:
    """Whether it is such a number. `str.isdecimal` takes every script's digits, `int` thousands."""
    return text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS


def powers(number: float) -> str:
    """125e6, 7e9, 0.5: large ones by powers of a thousand."""
    if not math.isfinite(number) or abs(number) < LARGE:
        return f"{number:.15g}"
    exponent = 3 * (math.floor(math.log10(abs(number))) // 3)
    return f"{number / 10.0**exponent:.15g}e{exponent}"
