"""Is a trial that was kept still what was put there? A disk that was full, an editor, another's file: it is run again.

In: a trial and its folder. Out: what is wrong with the folder, in a few words; nothing where all is well.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import RunError
from analysis.form.summary import TrainingSummary, read_summary
from analysis.run import read_manifest
from analysis.tables import digest, read_events

if TYPE_CHECKING:
    from longhaul.trials.series import Trial


def unsound(trial: Trial, folder: Path) -> str:
    """What is wrong with a kept trial's folder."""
    try:
        found, manifest = read_summary(folder), read_manifest(folder)
        recorded = digest(read_events(folder / "events.parquet"))
    except RunError as error:
        return str(error)
    if not isinstance(found, TrainingSummary):
        return f"{folder / 'summary.json'}: of a run that does not train"
    if found.digest != recorded:
        return f"{folder / 'summary.json'}: of another run than events.parquet"
    if manifest.get("seed") != trial.seed:
        return f"{folder / 'manifest.json'}: of a run with another seed"
    return ""


def discarded(kept: Iterable[tuple[Path, Trial]]) -> list[str]:
    """Remove what is unsound, so that it is run again; returns what was wrong with each."""
    wrong = []
    for folder, trial in kept:
        if said := unsound(trial, folder):
            shutil.rmtree(folder)
            wrong.append(said)
    return wrong
