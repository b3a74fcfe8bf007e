"""The first process of the guest: furnish a read-only root, run the job, switch off.

Started by the kernel as `python -S -m longhaul.machine.guest`, with LONGHAUL_RUN (the run folder)
in the environment. Standard library alone.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct
import subprocess
import sys
import termios
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_POWER_OFF = 0x4321FEDC
_MS_RDONLY = 1

FILE_SYSTEMS = (
    ("proc", "/proc", ""),
    ("sysfs", "/sys", ""),
    ("devtmpfs", "/dev", ""),
    ("tmpfs", "/run", ""),
    ("tmpfs", "/tmp", ""),
    ("tmpfs", "/var/log", ""),
)


def mount(kind: str, where: str, options: str = "", flags: int = 0) -> None:
    """mount(2). Raises OSError."""
    if _libc.mount(b"none", where.encode(), kind.encode(), flags, options.encode() or None):
        raise OSError(
            ctypes.get_errno(), f"mount {kind} on {where}: {os.strerror(ctypes.get_errno())}"
        )


def furnish(run: str) -> None:
    """Memory where programs write, and the run folder writable at its own path."""
    for kind, where, options in FILE_SYSTEMS:
        mount(kind, where, options)
    for folder, kind, options in (
        ("/dev/pts", "devpts", "mode=620,ptmxmode=666"),
        ("/dev/shm", "tmpfs", ""),
    ):
        Path(folder).mkdir()
        mount(kind, folder, options)
    if not Path("/dev/ptmx").exists():
        Path("/dev/ptmx").symlink_to("pts/ptmx")
    mount("hostfs", run, run)


def main() -> None:
    run = os.environ["LONGHAUL_RUN"]
    status = 1
    try:
        furnish(run)
        status = subprocess.run(
            [sys.executable, "-m", "longhaul.inside", run], env=environment(), check=False
        ).returncode
    finally:
        Path(run, "exit").write_text(str(status))
        os.sync()
        _libc.reboot(_POWER_OFF)


def environment() -> dict[str, str]:
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/tmp",
        "TERM": os.environ.get("TERM", "linux"),
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SHELL": "/bin/bash",
    }


if __name__ == "__main__":
    main()
