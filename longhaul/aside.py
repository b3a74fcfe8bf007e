"""Temporary folders that go even where their process was killed: who makes one takes away those that nobody holds.

A folder is held by a lock for as long as its process lives, however that ends. What its maker gets is a folder in it:
who makes a run's folder locks the one that this goes into, and would wait for ever.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "longhaul-aside-"
YOUNG_S = 60.0
"""Between a folder's making and its lock somebody else may look; one as old as this has its lock, or never will."""


@contextmanager
def aside() -> Iterator[Path]:
    """A folder of one's own, beside all others', for as long as the body takes."""
    made, held = _made()
    try:
        yield _inner(made)
    finally:
        shutil.rmtree(made, ignore_errors=True)
        os.close(held)


def kept_aside() -> Path:
    """A folder of this process's own, gone with it."""
    made, _ = _made()
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return _inner(made)


def _made() -> tuple[Path, int]:
    """A new folder, and what holds it while it is open."""
    _sweep(Path(tempfile.gettempdir()))
    made = Path(tempfile.mkdtemp(prefix=PREFIX))
    held = _opened(made)
    with suppress(OSError):  # a file system without locks: it is never swept, either
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return made, held


def _inner(made: Path) -> Path:
    inner = made / "own"
    inner.mkdir()
    return inner


def _sweep(place: Path) -> None:
    for folder in place.glob(f"{PREFIX}*"):
        with suppress(OSError):  # somebody else's, held, or just now gone
            if _is_left(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path) -> bool:
    """Whether it is ours, and nobody holds it. Raises OSError."""
    about = folder.lstat()
    if about.st_uid != os.geteuid() or time.time() - about.st_mtime < YOUNG_S:
        return False
    held = _opened(folder)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(held)
    return True


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
