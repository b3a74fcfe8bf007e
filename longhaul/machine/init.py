"""The first process of the machine that carries a fabric: furnish it, then do the job.

    guest(RUN, …)                                    as process 1 of a User-Mode Linux guest (see uml.py)
    python -S -m longhaul.machine.init RUN           as root, in new namespaces (see native.py)

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
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAYLOAD = "longhaul.inside"
"""The module that does a job, where no other is asked for."""
SHOWN = "shown.json"
"""In a run folder: the paths of the host's that its guest sees."""
SHOWN_TO_PROGRAMS = "shown-to-programs.json"
"""The same, for those that a guest with a root of its own has beneath SYSTEM."""
SYSTEM = Path("/.system")
"""In a guest with a root of its own: the host's software, for programs that are to see it."""
GUEST_MOUNTS = (("proc", "/proc", ""), ("sysfs", "/sys", ""), ("devtmpfs", "/dev", ""))
OWN_ROOT = ("bin", "etc", "lib", "lib64", "opt/longhaul", "sbin", "usr")
"""What a root file system of the guest's own consists of."""
SITE = Path("/opt/longhaul/site")
"""In such a root: Python's packages that longhaul needs."""
GUEST_FOLDERS = ("proc", "sys", "dev", "run", "tmp", "var/log", "var/lib", "home", "root", "mnt")
PARTS_FOR_TCP = 4
"""The memory in so many parts: one for TCP's buffers. Linux takes the sixteenth part."""
NATIVE_MOUNTS = (("sysfs", "/sys", ""), ("tmpfs", "/run", ""))
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "SHELL": "/bin/bash",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
}
if sys.version_info < (3, 12):  # Mininet imports distutils; that of setuptools takes 0.2 s more
    ENVIRONMENT["SETUPTOOLS_USE_DISTUTILS"] = "stdlib"
_BIND = 0x1000
_POWER_OFF = 0x4321FEDC
_PIVOT_ROOT = 155
_DETACH = 2
_libc = ctypes.CDLL(None, use_errno=True)


def native(run: str) -> int:
    """Furnish namespaces of this kernel, and do the job of the folder `run` in them."""
    mount("proc", "/proc")
    furnish(NATIVE_MOUNTS, [ROOT, Path(sys.prefix), Path(run)])
    return do_job(run, PAYLOAD, sys.executable, str(ROOT))


def guest(run: str, payload: str, python: str, code: str, host: str) -> None:
    """Furnish a guest, have `python` do the job of the folder `run` with `payload` of the folder `code`, and
    switch it off. The host's files are beneath `host`: `/`, or where a root of the guest's own has them."""
    try:
        mount("proc", "/proc")
        build_root(
            Path(host), shown(Path(run), Path(host)), shown_to_programs(Path(run), Path(host))
        )
        furnish(GUEST_MOUNTS, [])
        furnish_devices()
        let_buffers_fill()
        end_who_asks_for_more()
        Path(run).mkdir(parents=True, exist_ok=True)
        mount("hostfs", run, run)
        do_job(run, payload, python, code)
    finally:
        os.sync()
        _libc.reboot(_POWER_OFF)


def shown(run: Path, host: Path) -> list[Path]:
    """What is to be seen, none of it beneath another: the paths of the host's, and the guest's own root."""
    own = set() if host == Path("/") else {Path("/", name) for name in OWN_ROOT}
    return outermost(own | listed(host, run, SHOWN))


def shown_to_programs(run: Path, host: Path) -> list[Path]:
    """What those programs see that are to see the host's software; nothing where all do."""
    return outermost(listed(host, run, SHOWN_TO_PROGRAMS))


def listed(host: Path, run: Path, file: str) -> set[Path]:
    """The paths that a file of the run folder names, as the guest has them while it starts."""
    there = host / run.relative_to("/") / file
    names = json.loads(there.read_text()) if there.exists() else ()
    return {host / name.lstrip("/") for name in names}


def outermost(paths: Iterable[Path]) -> list[Path]:
    """Those that are not beneath another."""
    found: list[Path] = []
    for path in sorted(paths):
        if not any(path.is_relative_to(one) for one in found):
            found.append(path)
    return found


def build_root(
    host: Path, paths: Sequence[Path], to_programs: Sequence[Path], base: Path = Path("/sys")
) -> None:
    """Make a file system in memory the root, with these paths of the old root in it, those of the `host`'s
    where the host has them, or beneath SYSTEM. `base` is any folder that the old root has."""
    system = base / SYSTEM.relative_to("/")
    with present(paths) as kept, present(to_programs) as kept_for_programs:
        mount("tmpfs", str(base), "mode=755")
        furnish_root(base, host, kept)
        if kept_for_programs:
            furnish_root(system, host, kept_for_programs)
    switch_root(base)


def switch_root(base: Path) -> None:
    """Have the file system that is mounted at `base` as the root, and nothing else. Raises OSError."""
    os.chdir(base)
    if _libc.syscall(_PIVOT_ROOT, b".", b"."):
        raise OSError(ctypes.get_errno(), f"pivot_root: {os.strerror(ctypes.get_errno())}")
    _libc.umount2(b".", _DETACH)  # the old one, which lies upon the new
    os.chdir("/")


def furnish_root(base: Path, host: Path, kept: Iterable[tuple[Path, int]]) -> None:
    """Have these paths in a root, and the folders that every root has."""
    for path, handle in kept:
        inside = path.relative_to(host) if path.is_relative_to(host) else path.relative_to("/")
        put(base / inside, handle)
    for name in GUEST_FOLDERS:
        (base / name).mkdir(parents=True, exist_ok=True)
    (base / "tmp").chmod(0o1777)
    for name, target in (("var/run", "/run"), ("var/tmp", "/tmp")):
        if not (base / name).exists():  # something beneath it may be shown
            (base / name).symlink_to(target)


def present(paths: Iterable[Path]) -> AbstractContextManager[list[tuple[Path, int]]]:
    """Those of the paths that there are, held open."""
    return handles(path for path in paths if os.path.lexists(path))


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


def let_buffers_fill() -> None:
    """A part of the memory for TCP's buffers. Linux would have all hosts share a smaller one, as if they were one, and
    let windows of long fat links collapse."""
    pages = os.sysconf("SC_PHYS_PAGES") // PARTS_FOR_TCP
    Path("/proc/sys/net/ipv4/tcp_mem").write_text(f"{pages} {pages} {pages}", encoding="utf-8")


def end_who_asks_for_more() -> None:
    """When memory is full, the process that wants more of it is killed. Another one would have to run to die, and who
    asks does so without a pause: virtual time, and the scheduler's with it, would stand still for ever."""
    Path("/proc/sys/vm/oom_kill_allocating_task").write_text("1", encoding="utf-8")


def do_job(run: str, payload: str, python: str, code: str) -> int:
    """Run the module `payload` to its end, with the console as its controlling terminal."""
    environment = ENVIRONMENT | {
        "TERM": os.environ.get("TERM", "linux"),
        "PYTHONPATH": f"{code}:{SITE}",
    }
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
    sys.exit(native(sys.argv[1]))
