"""What a gateway and a replica have in common: one thread, one edge-triggered epoll loop, a timer to
the nanosecond, a log of rows of four 64-bit integers (`line.FIELDS`), and what the adapter counts. Standard library
alone.
"""

from __future__ import annotations

import os
import select
import time
from array import array
from collections.abc import Callable
from pathlib import Path

from traffic.host.counting import Counting
from traffic.host.timers import Timer
from traffic.host.transport import Transport
from traffic.serving.line import Line

_BOTH_WAYS = select.EPOLLIN | select.EPOLLOUT | select.EPOLLET


class Loop:
    """Waits for lines, a timer and others, and calls whom they concern. Holds a poller: call `close`."""

    def __init__(self, alarm: Callable[[], None]) -> None:
        self.timer = Timer()
        self.log = array("q")
        self._poller = select.epoll()
        self._handlers: dict[int, Callable[[], None]] = {}
        self._alarm = alarm
        self._counting: Counting | None = None
        self.listen(self.timer.fd, self._went_off)

    def listen(self, fd: int, handler: Callable[[], None]) -> None:
        """Call `handler` whenever there is something to read."""
        self._handlers[fd] = handler
        self._poller.register(fd, select.EPOLLIN)

    def attend(self, line: Line, handler: Callable[[], None]) -> None:
        """Call `handler` whenever a line has got more to read, or room to write."""
        self._handlers[line.fileno()] = handler
        self._poller.register(line.fileno(), _BOTH_WAYS)

    def leave(self, line: Line) -> None:
        """Hang up on a line."""
        self._poller.unregister(line.fileno())
        del self._handlers[line.fileno()]
        if self._counting:
            self._counting.add(line.connection)
        line.close()

    def turn(self) -> None:
        """Wait until something has happened, and deal with it."""
        for fd, _event in self._poller.poll():
            if fd in self._handlers:  # the one before may have hung up on it
                self._handlers[fd]()

    def note(self, what: int, request: int, value: int, at_ns: int | None = None) -> None:
        """Add a row to the log; it happens now unless `at_ns` says otherwise."""
        now_ns = time.monotonic_ns() if at_ns is None else at_ns
        self.log.extend((what, request, value, now_ns))

    def count(self, transport: Transport) -> None:
        """From now on, count what becomes of packets."""
        self._counting = Counting(transport)

    def write(self, path: Path) -> None:
        """Write the log, and what was counted."""
        with path.open("wb") as file:
            self.log.tofile(file)
        if self._counting:
            self._counting.write(path)

    def close(self) -> None:
        """Let go of poller and timer."""
        self._poller.close()
        os.close(self.timer.fd)

    def _went_off(self) -> None:
        if self.timer.went_off():
            self._alarm()
