"""Whom the guest's kernel has killed for want of memory, by its own log: which program, on which host."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

_LOG = "/dev/kmsg"
_RECORD_BYTES = 8192
_KILLED = re.compile(r"Out of memory: Killed process (\d+) \((.*?)\) total-vm")


class KernelLog:
    """The kernel's log from now on; to be closed. Readable when there is more of it."""

    def __init__(self) -> None:
        self._log = os.open(_LOG, os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self._log, 0, os.SEEK_END)

    def fileno(self) -> int:
        """For selectors."""
        return self._log

    def close(self) -> None:
        """Read no more of it."""
        os.close(self._log)

    def killed(self) -> Iterator[tuple[int, str]]:
        """Process number and program of each that was killed since the last look."""
        while True:
            try:
                record = os.read(self._log, _RECORD_BYTES).decode(errors="replace")
            except BlockingIOError:
                return
            except BrokenPipeError:  # records were overwritten before they were read
                continue
            for pid, program in _KILLED.findall(record):
                yield int(pid), program


def be_the_first_to_go(pid: int) -> None:
    """Have the kernel choose this process, and those it starts, before any of ours."""
    Path(f"/proc/{pid}/oom_score_adj").write_text("1000")


def host_of(pid: int, started: Mapping[str, int], homes: Mapping[str, int]) -> str:
    """The host that a process was on: that of the program started there, else by its network namespace."""
    for host, first in started.items():
        if pid == first:
            return host
    try:
        network = Path(f"/proc/{pid}/ns/net").readlink()
    except OSError:  # it has gone already
        return "a host"
    at = {Path(f"/proc/{home}/ns/net").readlink(): host for host, home in homes.items()}
    return at.get(network, "a host")


def message(host: str, program: str) -> str:
    """What to tell the user."""
    has_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return (
        f"{host}: {program} was killed, as the guest's memory is full ({has_bytes / 1e9:.1f} GB, for all hosts "
        f"together). Give it more: --memory {2 * has_bytes / 1e9:.0f}GB"
    )
