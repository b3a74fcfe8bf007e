"""A program of the machine's own software in a guest whose fabric is made of another: in a root of its own.

    python -S -m longhaul.inside.beside FOLDER ENVIRONMENT COMMAND…

It is in its host's network, with the names that the host knows; /proc, /sys, /dev, /run and /tmp are the guest's.
ENVIRONMENT is JSON. Standard library only.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from longhaul.machine.init import SYSTEM, mount, switch_root

SHARED = ("proc", "sys", "dev", "run", "tmp", "etc/hosts")
_CLONE_NEWNS = 0x00020000
_BIND_ALL = 0x1000 | 0x4000
_CANNOT_RUN = 127


def command(argv: Sequence[str], folder: str, environment: Mapping[str, str]) -> list[str]:
    """The command line that runs `argv` so."""
    words = [sys.executable, "-S", "-m", "longhaul.inside.beside"]
    return [*words, folder, json.dumps(dict(environment)), *argv]


def here(argv: Sequence[str]) -> list[str]:
    """The same, in the current folder, with our own environment but for what our Python is told."""
    ours = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return command(argv, str(Path.cwd()), ours)


def main(folder: str, environment: str, *argv: str) -> int:
    """Become the program; returns only where there is none."""
    ctypes.CDLL(None).unshare(_CLONE_NEWNS)
    mount(
        "none", str(SYSTEM), flags=_BIND_ALL, source=str(SYSTEM)
    )  # a root is where something is mounted
    for name in SHARED:
        if (SYSTEM / name).exists():
            mount("none", str(SYSTEM / name), flags=_BIND_ALL, source=f"/{name}")
    switch_root(SYSTEM)
    Path(folder).mkdir(parents=True, exist_ok=True)  # where none of it is exposed
    os.chdir(folder)
    try:
        os.execvpe(argv[0], argv, json.loads(environment))
    except OSError as error:
        print(f"{argv[0]}: {error.strerror}", file=sys.stderr)
        return _CANNOT_RUN


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
