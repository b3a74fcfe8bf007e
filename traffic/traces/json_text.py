"""JSON files read as typed objects: only the fields asked for, a hundred megabytes in a second.

Files may be gzipped. What is wrong is said with its place: line and column where it is no JSON, the path
in the document where a value has another type.
"""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path
from typing import TypeVar

import msgspec

from scenario.text.diagnostics import InvalidInput
from traffic.traces.recording import rejected

T = TypeVar("T")
MOST_BYTES = 4 << 30
_BYTE = re.compile(r"\(byte (\d+)\)")
_AT = re.compile(r"^(?P<what>.*) - at `\$(?P<path>.*)`$", re.DOTALL)


def contents(file: Path) -> bytes:
    """A file's bytes, unpacked if gzipped. Raises InvalidInput, also for more than 4 GiB."""
    try:
        with file.open("rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
        with gzip.open(file) if packed else file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise rejected(file, f"cannot be read: {error.strerror or error}") from None
    except (EOFError, zlib.error):
        raise rejected(file, "the gzip file is cut off or broken") from None
    if len(data) > MOST_BYTES:
        raise rejected(file, "too large", expected="at most 4 GiB, unpacked")
    return data


def decode(data: bytes, kind: type[T], file: Path) -> T:
    """The document as `kind`. Raises InvalidInput."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise mistyped(error, file) from None
    except msgspec.DecodeError as error:
        text = str(error)
        found = _BYTE.search(text)
        place = _place(data, int(found[1])) if found else _place(data, len(data))
        raise rejected(file, _BYTE.sub("", text).strip(), place=place) from None
    except UnicodeDecodeError as error:
        raise rejected(file, "not UTF-8 text", place=_place(data, error.start)) from None


def mistyped(error: msgspec.ValidationError, file: Path, within: str = "") -> InvalidInput:
    """A value of another type, with its path below `within`."""
    match = _AT.match(str(error))
    if match is None:
        return rejected(file, str(error), path=within)
    return rejected(file, match["what"], path=f"{within}{match['path']}".lstrip("."))


def _place(data: bytes, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of a byte."""
    before = data[:offset]
    return before.count(b"\n") + 1, offset - before.rfind(b"\n")
