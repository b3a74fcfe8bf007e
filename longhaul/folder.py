"""The run folder: written beside its final name, and given that name when it is whole."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from scenario.errors import LonghaulError, WrongInput

RUNS = Path("runs")
FULL = (errno.ENOSPC, errno.EDQUOT)


class FolderTaken(WrongInput):
    """The folder that was asked for has something in it, or cannot be made."""


class Unwritable(WrongInput):
    """The output file that was asked for cannot be written."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(f"{path} cannot be written: {error.strerror}")


class DiskFull(LonghaulError):
    """There is no room left for what is written into a run folder."""


def write_output(path: Path, text: str) -> None:
    """Write a file that the user named. Raises Unwritable."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Unwritable(path, error) from None


def put(path: Path, text: str) -> None:
    """Have a file beneath `runs/` hold a text, whole at every moment: others may be about to read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=path.parent, encoding="utf-8", delete=False) as part:
        part.write(text)
    Path(part.name).replace(path)


def next_free(name: str) -> Path:
    """`runs/<name>-<number>`, numbered after the highest there is."""
    pattern = re.compile(rf"\.?{re.escape(name)}-(\d+)(\.partial|\.failed)?")
    taken = [int(m[1]) for path in RUNS.glob("*") if (m := pattern.fullmatch(path.name))]
    return RUNS / f"{name}-{max(taken, default=0) + 1}"


def reserved(name: str) -> Path:
    """The next free folder, empty, so that nobody else takes it; it is `new` that fills it."""
    with _alone(RUNS):
        found = next_free(name)
        found.mkdir()
    return found


@contextmanager
def new(final: Path) -> Iterator[Path]:
    """A folder to fill: `final` if the body ends well, else `<final>.failed`, with its logs.

    While it is being filled it is `.<name>.partial`, locked, so that one left behind by a killed run
    can be told from one in use. Raises FolderTaken, DiskFull.
    """
    final = final.absolute()
    check(final)
    partial = final.with_name(f".{final.name}.partial")
    with _alone(final.parent):
        try:
            partial.mkdir()
        except FileExistsError:
            raise FolderTaken(f"{final} is being written by another run") from None
        held = _lock(partial)
    try:
        yield partial
    except BaseException as error:
        kept, full = final.with_name(f"{final.name}.failed"), _is_full(partial, error)
        _rename(partial, kept)
        if full:
            raise DiskFull(
                f"the disk that holds {final.parent} is full; what there was room for is in {kept}"
            ) from None
        raise
    else:
        _rename(partial, final)
    finally:
        os.close(held)


def check(final: Path) -> None:
    """Whether a run folder of this name can be made. Raises FolderTaken."""
    if final.is_symlink():
        raise FolderTaken(f"{final} is a symbolic link: name the folder itself with --out")
    if final.exists() and not final.is_dir():
        raise FolderTaken(f"{final} is not a folder: name another with --out")
    if final.exists() and any(final.iterdir()):
        raise FolderTaken(f"{final} is not empty: name another folder with --out")
    make(final.parent)


def check_scratch() -> None:
    """Whether a folder can be made under `runs/`. Raises FolderTaken."""
    make(RUNS)


@contextmanager
def room(place: Path) -> Iterator[None]:
    """Raises DiskFull for whatever the body ends in where there is no room left in `place`."""
    try:
        yield
    except Exception as error:
        if isinstance(error, DiskFull) or not _is_full(place, error):
            raise
        raise DiskFull(f"the disk that holds {place.absolute()} is full") from None


def _is_full(folder: Path, error: BaseException) -> bool:
    """Whether it is for want of room that a folder could not be filled, here or in a guest that shares it."""
    said = isinstance(error, OSError) and error.errno in FULL
    return said or (isinstance(error, Exception) and shutil.disk_usage(folder).free == 0)


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """A folder under `runs/` for as long as the body takes. Where `runs` is a link, its path does without: a guest that
    sees the current folder does not see what a link there leads to."""
    with _alone(RUNS):
        final = next_free(name).resolve()
        partial = final.with_name(f".{final.name}.partial")
        partial.mkdir()
        held = _lock(partial)
    try:
        yield partial
    finally:
        os.close(held)
        shutil.rmtree(partial)


@contextmanager
def _alone(parent: Path) -> Iterator[None]:
    """Be the only one who makes folders in `parent`, swept first: a folder that has been made but not
    yet locked would look left behind. Raises FolderTaken."""
    make(parent)
    handle = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        sweep(parent)
        yield
    finally:
        os.close(handle)


def cleared(final: Path, patience_s: float) -> Path:
    """A run folder's name, free: what is there goes, and whoever still fills it is waited for. Raises FolderTaken."""
    partial = final.with_name(f".{final.name}.partial")
    deadline_s = time.monotonic() + patience_s
    while partial.exists() and _held(partial):
        if time.monotonic() > deadline_s:
            raise FolderTaken(f"{final} is being written by another run")
        time.sleep(0.05)
    shutil.rmtree(final, ignore_errors=True)
    return final


def _held(folder: Path) -> bool:
    """Whether somebody fills it."""
    try:
        os.close(_lock(folder))
    except BlockingIOError:
        return True
    except FileNotFoundError:
        pass
    return False


def sweep(parent: Path) -> None:
    """Give partial folders that nobody holds any more (their run was killed) their failed name."""
    for partial in parent.glob(".*.partial"):
        name = partial.name.removeprefix(".").removesuffix(".partial")
        with suppress(BlockingIOError, FileNotFoundError):  # held, or just now finished
            os.close(_lock(partial))
            _rename(partial, parent / f"{name}.failed")


def make(folder: Path) -> None:
    """A folder that something can be put in. Raises FolderTaken."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FolderTaken(f"{folder} cannot be made: {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise FolderTaken(f"{folder} cannot be written to")


def _lock(folder: Path) -> int:
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise
    return held


def _rename(source: Path, target: Path) -> None:
    """Put `source` in the place of `target`; an older failed attempt of that name goes."""
    if source.exists() and target.exists():
        shutil.rmtree(target)
    source.rename(target)


def write_json(path: Path, data: Any) -> None:
    """As text that people read: indented, in UTF-8."""
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
