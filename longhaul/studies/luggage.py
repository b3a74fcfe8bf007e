"""The files that a point is a function of, as they travel to whoever works it out.

On this machine they stay where they are; to another one their contents go with the task, with all that they include.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from longhaul.aside import kept_aside
from longhaul.code import code
from longhaul.runs.workloads import DEFAULT
from scenario.errors import WrongInput
from scenario.loading import load_workload, read_document
from scenario.types.topology import Training
from scenario.types.trace import TraceReplay
from traffic.collectives.own import is_own

Contents = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True)
class Luggage:
    """A topology and a workload: where they are, or with `contents` what is in them (paths from one folder down)."""

    topology: Path
    workload: Path | None
    digest: str
    contents: tuple[Contents, ...] = ()

    @classmethod
    def of(cls, topology: Path, workload: Path | None, *, travels: bool) -> Luggage:
        """Of files that are here. Raises InvalidInput where they cannot be read."""
        packed = tuple(_contents(path) for path in (topology, workload or DEFAULT))
        sha = hashlib.sha256(code().encode())
        for name, content in (one for files in packed for one in files):
            sha.update(f"{name}\0{len(content)}\0".encode() + content)
        found = cls(topology.resolve(), (workload or DEFAULT).resolve(), sha.hexdigest())
        if not travels:
            return found
        _check_travels(workload or DEFAULT)
        names = [Path(files[-1][0]) for files in packed]
        return cls(names[0], names[1], found.digest, packed)

    def unpacked(self) -> tuple[Path, Path | None]:
        """The two files, on this machine."""
        if not self.contents:
            return self.topology, self.workload
        folder = _folder(self.digest)
        for place, files in enumerate(self.contents):
            for name, content in files:
                path = folder / str(place) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        assert self.workload
        return folder / "0" / self.topology, folder / "1" / self.workload


def _check_travels(workload: Path) -> None:
    """Raises WrongInput where a workload names files that are neither YAML nor included."""
    found = load_workload(workload)
    own = isinstance(found, Training) and is_own(found.collective.algorithm)
    if own or isinstance(found, TraceReplay):
        what = "a collective of your own" if own else "a trace"
        raise WrongInput(
            f"{workload}: the files of {what} do not travel: carry this study out with --jobs"
        )


def _contents(path: Path) -> Contents:
    """A file and all that it includes, itself the last."""
    files = read_document(path).files
    top = path.parent.resolve()
    return tuple((os.path.relpath(file.resolve(), top), file.read_bytes()) for file in files)


@cache
def _folder(_: str) -> Path:
    """Where this process unpacks what has such a digest."""
    return kept_aside()
