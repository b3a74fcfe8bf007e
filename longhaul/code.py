"""Which longhaul this is: a digest of the programs that make a run."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

PACKAGES = ("scenario", "longhaul", "controller", "traffic", "analysis")


@cache
def code() -> str:
    """A digest of the programs that make a run."""
    root = Path(__file__).parents[1]
    sha = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                sha.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return sha.hexdigest()
