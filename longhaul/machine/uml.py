"""The guest: a User-Mode Linux kernel that carries the fabric, as an ordinary process.

It sees the host's files read-only and one folder, the run's, writable. Its clock is virtual unless
real time is asked for, and its randomness is a function of the seed. [kernel-notes in docs/machine.md]
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from longhaul.machine.init import PAYLOAD, ROOT
from scenario.errors import LonghaulError

START_NS = 1_700_000_000_000_000_000
"""Wall-clock time at which every virtual run begins, nanoseconds since the epoch."""

_PLAIN_PATH = re.compile(r"[\w./+@:,~^-]+")
_PR_SET_PDEATHSIG = 1
_ADDR_NO_RANDOMIZE = 0x0040000
_libc = ctypes.CDLL(None, use_errno=True)


_MIB = 2**20
BASE_BYTES = 768 * _MIB
BYTES_PER_HOST = 48 * _MIB


class GuestError(LonghaulError):
    """The guest cannot be started here; the text says why and what to do."""


@dataclass(frozen=True)
class Guest:
    """How to start one: the kernel's folder, the run's, and in what time.

    `payload` is the module that does the job there, as `python -m PAYLOAD RUN`.
    """

    kernel: Path
    run: Path
    seed: int
    time: str
    memory_bytes: int
    cpu: int
    payload: str = PAYLOAD


def command(guest: Guest) -> list[str]:
    """The kernel's command line. Raises GuestError for a path that cannot stand in it."""
    for path in (guest.kernel, guest.run, ROOT, Path(sys.executable)):
        if not _PLAIN_PATH.fullmatch(str(path)):
            raise GuestError(
                f"the path {str(path)!r} has a character that a kernel command line cannot carry: "
                "move longhaul and its run folder to a path of letters, digits and ./_-+@:,~^"
            )
    clock = {"virtual": ["time-travel=inf-cpu", f"time-travel-start={START_NS}"], "real": []}
    return [
        str(guest.kernel / "linux"),
        "seccomp=on",
        *clock[guest.time],
        f"mem={guest.memory_bytes // _MIB}M",
        "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro",
        "quiet", "norandmaps", "panic=-1",
        "con=null", "con0=fd:0,fd:1",
        f"uml_dir={guest.run}/", "umid=guest",
        f"PYTHONPATH={ROOT}", f"TERM={os.environ.get('TERM', 'linux')}",
        f"init={sys.executable}", "--", "-S", "-m", "longhaul.machine.init", "guest", str(guest.run),
        guest.payload,
    ]  # fmt: skip


@contextmanager
def booted(
    guest: Guest, console: int | None, keyboard: int | None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start the guest; on leaving it is dead. `console` and `keyboard` are as Popen's stdout and
    stdin; None is our own terminal."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(guest.run),
        "TMPDIR": "/dev/shm",
        "LD_PRELOAD": str(guest.kernel / "seeded-random.so"),
        "LONGHAUL_SEED": str(guest.seed),
    }
    process = subprocess.Popen(
        command(guest),
        stdin=keyboard,
        stdout=console,
        stderr=console,
        env=environment,
        start_new_session=keyboard is not None,
        preexec_fn=lambda: _settle(guest.cpu),  # noqa: PLW1509 (we have no threads)
    )
    try:
        yield process
    finally:
        end(process)


def _settle(cpu: int) -> None:
    """In the child: on one CPU (a system call of the guest is a switch between two processes), dying
    with its parent, and laid out in memory as always: the guest's size follows from where its heap
    begins."""
    os.sched_setaffinity(0, {cpu})
    _libc.personality(_ADDR_NO_RANDOMIZE)
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill the guest with all of its processes."""
    if process.poll() is None:
        process.kill()
    process.wait()


def memory_for(hosts: int) -> int:
    """Bytes of memory for a guest of so many hosts: what it does not use, it does not take."""
    return BASE_BYTES + hosts * BYTES_PER_HOST


def quietest_cpu() -> int:
    """The allowed CPU to pin to: the last one, as interrupts tend to land on the first."""
    return max(os.sched_getaffinity(0))
