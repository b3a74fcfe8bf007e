"""Points in the fabric: one run each, in a process of its own, on this machine or wherever a worker is.

In: a commission. Out: what its run found, or why it failed. Its folder stays where that says, or comes back packed.
"""

from __future__ import annotations

import io
import shutil
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from analysis.form.summary import read_summary
from analysis.studies.measures import numbers
from longhaul.aside import aside
from longhaul.folder import cleared
from longhaul.studies.luggage import Luggage
from longhaul.studies.store import Record
from longhaul.trials.series import Runner, Trial, TrialFailed
from scenario.study.trying import divided

PATIENCE_S = 60.0
"""With a run that was told to end when its study was, and has not yet."""


@dataclass(frozen=True)
class Commission:
    """One run to be made. `folder`: where its run folder goes, None: nowhere; `comes_back`: whether it is packed, as it
    is made on another machine."""

    files: Luggage
    settings: tuple[str, ...]
    without: tuple[str, ...]
    seed: int
    folder: Path | None = None
    comes_back: bool = False

    def trial(self) -> Trial:
        """The run, of the files where they are now."""
        topology, workload = self.files.unpacked()
        assert workload
        here, there = divided(self.settings)
        return Trial(topology, workload, here, there, self.without, self.seed)


@dataclass(frozen=True)
class Done:
    """What came of a commission, and its run folder, packed, where that was asked for."""

    record: Record
    packed: bytes | None = field(default=None, repr=False)


def carried_out(commission: Commission, runner: Runner | None = None) -> Done:
    """Run it, and say what it found; a run that fails is a record, too."""
    with aside() as scratch:
        elsewhere = commission.folder is None or commission.comes_back
        place = scratch / "run" if elsewhere else commission.folder
        assert place
        try:
            (runner or Runner()).run(commission.trial(), cleared(place, PATIENCE_S))
        except TrialFailed as failed:
            return Done(Record(reason=failed.reason))
        summary = read_summary(place)
        record = Record(numbers(summary), digest=summary.digest, faithful=summary.faithful)
        return Done(record, _packed(place) if commission.comes_back and commission.folder else None)


def put_down(done: Done, folder: Path) -> None:
    """Unpack a run folder that came back, in place of any that is there."""
    if done.packed is None:
        return
    partial = folder.with_name(f".{folder.name}.unpacking")
    shutil.rmtree(partial, ignore_errors=True)
    with zipfile.ZipFile(io.BytesIO(done.packed)) as archive:
        archive.extractall(partial)  # which takes neither links nor paths that lead out of it
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _packed(folder: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return packed.getvalue()
