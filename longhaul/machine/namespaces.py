"""Where there is no Landlock, or one that does not hold signals back: namespaces of the guest's own.

Its kernel then sees a file system that has nothing but the folders it may read, and no process but its own.
Needs what `unshare --user --mount --pid` needs. Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import stat
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_NEW_NS, _NEW_IPC, _NEW_USER, _NEW_PID, _NEW_NET = (
    0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT = 1, 2, 4, 8, 32
_NOATIME, _NODIRATIME, _BIND, _REC, _PRIVATE, _RELATIME = 1024, 2048, 4096, 16384, 1 << 18, 1 << 21
_FLAGS = {
    "nosuid": _NOSUID, "nodev": _NODEV, "noexec": _NOEXEC, "noatime": _NOATIME,
    "nodiratime": _NODIRATIME, "relatime": _RELATIME,
}  # fmt: skip
_DETACH = 2
_BASES = ("/sys", "/dev", "/mnt")
"""Folders of which a guest's kernel needs nothing: on one of them its root is put together."""
_PIVOT_ROOT = 155
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@cache
def available() -> bool:
    """Whether they can be had: tried in a process that does nothing else."""
    if not (child := os.fork()):
        try:
            _leave_the_others()
            _mount("tmpfs", "/proc", "tmpfs")
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def enter(
    readable: Iterable[Path], writable: Path, elsewhere: Iterable[tuple[Path, Path]] = ()
) -> None:
    """In a child that is about to exec: see these paths alone, and be process 1 of those it can see.

    Those `elsewhere` are a path, and where it is to be. The process that calls this stays behind to wait, and
    ends as the new one does. Raises OSError.
    """
    base = next(path for path in map(Path, _BASES) if path.is_dir())
    _leave_the_others()
    kept = [
        (path, os.open(path, os.O_PATH | os.O_NOFOLLOW))
        for path in _outermost([*readable, writable])
    ]
    kept += [(there, os.open(path, os.O_PATH)) for path, there in elsewhere]
    _mount("tmpfs", str(base), "tmpfs")
    for path, handle in kept:
        _bind(path, handle, base)
        os.close(handle)
    _make_read_only(base, but=writable)
    old = base / ".old"
    for folder in (base / "proc", base / "sys", old):
        folder.mkdir(parents=True, exist_ok=True)
    _checked(_libc.syscall(_PIVOT_ROOT, str(base).encode(), str(old).encode()), "pivot_root")
    os.chdir(writable)
    _checked(_libc.umount2(b"/.old", _DETACH), "umount")
    _become_the_first_process()


def _leave_the_others() -> None:
    uid, gid = os.geteuid(), os.getegid()
    flags = _NEW_NS | _NEW_PID | _NEW_IPC | _NEW_NET
    if _libc.unshare(flags):
        _checked(_libc.unshare(flags | _NEW_USER), "unshare")
        Path("/proc/self/setgroups").write_text("deny", encoding="utf-8")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1", encoding="utf-8")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1", encoding="utf-8")
    _mount("none", "/", None, _REC | _PRIVATE)


def _outermost(paths: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for path in sorted(path for path in set(paths) if path.exists()):
        if not any(path.is_relative_to(one) for one in found):
            found.append(path)
    return found


def _bind(path: Path, handle: int, base: Path) -> None:
    there = base / path.relative_to("/")
    there.parent.mkdir(parents=True, exist_ok=True)
    mode = os.fstat(handle).st_mode
    if stat.S_ISLNK(mode):
        there.symlink_to(os.readlink("", dir_fd=handle))
        return
    if stat.S_ISDIR(mode):
        there.mkdir()
    else:
        there.touch()
    _mount(f"/proc/self/fd/{handle}", str(there), None, _BIND | _REC)


def _make_read_only(base: Path, but: Path) -> None:
    """Every mount beneath `base`, each with the flags that it has: those must not be taken off it."""
    inside = base / but.relative_to("/")
    if not inside.is_mount():
        _mount(str(inside), str(inside), None, _BIND)
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        fields = line.split()
        where = Path(re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), fields[4]))
        ours = where.is_relative_to(base) and where.exists()  # not what `base` had before
        if ours and where not in (base, inside):
            kept = sum(_FLAGS.get(word, 0) for word in fields[5].split(","))
            _mount("none", str(where), None, _REMOUNT | _BIND | _RDONLY | kept)


def _become_the_first_process() -> None:
    """Fork: the child goes on as process 1 of its namespace; we wait, holding nothing open."""
    if not (child := os.fork()):
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        return
    os.closerange(0, 1024)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os._exit(status if status >= 0 else 128 - status)


def _mount(source: str, where: str, kind: str | None, flags: int = 0) -> None:
    result = _libc.mount(source.encode(), where.encode(), kind and kind.encode(), flags, None)
    _checked(result, f"mount on {where}")


def _checked(result: int, what: str) -> None:
    if result:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
