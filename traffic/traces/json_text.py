"""JSON files read as typed objects: only the fields asked for, a hundred megabytes in a second.

Files may be gzipped. What is wrong is said with its place: line and column where it is no JSON, the path
in the document where a value has another type.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from scenario.text.diagnostics import InvalidInput
from traffic.traces.recording import rejected

T = TypeVar("T")
MOST_BYTES = 4 << 30
MOST_TIMES = 100
"""How many times its size a packed file may unpack to: honest traces come to 10 to 30 [measured on Kineto's
and Chakra's samples], a file of nothing but spaces to 1,000."""
LEAST_BYTES = 1 << 20  # which any packed file may unpack to
CHUNK_BYTES = 1 << 20
MOST_SMALL = 1_000_000  # objects of a packed file, however small it is
_BYTE = re.compile(r"\(byte (\d+)\)")
_AT = re.compile(r"^(?P<what>.*) - at `\$(?P<path>.*)`$", re.DOTALL)


def contents(file: Path) -> bytes:
    """A file's bytes, unpacked if gzipped. Raises InvalidInput, also for more than 4 GiB, and for a packed
    file that unpacks to more than MOST_TIMES its size."""
    try:
        if not file.is_file():
            raise rejected(file, "not a file" if file.exists() else "no such file")
        size = file.stat().st_size
        with file.open("rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
        most = min(max(size * MOST_TIMES, LEAST_BYTES), MOST_BYTES) if packed else MOST_BYTES
        with gzip.open(file) if packed else file.open("rb") as opened:
            data = _bounded(iter(partial(opened.read, CHUNK_BYTES), b""), most, file)
    except OSError as error:
        raise rejected(file, f"cannot be read: {error.strerror or error}") from None
    except (EOFError, zlib.error):
        raise rejected(file, "the gzip file is cut off or broken") from None
    if packed:
        _check_density(data, size, file)
    return data


def _check_density(data: bytes, packed_bytes: int, file: Path) -> None:
    """Raises InvalidInput for text that would be far more in memory than its packed size can mean: an object
    of three characters takes over a hundred bytes."""
    objects, values = data.count(b"{"), data.count(b"[") + data.count(b",")
    if objects > MOST_SMALL + packed_bytes // 2 or values > 2 * MOST_SMALL + 4 * packed_bytes:
        raise rejected(
            file, "a small file that unpacks to very many values",
            found=f"{objects:,} objects, {values:,} values", hint="unpack it first if you trust it",
        )  # fmt: skip


def _bounded(chunks: Iterable[bytes], most: int, file: Path) -> bytes:
    found = bytearray()
    for chunk in chunks:
        found += chunk
        if len(found) > most:
            raise rejected(file, "too large", expected=f"at most {most:,} bytes, unpacked")
    return bytes(found)


def decode(data: bytes, kind: type[T], file: Path) -> T:
    """The document as `kind`. Raises InvalidInput."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise mistyped(error, file) from None
    except RecursionError:
        raise rejected(file, "nested too deep", expected="at most 1,000 levels") from None
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
