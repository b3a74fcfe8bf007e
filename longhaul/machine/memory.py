"""How much memory a guest gets, and where this machine keeps it.

Memory that a guest does not touch costs next to nothing: it is a file of holes. So a run gets what its plan
asks for, which is the same on every machine; programs that somebody brings get all that is left here.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from scenario.errors import LonghaulError

MIB = 2**20
BASE_BYTES = 768 * MIB
BYTES_PER_HOST = 48 * MIB
LEAST_BYTES = 256 * MIB
MOST_BYTES = 64 * 1024 * MIB
SHARE_FOR_PROGRAMS = 0.75
FOLDERS = ("/dev/shm", "/run/shm", "/tmp", "/var/tmp")
_CGROUPS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)


class NoMemory(LonghaulError):
    """There is no folder for a guest's memory; the text says what was looked at."""


def for_fabric(hosts: int) -> int:
    """Bytes for a guest of so many hosts that runs nothing but longhaul's own: by the plan alone."""
    return BASE_BYTES + hosts * BYTES_PER_HOST


def for_programs(hosts: int) -> int:
    """Bytes for a guest in which hosts run somebody's programs: three quarters of what is free here."""
    free = int(min(available(), MOST_BYTES) * SHARE_FOR_PROGRAMS)
    return max(for_fabric(hosts), free // MIB * MIB)


def available() -> int:
    """Bytes that a new guest could take: of memory, of its control group, of the folder it is kept in."""
    where = folder()
    return min(_of_machine(), _of_group(), room(where) if where else 0)


def folder() -> Path | None:
    """Where a guest's memory is kept: the first folder, in memory if there is one, that takes files which may
    be mapped for execution."""
    fit = [Path(name) for name in FOLDERS if _fits(Path(name))]
    return next(iter(fit), None)


def room(where: Path) -> int:
    """Bytes free in a folder."""
    facts = os.statvfs(where)
    return facts.f_bavail * facts.f_frsize


@contextmanager
def nameless() -> Iterator[int]:
    """An open folder for files without a name: a guest's memory. Raises NoMemory.

    In memory (tmpfs) it is deleted already, so that however the guest ends, nothing of it is left. File systems on
    disks take no file into a deleted folder: there it is deleted afterwards, and `kill -9` leaves it, empty.
    """
    if not (where := folder()):
        raise NoMemory(
            f"a guest's memory needs a folder that can be written and is not mounted noexec: none of "
            f"{', '.join(FOLDERS)} is"
        )
    made, handle = _opened(where)
    made.rmdir()
    if not _takes_files(handle):
        os.close(handle)
        made, handle = _opened(where)
    try:
        yield handle
    finally:
        os.close(handle)
        with suppress(FileNotFoundError):
            made.rmdir()


def _opened(where: Path) -> tuple[Path, int]:
    """A new folder of our own, and its handle."""
    made = Path(tempfile.mkdtemp(prefix="longhaul-", dir=where))
    return made, os.open(made, os.O_PATH | os.O_DIRECTORY)


def _takes_files(handle: int) -> bool:
    """Whether files without a name can be made in an open folder."""
    try:
        os.close(os.open(f"/proc/self/fd/{handle}", os.O_TMPFILE | os.O_RDWR, 0o600))
    except OSError:
        return False
    return True


def _fits(where: Path) -> bool:
    if not os.access(where, os.W_OK | os.X_OK):
        return False
    return not os.statvfs(where).f_flag & os.ST_NOEXEC and room(where) >= LEAST_BYTES


def _of_machine() -> int:
    told = re.search(r"^MemAvailable:\s*(\d+) kB", Path("/proc/meminfo").read_text(), re.M)
    return int(told[1]) * 1024 if told else MOST_BYTES


def _of_group() -> int:
    """What the control group of this process's root leaves; containers are limited so."""
    for limit, used in _CGROUPS:
        try:
            return max(int(limit.read_text()) - int(used.read_text()), 0)
        except (OSError, ValueError):  # not mounted, or `max`
            continue
    return MOST_BYTES
