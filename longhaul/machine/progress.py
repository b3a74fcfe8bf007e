"""How far a long job is, on standard error: a bar on a terminal, one plain line per stage elsewhere.

Standard library only: it is needed before the project's own environment exists.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TextIO

BAR_WIDTH = 30
REDRAW_S = 0.1
ETA_AFTER = 0.05


class Progress:
    """A context manager that keeps one line of a terminal up to date, and leaves it clean."""

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        self._title = title
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._stage = ""
        self._started = self._drawn = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._erase()

    def stage(self, name: str) -> None:
        """Start a stage: what the machine does now, in words that end the sentence of the title."""
        self._stage = name
        self._started = time.monotonic()
        if self._terminal:
            self.update(0.0)
        else:
            print(f"{self._title}: {name}", file=self._stream, flush=True)

    def update(self, fraction: float, note: str = "") -> None:
        """Show that `fraction` (0 to 1) of the stage is done; drawn ten times a second at most."""
        now = time.monotonic()
        if not self._terminal or (0 < fraction < 1 and now - self._drawn < REDRAW_S):
            return
        self._drawn = now
        line = bar(
            self._title, self._stage, fraction, note or time_left(now - self._started, fraction)
        )
        self._stream.write(f"\r{line}\x1b[K")
        self._stream.flush()

    def say(self, line: str) -> None:
        """Print a line that stays."""
        self._erase()
        print(f"{self._title}: {line}", file=self._stream, flush=True)

    def _erase(self) -> None:
        if self._terminal:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def bar(title: str, stage: str, fraction: float, note: str) -> str:
    """One line: title, stage, a bar of fixed width, per cent, a note."""
    share = min(max(fraction, 0.0), 1.0)
    full = int(share * BAR_WIDTH)
    return f"{title}: {stage:<9} [{'#' * full}{'.' * (BAR_WIDTH - full)}] {share:4.0%}  {note}".rstrip()


def time_left(elapsed_s: float, fraction: float) -> str:
    """The time left if the rest goes as fast, as `1:20 left`; empty while it is too early to say."""
    if not ETA_AFTER <= fraction < 1:
        return ""
    minutes, seconds = divmod(round(elapsed_s * (1 - fraction) / fraction), 60)
    return f"{minutes}:{seconds:02d} left"
