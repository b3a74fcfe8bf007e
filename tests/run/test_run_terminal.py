"""`longhaul up` typed at a terminal: Tab completes, Ctrl-C ends the command and not the fabric, Ctrl-D leaves."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.run.conftest import ROOT

TWO_HOSTS = ROOT / "topologies" / "two-hosts.yaml"
_PATIENCE_S = 300
_AGAIN_S = 10
CONTROL_C, CONTROL_D = b"\x03", b"\x04"
pytestmark = pytest.mark.usefixtures("kernel")


class Terminal:
    """What a process that has a terminal says, and what is typed there."""

    def __init__(self, pid: int, screen: int) -> None:
        self.pid = pid
        self.screen = screen
        self.said = ""
        self._read = 0

    def type(self, keys: bytes) -> None:
        """As a hand would."""
        os.write(self.screen, keys)

    def until(self, pattern: str) -> re.Match[str]:
        """The first place, in what has not been looked at, that looks so."""
        end = time.monotonic() + _PATIENCE_S
        while not (found := self._look(pattern)):
            assert time.monotonic() < end, f"no {pattern!r} in {self.said!r}"
            assert self._more(), f"it left before {pattern!r}: {self.said!r}"
        return found

    def interrupt_until(self, pattern: str) -> None:
        """Ctrl-C, and again as a hand would: `input` misses one that comes just before it waits for a key."""
        found = None
        while not found:
            self.type(CONTROL_C)
            while not found and select.select([self.screen], [], [], _AGAIN_S)[0]:
                assert self._more(), f"it left before {pattern!r}: {self.said!r}"
                found = self._look(pattern)

    def status(self) -> int:
        """How it ends, by itself."""
        while self._more():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _look(self, pattern: str) -> re.Match[str] | None:
        """The same, if it is there already."""
        if found := re.compile(pattern).search(self.said, self._read):
            self._read = found.end()
        return found

    def _more(self) -> bool:
        if not select.select([self.screen], [], [], _PATIENCE_S)[0]:
            pytest.fail(f"nothing came for {_PATIENCE_S} s: {self.said!r}")
        try:
            found = os.read(self.screen, 1 << 16)
        except OSError:  # nobody has the other end any more
            return False
        self.said += found.decode(errors="replace")
        return bool(found)


@contextmanager
def up(cwd: Path, *words: str) -> Iterator[Terminal]:
    """`longhaul up` of two hosts, at a terminal, up to its first prompt."""
    pid, screen = pty.fork()
    if not pid:
        os.chdir(cwd)
        command = [sys.executable, "-m", "longhaul", "up", str(TWO_HOSTS), *words]
        os.execve(command[0], command, os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm"})
    terminal = Terminal(pid, screen)
    try:
        terminal.until(r"fabric.*> ")
        yield terminal
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        os.close(screen)


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("--time", "real")], ids=["virtual", "real"])
def test_a_session_at_a_terminal(words: tuple[str, ...], tmp_path: Path) -> None:
    prompt = r"fabric, real time> " if words else r"fabric \d+\.\d{6} s> "
    with up(tmp_path, *words) as terminal:
        terminal.type(b"c1-h\t")
        terminal.until(r"c1-h100-1")
        terminal.type(b"ping -c 2 c2-h\t\n")
        assert terminal.until(r"2 packets transmitted, (\d) received")[1] == "2"
        terminal.until(prompt)
        terminal.type(b"c1-h100-1 ping c2-h100-1\n")
        terminal.until(r"icmp_seq=2")
        terminal.type(CONTROL_C)
        terminal.until(prompt)
        terminal.type(b"c1-h100-1 hostname\n")
        terminal.until(r"hostname\r\n(?:\x1b\S*)?c1-h100-1")
        terminal.until(prompt)
        terminal.type(b"half a line")
        terminal.until("half a line")
        terminal.interrupt_until(prompt)
        terminal.type(CONTROL_D)
        assert terminal.status() == 0
    for leaked in ("Traceback", "reboot:", "Power down"):
        assert leaked not in terminal.said


@pytest.mark.slow
def test_in_virtual_time_a_ping_at_a_terminal_takes_as_long_as_its_way(tmp_path: Path) -> None:
    with up(tmp_path) as terminal:
        terminal.type(b"c1-h100-1 ping -c 1 c2-h100-1\n")
        took_ms = float(terminal.until(r"time=(\S+) ms")[1])
        assert 0.16 < took_ms < 0.2
        terminal.until(r"fabric.*> ")
        terminal.type(CONTROL_D)
        assert terminal.status() == 0
