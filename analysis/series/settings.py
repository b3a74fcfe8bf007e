"""What was set differently between two things that are compared. In: their manifests. Out: rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analysis.series.compare import Thing

Data = dict[str, Any]
UNSET = "as the files have it"
UNREAD = "not read"
_PLAIN = ("time", "machine", "kernel", "longhaul")
_DIGITS = 12
"""Of a digest."""


@dataclass(frozen=True)
class Contrast:
    """One thing that was said, before and after."""

    what: str
    before: str
    after: str


def set_differently(before: Thing, after: Thing) -> list[Contrast]:
    """Every file, override, switched-off cause, seed and circumstance in which they differ; runs of one thing differ in
    their seeds alone."""
    one, other = _said(before), _said(after)
    missing = {**_missing(one), **_missing(other)}
    rows = (
        Contrast(what, one.get(what, missing[what]), other.get(what, missing[what]))
        for what in missing
    )
    return [row for row in rows if row.before != row.after]


def _said(thing: Thing) -> dict[str, str]:
    """All that was said of its runs."""
    manifest = thing.runs[0].manifest
    inputs: Data = manifest.get("inputs") or {}
    said = {f"file {file}": _digest(digest) for file, digest in inputs.items()}
    said |= _assigned("--set", manifest.get("overrides"))
    said |= _assigned("--set-workload", manifest.get("workload_overrides"))
    said |= {f"--without {cause}": "switched off" for cause in manifest.get("without") or ()}
    said["seed"] = ", ".join(map(str, thing.seeds))
    said |= {name: str(manifest[name]) for name in _PLAIN if manifest.get(name)}
    return said | ({"code": _digest(manifest["code"])} if manifest.get("code") else {})


def _digest(digits: str) -> str:
    return f"SHA-256 {digits[:_DIGITS]}…"


def _assigned(option: str, overrides: Sequence[str] | None) -> dict[str, str]:
    pairs = (text.partition("=") for text in overrides or ())
    return {f"{option} {key}": value for key, _, value in pairs}


def _missing(said: dict[str, str]) -> dict[str, str]:
    """What to write of each where nobody said it."""
    return {what: UNREAD if what.startswith("file ") else UNSET for what in said}
