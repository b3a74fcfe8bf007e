"""What hosts and the observer have noted, off their files: rows of 64-bit integers, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl


def read_rows(path: Path, fields: Sequence[str]) -> pl.DataFrame:
    """The rows of a file, whose columns are `fields`."""
    rows = np.fromfile(path, dtype="<i8").reshape(-1, len(fields))
    return pl.DataFrame(dict(zip(fields, rows.T, strict=True)))
