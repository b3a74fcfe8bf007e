"""Libraries of ours that are preloaded into programs of others, compiled when they are first needed.

`idle_polls`: a program that polls RDMA completion queues sleeps when they are empty, without which virtual time
stands still. It needs gcc and the headers of libibverbs, which `./setup.sh system` installs.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

from longhaul.machine.kernel import cache_folder
from scenario.errors import LonghaulError

_SOURCES = Path(__file__).parent / "preloads"
_VERBS_HEADER = Path("/usr/include/infiniband/verbs.h")


class PreloadUnavailable(LonghaulError):
    """It cannot be compiled; the message says why."""


def idle_polls() -> Path:
    """The library, for LD_PRELOAD. Raises PreloadUnavailable."""
    source, versions = (_SOURCES / f"idle_polls.{ending}" for ending in ("c", "map"))
    digest = hashlib.sha256(source.read_bytes() + versions.read_bytes()).hexdigest()[:12]
    library = cache_folder() / f"idle-polls-{digest}.so"
    if not library.exists():
        _compile(source, versions, library)
    return library


def _compile(source: Path, versions: Path, library: Path) -> None:
    """Compile to a file of our own, and put it there whole."""
    if not _VERBS_HEADER.exists():
        raise PreloadUnavailable("libibverbs-dev is missing; ./setup.sh system installs it")
    library.parent.mkdir(parents=True, exist_ok=True)
    partial = library.with_suffix(f".{os.getpid()}")
    command = ["gcc", "-O2", "-shared", "-fPIC", f"-Wl,--version-script={versions}"]
    command += ["-o", str(partial), str(source), "-l:libibverbs.so.1"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise PreloadUnavailable("gcc is missing; ./setup.sh build installs it") from None
    if done.returncode:
        raise PreloadUnavailable(f"gcc does not compile it: {done.stderr.strip()[-300:]}")
    partial.rename(library)
