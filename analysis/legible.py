"""Names and other texts of files, less what is no text: characters that somebody obeys.

In: any text. Out: the same without control characters, without what turns the direction of all that follows (Unicode's
embeddings, overrides and isolates), and without what XML and UTF-8 cannot hold. Line ends and tabs stay.
"""

from __future__ import annotations

import re

_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def legible(text: str) -> str:
    """The text that people can read."""
    return _OBEYED.sub("", text)
