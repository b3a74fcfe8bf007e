"""Whole numbers as people write them: ASCII's digits, and not thousands of them."""

MOST_DIGITS = 30


def is_whole(text: str) -> bool:
    """Whether it is such a number. `str.isdecimal` takes every script's digits, `int` thousands."""
    return text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
