"""Is a trial that was kept still what was put there? A disk that was full, an editor, another's file: it is run again.

In: a trial's folder and its seed. Out: what is wrong with the folder, in a few words; nothing where all is well.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from analysis.errors import RunError
from analysis.form.summary import TrainingSummary, read_summary
from analysis.run import read_manifest
from analysis.tables import digest, read_events


def unsound(folder: Path, seed: int) -> str:
    """What is wrong with a kept trial's folder, whose seed is known."""
    try:
        found, manifest = read_summary(folder), read_manifest(folder)
        recorded = digest(read_events(folder / "events.parquet"))
    except RunError as error:
        return str(error)
    if not isinstance(found, TrainingSummary):
        return f"{folder / 'summary.json'}: of a run that does not train"
    if found.digest != recorded:
        return f"{folder / 'summary.json'}: of another run than events.parquet"
    if manifest.get("seed") != seed:
        return f"{folder / 'manifest.json'}: of a run with another seed"
    return ""


def discarded(kept: Iterable[tuple[Path, int]]) -> list[str]:
    """Remove what is unsound, so that it is run again, folders with their seeds; returns what was wrong with each."""
    wrong = []
    for folder, seed in kept:
        if said := unsound(folder, seed):
            shutil.rmtree(folder)
            wrong.append(said)
    return wrong
