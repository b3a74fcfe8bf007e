"""The first process of the machine that carries a fabric: furnish it, then do the job.

    main("guest", RUN, PAYLOAD, PYTHON)              as process 1 of a User-Mode Linux guest (see uml.py)
    python -S -m longhaul.machine.init native RUN    as root, in new namespaces (see native.py)

A guest's root file system is in memory, with the host's folders that RUN/shown.json names put into it, read-only.
Standard library alone, as the guest's start-up waits for it.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import stat
import subprocess
import sys
import termios
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAYLOAD = "longhaul.inside"
"""The module that does a job, where no other is asked for."""
SHOWN = "shown.json"
"""In a run folder: the paths of the host's that its guest sees."""
GUEST_MOUNTS = (("proc", "/proc", ""), ("sysfs", "/sys", ""), ("devtmpfs", "/dev", ""))
GUEST_FOLDERS = ("proc", "sys", "dev", "run", "tmp", "var/log", "var/lib", "home", "root", "mnt")
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
_PIVOT_ROOT = 155
_DETACH = 2
_libc = ctypes.CDLL(None, use_errno=True)


def main(kind: str, run: str, payload: str = PAYLOAD, python: str = sys.executable) -> int:
    """Furnish the machine and do the job of the folder `run`; a guest switches itself off."""
    if kind == "native":
        mount("proc", "/proc")
        furnish(NATIVE_MOUNTS, [ROOT, Path(sys.prefix), Path(run)])
        return do_job(run, payload, python)
    try:
        mount("proc", "/proc")
        build_root(shown(Path(run)))
        furnish(GUEST_MOUNTS, [])
        furnish_devices()
        Path(run).mkdir(parents=True, exist_ok=True)
        mount("hostfs", run, run)
        do_job(run, payload, python)
    finally:
        os.sync()
        _libc.reboot(_POWER_OFF)
    return 0


def shown(run: Path) -> list[Path]:
    """The host's paths that are to be seen, none of them beneath another."""
    found: list[Path] = []
    for path in sorted({Path(name) for name in json.loads((run / SHOWN).read_text())}):
        if not any(path.is_relative_to(one) for one in found):
            found.append(path)
    return found


def build_root(paths: Iterable[Path], base: Path = Path("/sys")) -> None:
    """Make a file system in memory the root, with these paths of the old root in it. `base` is any folder
    that the old one has."""
    with handles(path for path in paths if os.path.lexists(path)) as kept:
        mount("tmpfs", str(base), "mode=755")
        for path, handle in kept:
            put(base / path.relative_to("/"), handle)
    for name in (*GUEST_FOLDERS, ".old"):
        (base / name).mkdir(parents=True, exist_ok=True)
    (base / "tmp").chmod(0o1777)
    (base / "var/run").symlink_to("/run")
    (base / "var/tmp").symlink_to("/tmp")
    if _libc.syscall(_PIVOT_ROOT, str(base).encode(), str(base / ".old").encode()):
        raise OSError(ctypes.get_errno(), f"pivot_root: {os.strerror(ctypes.get_errno())}")
    os.chdir("/")
    _libc.umount2(b"/.old", _DETACH)
    Path("/.old").rmdir()


def put(path: Path, handle: int) -> None:
    """Have at `path` what is open as `handle`: a folder, a file or a symbolic link."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = os.fstat(handle).st_mode
    if stat.S_ISLNK(mode):
        path.symlink_to(os.readlink("", dir_fd=handle))
        return
    if stat.S_ISDIR(mode):
        path.mkdir()
    else:
        path.touch()
    mount("none", str(path), flags=_BIND, source=f"/proc/self/fd/{handle}")


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
    """Paths held open, so that they can be reached when something is mounted over them."""
    kept = [(path, os.open(path, os.O_PATH | os.O_NOFOLLOW)) for path in paths]
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


def do_job(run: str, payload: str, python: str) -> int:
    """Run the module `payload` to its end, with the console as its controlling terminal."""
    environment = ENVIRONMENT | {"TERM": os.environ.get("TERM", "linux"), "PYTHONPATH": str(ROOT)}
    command = [python, "-m", payload, run]
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
