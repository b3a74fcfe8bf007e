"""Characters that no text of a file may hold, though YAML allows them or has escapes for them.

In: a text and its place. Out: complaints.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import category

from scenario.text.diagnostics import Diagnostic, Place, Source, complain

# They let a file show another order of characters than it has, in a comment, too [Boucher and Anderson 2021].
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_TURNS = "a character that turns the direction in which text is shown"
_HINT = "leave it out: Arabic and Hebrew need none"


def turning(source: Source, text: str) -> Iterator[Diagnostic]:
    """About each line, comments and all, in which text is turned."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := _TURNING.search(line):
            place = Place(source, number, found.start() + 1)
            yield complain(place, _TURNS, found=code(found[0]), hint=_HINT)


def wrong(text: str, place: Place) -> Iterator[Diagnostic]:
    """About a value or key; what it holds may have been written as an escape."""
    if text.isascii() and text.isprintable():
        return
    if any("\ud800" <= one <= "\udfff" for one in text):
        yield complain(place, "half of a surrogate pair is not a character")
    for message, hint, is_wrong in (
        ("a character that commands a terminal", "", _commands),
        (_TURNS, _HINT, _TURNING.match),
        ("this number stands for no character", "", _is_none),
    ):
        if first := next(filter(is_wrong, text), ""):
            yield complain(place, message, found=code(first), hint=hint)


def code(one: str) -> str:
    """A character as Unicode's tables name it."""
    return f"U+{ord(one):04X}"


def _commands(one: str) -> bool:
    return category(one) == "Cc" and one not in "\n\t"


def _is_none(one: str) -> bool:
    """Whether Unicode has set its number aside: U+FFFE, U+1FFFF, U+FDD0."""
    return ord(one) & 0xFFFE == 0xFFFE or "\ufdd0" <= one <= "\ufdef"
