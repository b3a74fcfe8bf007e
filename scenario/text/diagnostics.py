"""What is wrong with a file, said to the person who wrote it.

A `Source` is a text with a name, a `Place` a spot in it. A `Diagnostic` is one complaint about one
place; `InvalidInput` carries all of them at once, as text for people and as JSON for programs.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from scenario.errors import WrongInput

LONGEST_EXCERPT = 96
LONGEST_VALUE = 72
MOST_SHOWN = 100
MOST_LISTED = 40
FEW = 8  # of names that a pattern could have meant
MOST_COMPARED = 2_000  # names that a misspelled one is held against


@dataclass(frozen=True)
class Source:
    """A text that input came from: a file, or one `--set` of the command line."""

    name: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    """`length` characters of a source, from `line` and `column` (both counted from 1)."""

    source: Source
    line: int = 1
    column: int = 1
    length: int = 1


@dataclass(frozen=True)
class Diagnostic:
    """One complaint. `path` is the place in the document, as `links.c1-c2.age` or `hosts[0].count`.

    `excerpt` is the source line with a caret line under it, ready to print; it may be empty.
    """

    file: str
    line: int
    col: int
    message: str
    path: str = ""
    found: str = ""
    expected: str = ""
    hint: str = ""
    excerpt: str = ""

    def to_json(self) -> dict[str, str | int]:
        """As a plain object; a text that there is nothing to say in is empty."""
        said = asdict(self)
        said["column"] = said.pop("col")
        order = (
            "file",
            "line",
            "column",
            "message",
            "hint",
            "path",
            "found",
            "expected",
            "excerpt",
        )
        return {key: said[key] for key in order}

    def __str__(self) -> str:
        facts = [("at", self.path), ("found", self.found)]
        facts += [("expected", self.expected), ("hint", self.hint)]
        lines = [f"{self.file}:{self.line}:{self.col}: error: {self.message}"]
        lines += [self.excerpt] if self.excerpt else []
        lines += [f"  {name:<9} {text}" for name, text in facts if text]
        return "\n".join(lines)


class InvalidInput(WrongInput):
    """Input that cannot be used, with every reason (`diagnostics`, in the order of the text).

    What is wrong in a template is told once, however often the template is used.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        once = {(d.file, d.line, d.col, d.message): d for d in reversed([*diagnostics])}
        self.diagnostics = tuple(once[key] for key in sorted(once))
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        shown = [str(diagnostic) for diagnostic in self.diagnostics[:MOST_SHOWN]]
        more = len(self.diagnostics) - len(shown)
        return "\n\n".join(shown + ([f"… and {more:,} more"] if more else []))

    def to_json(self) -> list[dict[str, str | int]]:
        """One plain object per diagnostic, for `--format json`."""
        return [diagnostic.to_json() for diagnostic in self.diagnostics]


class Collected:
    """Gathers what several steps raise, so that all is told at once: `with problems: step()`."""

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        self.found += error.diagnostics if isinstance(error, InvalidInput) else []
        return isinstance(error, InvalidInput)

    def stop(self) -> None:
        """Raises InvalidInput if anything was gathered."""
        if self.found:
            raise InvalidInput(self.found)


def complain(  # noqa: PLR0913 - a complaint has six parts
    place: Place,
    message: str,
    *,
    path: str = "",
    found: str = "",
    expected: str = "",
    hint: str = "",
) -> Diagnostic:
    """A diagnostic about `place`, with its excerpt."""
    return Diagnostic(
        file=printable(place.source.name),
        line=place.line,
        col=place.column,
        message=printable(message),
        path=path,
        found=clip(found),
        expected=printable(expected),
        hint=printable(hint),
        excerpt=_excerpt(place),
    )


def one_of(known: Iterable[str], most: int = MOST_LISTED) -> str:
    """What is expected where one of several names belongs; of very many, the first few."""
    names = list(known)
    more = len(names) - most
    listed = f"one of {', '.join(names[:most])}" if len(names) > 1 else "".join(names)
    return f"{listed}, and {more:,} more" if more > 0 else listed


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint that names the known spelling closest to `word`; empty where none is close."""
    meant = closest(word, known)
    return f"did you mean {meant}?" if meant else ""


def closest(word: str, known: Iterable[str]) -> str:
    """The known spelling closest to `word`, or an empty text. Worked out once per word."""
    return _closest(word[:40].lower().replace("_", "-"), tuple(known))


@lru_cache(maxsize=10_000)
def _closest(asked: str, known: tuple[str, ...]) -> str:
    spellings = {name.lower(): name for name in known[:MOST_COMPARED]}
    close = difflib.get_close_matches(asked, spellings, 1, 0.6)
    return spellings[close[0]] if close else ""


def nearest_file(path: Path) -> str:
    """A hint that names the file of the same folder and type whose name is closest."""
    try:
        found = (file for file in path.parent.glob(f"*{path.suffix}") if file.is_file())
        beside = {file.stem: file.name for file in found}
    except (OSError, ValueError):
        return ""
    meant = closest(path.stem, sorted(beside))
    return f"did you mean {beside[meant]}?" if meant else ""


def clip(text: str, limit: int = LONGEST_VALUE) -> str:
    """`text` printable and short."""
    shown = printable(text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def printable(text: str) -> str:
    """`text` on one line, without what would command a terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def _excerpt(place: Place) -> str:
    if not 1 <= place.line <= len(place.source.lines):
        return ""
    line = place.source.lines[place.line - 1]
    start = max(0, place.column - LONGEST_EXCERPT // 2) if len(line) > LONGEST_EXCERPT else 0
    window = line[start : start + LONGEST_EXCERPT]
    text = "".join(c if c.isprintable() else " " for c in window)
    offset = min(place.column - 1 - start, len(text))
    width = max(1, min(place.length, len(text) - offset))
    gutter = f"{place.line:>5}"
    return f"{gutter} | {text}".rstrip() + f"\n{' ' * 5} | {' ' * offset}{'^' * width}"
