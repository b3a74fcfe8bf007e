"""The first process of the machine that carries a fabric: furnish it, then do the job.

    python -S -m longhaul.machine.init guest RUN [PAYLOAD]    as process 1 of a User-Mode Linux guest
    python -S -m longhaul.machine.init native RUN             as root, in new namespaces (see native.py)

The root file system is the host's: read-only in the guest. Memory file systems go where programs
write. Standard library alone, as the guest's start-up waits for it.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import subprocess
import sys
import termios
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAYLOAD = "longhaul.inside"
"""The module that does a job, where no other is asked for."""
GUEST_MOUNTS = (
    ("sysfs", "/sys", ""),
    ("devtmpfs", "/dev", ""),
    ("tmpfs", "/run", ""),
    ("tmpfs", "/tmp", ""),
    ("tmpfs", "/var/log", ""),
)
NATIVE_MOUNTS = (("sysfs", "/sys", ""), ("tmpfs", "/run", ""))
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "SHELL": "/bin/bash",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
}
_BIND = 0x1000
_POWER_OFF = 0x4321FEDC
_libc = ctypes.CDLL(None, use_errno=True)


def main(kind: str, run: str, payload: str = PAYLOAD) -> int:
    """Furnish the machine and do the job of the folder `run`; a guest switches itself off."""
    if kind == "native":
        mount("proc", "/proc")
        furnish(NATIVE_MOUNTS, [ROOT, Path(sys.prefix), Path(run)])
        return do_job(run, payload)
    try:
        mount("proc", "/proc")
        furnish(GUEST_MOUNTS, [ROOT, Path(sys.prefix)])
        furnish_devices()
        Path(run).mkdir(parents=True, exist_ok=True)
        mount("hostfs", run, run)
        do_job(run, payload)
    finally:
        os.sync()
        _libc.reboot(_POWER_OFF)
    return 0


def mount(kind: str, where: str, options: str = "", flags: int = 0, source: str = "none") -> None:
    """mount(2). Raises OSError."""
    words = [word.encode() for word in (source, where, kind)]
    if _libc.mount(*words, flags, options.encode() or None):
        raise OSError(ctypes.get_errno(), f"{kind} on {where}: {os.strerror(ctypes.get_errno())}")


def furnish(mounts: Iterable[tuple[str, str, str]], keep: Iterable[Path]) -> None:
    """Mount file systems, and bring back the folders of `keep` that they hide."""
    with handles(keep) as kept:
        for kind, where, options in mounts:
            mount(kind, where, options)
        for path, handle in kept:
            if not path.exists():
                path.mkdir(parents=True)
                mount("none", str(path), flags=_BIND, source=f"/proc/self/fd/{handle}")


@contextmanager
def handles(paths: Iterable[Path]) -> Iterator[list[tuple[Path, int]]]:
    """Folders held open, so that they can be reached when something is mounted over them."""
    kept = [(path, os.open(path, os.O_PATH | os.O_DIRECTORY)) for path in paths]
    try:
        yield kept
    finally:
        for _, handle in kept:
            os.close(handle)


def furnish_devices() -> None:
    """Terminals and shared memory, which a bare devtmpfs lacks."""
    for folder, kind, options in (
        ("/dev/pts", "devpts", "mode=620,ptmxmode=666"),
        ("/dev/shm", "tmpfs", ""),
    ):
        Path(folder).mkdir(exist_ok=True)
        mount(kind, folder, options)
    links = {"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0"}
    links |= {"stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}
    for name, target in links.items():
        Path("/dev", name).unlink(missing_ok=True)
        Path("/dev", name).symlink_to(target)


def do_job(run: str, payload: str) -> int:
    """Run the module `payload` to its end, with the console as its controlling terminal."""
    environment = ENVIRONMENT | {"TERM": os.environ.get("TERM", "linux"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", payload, run]
    return subprocess.run(
        command, env=environment, cwd=run, check=False, preexec_fn=take_terminal
    ).returncode


def take_terminal() -> None:
    """A session of one's own; where standard input is a terminal, Ctrl-C then reaches it."""
    os.setsid()
    if os.isatty(0):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
