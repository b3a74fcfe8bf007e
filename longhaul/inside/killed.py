"""Whom the guest's kernel has killed for want of memory, by its own log: which program, on which host."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from longhaul.inside.control import Stopped

_LOG = "/dev/kmsg"
_RECORD_BYTES = 8192
_COMM = 15  # so much of its name a process may have
_KILLED = re.compile(r"Out of memory[^:]*: Killed process (\d+) \((.*?)\) total-vm")


class KernelLog:
    """The kernel's log from now on; to be closed. Readable when there is more of it: never, where it is not
    shown to us, as in a container."""

    def __init__(self) -> None:
        try:
            self._log = os.open(_LOG, os.O_RDONLY | os.O_NONBLOCK)
            os.lseek(self._log, 0, os.SEEK_END)
        except OSError:
            self._log = os.eventfd(0, os.EFD_NONBLOCK)

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


class MemoryWatch:
    """Looks out for who is killed on a fabric whose hosts' first processes are `homes`. `started` are what was
    started there: of a process that has gone already, its number alone tells the host."""

    def __init__(self, started: Mapping[str, int], homes: Mapping[str, int]) -> None:
        self._log = KernelLog()
        self._started, self._homes = started, homes

    def fileno(self) -> int:
        """For selectors."""
        return self._log.fileno()

    def close(self) -> None:
        """Look no more."""
        self._log.close()

    def act(self) -> None:
        """Raises Stopped where a program has been killed: the others would wait for it."""
        for pid, program in self._log.killed():
            raise Stopped(message(host_of(pid, self._started, self._homes), program))


def be_the_first_to_go(pid: int) -> None:
    """Have the kernel choose this process, and those it starts, before any of ours."""
    Path(f"/proc/{pid}/oom_score_adj").write_text("1000", encoding="utf-8")


def be_the_last_to_go() -> None:
    """Have the kernel choose any other process before this one and those it starts: it is to say what happened."""
    with suppress(PermissionError):  # in a container, which keeps its processes from that
        Path("/proc/self/oom_score_adj").write_text("-999", encoding="utf-8")


def host_of(pid: int, started: Mapping[str, int], homes: Mapping[str, int]) -> str:
    """The host that a process was on: that of the program started there, else by its network namespace."""
    for host, first in started.items():
        if pid == first:
            return host
    try:
        network = _network(pid)
    except OSError:  # it has gone already
        return "a host"
    at = {_network(home): host for host, home in homes.items() if Path(f"/proc/{home}").exists()}
    return at.get(network, "the fabric")


def _network(pid: int) -> Path:
    return Path(f"/proc/{pid}/ns/net").readlink()


def starved(log: KernelLog) -> str | None:
    """What to tell the user where somebody has been killed, known by the program alone."""
    return next((message("the fabric", program) for _, program in log.killed()), None)


def message(host: str, program: str) -> str:
    """What to tell the user. A host's own process goes by its name."""
    has_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return (
        f"{host}: {'its agent' if program == host[:_COMM] else program} was killed, as the guest's memory is full "
        f"({has_bytes / 1e9:.1f} GB, for all hosts together). Give it more: --memory {2 * has_bytes / 1e9:.0f}GB"
    )
