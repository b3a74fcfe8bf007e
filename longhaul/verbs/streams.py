"""This process's standard output and error: what is printed arrives, or somebody is told why not.

Characters that the output's encoding does not have are spelled with those that it has. An output that is full ends the
verb with one line and status 1; a reader that goes away (`| head`) with status 141. Complaints that find no room are
dropped.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from scenario.errors import LonghaulError

STDOUT, STDERR = 1, 2
SPELLED = {
    "→": "->", "←": "<-", "↔": "<->", "×": "x", "·": "*", "÷": "/", "±": "+-", "−": "-", "–": "-", "—": "-",
    "…": "...", "µ": "u", "μ": "u", "≤": "<=", "≥": ">=", "≈": "~", "√": "sqrt", "∞": "inf", "α": "alpha", "β": "beta",
    "κ": "kappa",
    "²": "^2", "³": "^3", "✓": "ok", "✔": "ok", "✗": "x", "█": "#", "▇": "#", "▆": "#", "▅": "=", "▄": "=",
    "▃": "-", "▂": "-", "▁": "_", "│": "|", "─": "-", "━": "-", "┃": "|", "═": "=", "║": "|", "•": "*",
}  # fmt: skip
"""What stands for what we print beside ASCII; box drawing is rich's business, which sees the encoding."""


class CannotPrint(LonghaulError):
    """Standard output cannot be written to."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"standard output cannot be written: {error.strerror}")


class _Output(io.FileIO):
    """Standard output. Raises CannotPrint, BrokenPipeError."""

    def write(self, data: object) -> int:
        try:
            return super().write(data)  # type: ignore[arg-type]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise CannotPrint(error) from None


class _Complaints(io.FileIO):
    """Standard error."""

    def write(self, data: object) -> int:
        try:
            return super().write(data)  # type: ignore[arg-type]
        except OSError:
            return len(bytes(data))  # type: ignore[call-overload]


def spelled(error: UnicodeError) -> tuple[str, int]:
    """For `codecs`: in place of a character that the encoding lacks, others; as JSON would escape it, if need be."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(SPELLED.get(one) or _escaped(one) for one in lacking), error.end


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


@contextmanager
def guarded() -> Iterator[None]:
    """Have this process print so. Raises CannotPrint and BrokenPipeError for what is still to be written at the end."""
    _have_three()
    codecs.register_error("longhaul", spelled)
    for number, name, kind in ((STDOUT, "stdout", _Output), (STDERR, "stderr", _Complaints)):
        if (stream := getattr(sys, name)) is not None:  # closed by whoever has started us
            setattr(sys, name, _text(kind(number, "w", closefd=False), stream))
    try:
        yield
    finally:
        for stream in (sys.stderr, sys.stdout):
            if stream is not None:
                stream.flush()


def _have_three() -> None:
    """A stream that is closed is opened to nowhere, so that no file takes its number and is written to."""
    while (opened := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        pass
    os.close(opened)


def _text(raw: io.FileIO, like: io.TextIOWrapper) -> io.TextIOWrapper:
    """A stream of text over `raw`, with the encoding and buffering of another."""
    lines = like.line_buffering or raw.isatty() or raw.fileno() == STDERR
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=like.encoding, errors="longhaul", line_buffering=lines
    )


def give_up() -> None:
    """Nothing more goes to standard output: what is still to be written to it is dropped."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STDOUT)
    os.close(nowhere)
