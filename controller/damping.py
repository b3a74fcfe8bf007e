"""Flap damping: a link that keeps failing must stay up for longer before it is used again.

As in route flap damping [RFC 2439], but with a hold-down that doubles, which a student can predict.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_DOUBLINGS = 6
"""64 times the hold-down at most; after as long without a failure all is forgotten."""


@dataclass
class _History:
    failures: int
    last_s: float


class Damping:
    """Counts each link's failures. Times are seconds of any one clock."""

    def __init__(self, hold_down_s: float) -> None:
        self._hold_down_s = hold_down_s
        self._histories: dict[str, _History] = {}

    def failed(self, link: str, now_s: float) -> None:
        """A link went down."""
        forgotten_s = self._hold_down_s * 2**MOST_DOUBLINGS
        history = self._histories.get(link)
        if history is None or now_s - history.last_s > forgotten_s:
            history = self._histories[link] = _History(0, now_s)
        history.failures += 1
        history.last_s = now_s

    def hold_down_s(self, link: str) -> float:
        """How long a link must have been up before it is used again."""
        history = self._histories.get(link)
        doublings = min(history.failures - 1, MOST_DOUBLINGS) if history else 0
        return self._hold_down_s * 2.0**doublings

    def failed_since(self, link: str, since_s: float) -> bool:
        """Has a link gone down after that?"""
        history = self._histories.get(link)
        return history is not None and history.last_s > since_s
