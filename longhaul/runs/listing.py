"""Which run folders there are, what each is, and what came of it: `longhaul runs`.

In: the folder of runs. Out: a `ListedRun` of each, oldest first. Nothing raises: what cannot be read is listed as damaged.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from analysis.errors import RunError
from analysis.form.attribution import FILE as ATTRIBUTION
from analysis.form.attribution import Attribution
from analysis.form.benchmark import FILE as BENCHMARK
from analysis.form.benchmark import read_benchmark
from analysis.form.files import read
from analysis.form.summary import TrainingSummary, read_summary
from analysis.run import read_manifest
from longhaul.folder import RUNS
from scenario.errors import WrongInput

State: TypeAlias = Literal["faithful", "unfaithful", "done", "failed", "running", "damaged"]
STATES: tuple[State, ...] = get_args(State)
"""`done`: a benchmark or an attribution, which has no verdict."""
MARKS = ("manifest.json", "plan.json", "job.json", "logs", ATTRIBUTION, BENCHMARK)
"""What has any of these is, or was to be, the folder of a run."""


@dataclass(frozen=True)
class ListedRun:
    """One folder. `made` is when it was last written; what is not known is None."""

    folder: Path
    kind: Literal["run", "bench", "attribution"]
    state: State
    made: datetime
    topology: str | None = None
    seed: int | None = None
    iteration_s: float | None = None
    waste: float | None = None
    size_bytes: int = 0
    why: str = ""

    @property
    def name(self) -> str:
        """The folder's own name, without what marks one that is being written."""
        return self.folder.name.removeprefix(".").removesuffix(".partial")


@dataclass(frozen=True)
class Wanted:
    """Which of them are meant: by patterns of names, the topology's name, state, and date."""

    names: tuple[str, ...] = ()
    topology: str | None = None
    state: State | None = None
    since: datetime | None = None
    before: datetime | None = None

    def means(self, one: ListedRun) -> bool:
        """Whether a run is meant."""
        named = not self.names or any(fnmatchcase(one.name, name) for name in self.names)
        topology = self.topology is None or fnmatchcase(one.topology or "", self.topology)
        state = self.state in (None, one.state)
        late = self.since is None or one.made >= self.since
        return named and topology and state and late and (not self.before or one.made < self.before)


def listed(root: Path = RUNS) -> list[ListedRun]:
    """Every run of a folder, oldest first."""
    if not root.is_dir():
        return []
    return sorted((_listed(path) for path in _folders(root)), key=lambda one: (one.made, one.name))


def _folders(root: Path) -> Iterator[Path]:
    for path in root.iterdir():
        if path.is_dir() and not path.is_symlink() and any((path / one).exists() for one in MARKS):
            yield path


def _listed(path: Path) -> ListedRun:
    """What a folder holds. A run that dies while it is looked at is what it was before."""
    kind: Literal["run", "bench", "attribution"] = "run"
    if (path / ATTRIBUTION).exists():
        kind = "attribution"
    elif (path / BENCHMARK).exists():
        kind = "bench"
    made, size_bytes = datetime.fromtimestamp(path.stat().st_mtime).astimezone(), _size(path)
    state: State = "done"
    if path.name.startswith(".") and path.name.endswith(".partial"):
        state = "running" if _held(path) else "failed"
    elif path.name.endswith(".failed"):
        state = "failed"
    if state != "done":
        return ListedRun(path, kind, state, made, *_origin(path), size_bytes=size_bytes)
    try:
        return _finished(path, kind, made, size_bytes)
    except (RunError, KeyError, TypeError, AttributeError) as error:
        why = str(error) if isinstance(error, RunError) else "its manifest lacks something"
        return ListedRun(
            path, kind, "damaged", made, *_origin(path), size_bytes=size_bytes, why=why
        )


def _finished(
    path: Path, kind: Literal["run", "bench", "attribution"], made: datetime, size_bytes: int
) -> ListedRun:
    """Raises RunError, KeyError where a file is damaged."""
    if kind == "attribution":
        found = read(path / ATTRIBUTION, Attribution)
        lost = found.lost_s / found.actual_s if found.actual_s else None
        return ListedRun(
            path, kind, "done", made, found.name, None, found.actual_s, lost, size_bytes
        )
    manifest = read_manifest(path)
    name, seed = str(manifest["name"]), int(manifest["seed"])
    if kind == "bench":
        read_benchmark(path)
        return ListedRun(path, kind, "done", made, name, seed, size_bytes=size_bytes)
    summary = read_summary(path)
    state: State = "faithful" if summary.faithful else "unfaithful"
    if not isinstance(summary, TrainingSummary):
        return ListedRun(path, kind, state, made, name, seed, size_bytes=size_bytes)
    ideal = summary.stalls.one_campus
    waste = ideal.waste if ideal else None
    p50_s = summary.iterations.p50_s
    return ListedRun(path, kind, state, made, name, seed, p50_s, waste, size_bytes)


def _origin(path: Path) -> tuple[str | None, int | None]:
    """Topology and seed of a run that did not end well, where its manifest, if any, says them."""
    try:
        manifest = read_manifest(path)
        return str(manifest["name"]), int(manifest["seed"])
    except (RunError, KeyError, TypeError, ValueError):
        return None, None


def _size(path: Path) -> int:
    """Bytes of all its files."""
    found = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                found += (Path(folder) / name).lstat().st_size
            except FileNotFoundError:  # it is being written
                continue
    return found


def _held(path: Path) -> bool:
    """Whether the process that writes a folder is alive: it holds its lock."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def remove(one: ListedRun) -> None:
    """Remove a run folder with all that is in it. Raises WrongInput where it is being written, or cannot go."""
    if one.state == "running":
        raise WrongInput(f"{one.folder} is being written: end that run first")
    try:
        shutil.rmtree(one.folder)
    except OSError as error:
        raise WrongInput(f"{one.folder} cannot be removed: {error.strerror}") from None
