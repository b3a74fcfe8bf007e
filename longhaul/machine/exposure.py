"""What a command needs to see of this machine to run in a guest: its folder, its program's environment.

In come a command line, the folder it was typed in and the caller's environment; out come the paths to show
to the guest, read-only. The home folder itself is never among them unless it is asked for by name.
Standard library only.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

THE_GUESTS = tuple(map(Path, ("/tmp", "/var/tmp", "/run", "/dev/shm")))
"""Folders that a guest has of its own, to write into. What this machine has in them is shown where it is named."""
_LISTS = ("PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


def for_command(
    argv: Sequence[str], cwd: Path, environ: Mapping[str, str], home: Path
) -> tuple[Path, ...]:
    """The current folder, the files that the command names, and the programs that it may find.

    A home folder, or one that has it inside, is left out, and so is what a guest has of its own: the files of it that
    the command names are not.
    """
    folders = [cwd, *_listed(environ, _LISTS)]
    files = [cwd / word for word in argv if os.path.isfile(cwd / word)]  # noqa: PTH113 (never raises)
    found = [folder for folder in folders if not hidden(folder, home)]
    found += [place for file in files for place in (file, file.resolve())]
    found += programs(argv[:1], environ.get("PATH", os.defpath), home)
    return tuple(dict.fromkeys(path for path in found if os.access(path, os.R_OK)))


def hidden(folder: Path, home: Path) -> bool:
    """Whether a folder is never shown as a whole."""
    return holds(folder, home) or folder.resolve() in THE_GUESTS


def holds(folder: Path, home: Path) -> bool:
    """Whether a folder is the home folder, or has it inside."""
    return home.resolve().is_relative_to(folder.resolve())


def programs(names: Iterable[str], path: str, home: Path) -> Iterator[Path]:
    """The folders of programs on a PATH with their libraries, and of these programs wherever they are."""
    folders = [Path(folder) for folder in path.split(os.pathsep) if folder.startswith("/")]
    for name in names:
        if there := shutil.which(name, path=path):
            folders += [Path(there).absolute().parent, Path(there).resolve().parent]
    for folder in dict.fromkeys(folder for folder in folders if os.access(folder, os.R_OK)):
        yield from environment(folder, home)


def environment(programs: Path, home: Path) -> Iterator[Path]:
    """What belongs to a folder of programs: all of a Python's virtual environment or of conda's, with the
    Python that it was made from; else the libraries beside it."""
    prefix = programs.parent
    settings = prefix / "pyvenv.cfg"
    if settings.is_file() or (prefix / "conda-meta").is_dir():
        yield prefix
        if settings.is_file():
            for base in re.findall(r"^home\s*=\s*(/.+?)\s*$", settings.read_text(), re.M):
                if Path(base) != programs:
                    yield from environment(Path(base), home)
        return
    if not hidden(programs, home):
        yield programs
    if not hidden(prefix, home):
        yield from sorted(prefix.glob("lib*"))


def _listed(environ: Mapping[str, str], names: Iterable[str]) -> list[Path]:
    words = [word for name in names for word in environ.get(name, "").split(os.pathsep)]
    return [Path(word) for word in words if word.startswith("/")]
