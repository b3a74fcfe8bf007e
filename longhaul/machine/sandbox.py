"""The sandbox around a guest: what its kernel, a process on this machine, may do to this machine.

A program in the guest is root there and may take that kernel over (User-Mode Linux does not claim otherwise), so
it is this machine's kernel that has to hold it: Landlock for files, ports and signals, a filter of system calls
for all else, no privileges; namespaces where Landlock is missing or too old. Nothing here needs privileges.
[docs/security.md] Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from longhaul.machine import landlock, namespaces, seccomp
from longhaul.machine.landlock import Access

SWITCH = "LONGHAUL_SANDBOX"
"""Environment variable: `off`, or `namespaces` to do without Landlock. For tests, and to find a fault."""

_SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "opt", "nix", "gnu")
_KEPT_CAPABILITIES = (
    1,
    2,
)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: root may still read what is exposed
_CAPABILITIES = 64
_PR_CAPBSET_DROP = 24
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Confinement:
    """By what this machine holds a guest back, one word or two for each thing; `nothing` where it does not."""

    files: str
    network: str
    signals: str

    @property
    def whole(self) -> bool:
        """Whether there is no gap."""
        return "nothing" not in (self.files, self.network, self.signals)


@dataclass(frozen=True)
class Walls:
    """What a guest's kernel may do: read beneath these paths, write beneath `run`, execute these files."""

    readable: tuple[Path, ...]
    run: Path
    programs: tuple[Path, ...]
    opened: tuple[tuple[Path, Path], ...] = ()
    """Files and folders that it asks for by the number they are open as: each with its name beneath /proc."""


def held() -> Confinement:
    """What the sandbox holds on this machine, as it is switched."""
    if _off():
        return Confinement("nothing", "nothing", "nothing")
    landlocked = f"Landlock {_landlock()}" if _landlock() else ""
    separate = "namespaces" if _with_namespaces() else ""
    filtered = "seccomp" if seccomp.available() else ""
    return Confinement(
        files=landlocked or separate or "nothing",
        network=filtered or separate or "nothing",
        signals=(landlocked if _landlock() >= landlock.SIGNALS_SINCE else separate) or "nothing",
    )


def enter(walls: Walls) -> None:
    """In a child that is about to execute the guest's kernel: put it into the sandbox. Raises OSError."""
    if _off():
        return
    if _with_namespaces():
        readable = [*walls.readable, *walls.programs, Path("/proc/cpuinfo")]
        namespaces.enter(readable, walls.run, walls.opened)
    _drop_capabilities()
    seccomp.no_new_privileges()
    if _landlock():
        landlock.restrict(landlock.ruleset(_rules(walls)))
    if seccomp.available():
        seccomp.restrict(seccomp.program())


def _off() -> bool:
    return os.environ.get(SWITCH) == "off"


def _landlock() -> int:
    return 0 if os.environ.get(SWITCH) in ("off", "namespaces") else landlock.version()


def _with_namespaces() -> bool:
    return not _off() and _landlock() < landlock.SIGNALS_SINCE and namespaces.available()


def _rules(walls: Walls) -> list[tuple[Path, Access]]:
    rules = [(path, landlock.READ) for path in walls.readable]
    rules += [(path, landlock.RUN) for path in walls.programs]
    rules += [(walls.run, landlock.WRITE), (Path("/proc/cpuinfo"), landlock.READ)]
    rules += [(Path("/etc"), Access.READ_DIR)]
    return rules


def _drop_capabilities() -> None:
    """All that root would have beyond reading and writing files; no effect on anybody else."""
    for capability in range(_CAPABILITIES):
        if capability not in _KEPT_CAPABILITIES:
            _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)


# --- what of a system a guest may read -----------------------------------------------------------


def system() -> list[Path]:
    """Installed software, and what of /etc every user may read."""
    folders = [Path("/", name) for name in _SYSTEM]
    return [path for path in folders if path.exists()] + everybodys(Path("/etc"))


def libraries() -> list[Path]:
    """What a program of this machine needs to be loaded."""
    folders = [Path("/", name) for name in ("lib", "lib64", "usr/lib", "usr/lib64", "usr/lib32")]
    return [path for path in (*folders, Path("/etc/ld.so.cache")) if path.exists()]


def everybodys(folder: Path) -> list[Path]:
    """What everybody may read beneath a folder: as few paths as say it. Keys and passwords are not in it."""
    return _readable(folder)[1]


def _readable(folder: Path) -> tuple[bool, list[Path]]:
    """Whether all of a folder is for everybody; if not, which parts are."""
    whole, parts = True, []
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            with suppress(FileNotFoundError):  # what is being installed comes and goes
                mode = entry.stat(follow_symlinks=False).st_mode
                all_of_it, inner = _of_everybody(Path(entry.path), mode)
                whole = whole and all_of_it
                parts += inner
    return whole, [folder] if whole else parts


def _of_everybody(path: Path, mode: int) -> tuple[bool, list[Path]]:
    if stat.S_ISLNK(mode):
        return True, []
    if stat.S_ISDIR(mode):
        open_to_all = mode & stat.S_IROTH and mode & stat.S_IXOTH
        return _readable(path) if open_to_all else (False, [])
    return (True, [path]) if mode & stat.S_IROTH else (False, [])
