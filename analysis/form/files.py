"""Structs to JSON files and back; what is wrong with a file is said in one line.

In: a path, and the type of what it holds. Out: that. A stored `version` other than the type's own is refused before
anything else is looked at, as the rest may mean something else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from analysis.errors import RunError

T = TypeVar("T")
ANEW = "`python -m analysis report RUN` works it out anew"


class _Head(Struct):
    version: int | None = None


def write(found: Struct, path: Path) -> None:
    """Write what was found, indented. Raises `msgspec.ValidationError` where it is not as its type says."""
    packed = msgspec.json.encode(found)
    msgspec.json.decode(packed, type=type(found))
    path.write_bytes(msgspec.json.format(packed, indent=1) + b"\n")


def read(path: Path, kind: type[T], version: int | None = None, anew: str = ANEW) -> T:
    """What a file of a run folder holds, of the given version. Raises `RunError`; `anew` is what mends an old one."""
    try:
        stored = path.read_bytes()
        if version is not None:
            _check_version(path, msgspec.json.decode(stored, type=_Head).version, version, anew)
        return msgspec.json.decode(stored, type=kind)
    except OSError as error:
        said = f"{path}: {error.strerror}; not the folder of a finished run"
        raise RunError(said) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RunError(f"{path}: {_complaint(error)}") from None


def plain(found: Any) -> Any:
    """A struct as dictionaries and lists, as its file has it."""
    return msgspec.to_builtins(found)


def _check_version(path: Path, found: int | None, known: int, anew: str) -> None:
    if found == known:
        return
    if found is None or found < known:
        what = "no version" if found is None else f"version {found}"
        raise RunError(f"{path}: {what}, of an older longhaul (this one has {known}): {anew}")
    raise RunError(f"{path}: version {found}, of a newer longhaul: this one knows {known}")


def _complaint(error: Exception) -> str:
    """msgspec's own words, the place first: `$.stalls.slowdown: Expected float, got str`."""
    if not isinstance(error, msgspec.ValidationError):
        return f"broken JSON: {error}"
    what, _, where = str(error).replace("`", "").partition(" - at ")
    return f"{where}: {what}" if where else what
