"""When something is due inside a host: a timer to the nanosecond, and compute whose speed may change.

Standard library alone.
"""

from __future__ import annotations

import ctypes
import math
import os
import select
import struct
import time

_TIMERSPEC = struct.Struct("<qqqq")
_ABSOLUTE = 1
_NEVER = ctypes.create_string_buffer(_TIMERSPEC.size)
_libc = ctypes.CDLL(None, use_errno=True)


class Timer:
    """A timerfd: the only clock of the standard kernel interface that epoll can wait for to the
    nanosecond (epoll's own timeout counts milliseconds)."""

    def __init__(self) -> None:
        self.fd: int = _libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")

    def set(self, when_ns: int) -> None:
        """Go off at this time of CLOCK_MONOTONIC, at once if it has passed."""
        seconds, nanoseconds = divmod(max(when_ns, 1), 1_000_000_000)
        spec = ctypes.create_string_buffer(_TIMERSPEC.pack(0, 0, seconds, nanoseconds))
        if _libc.timerfd_settime(self.fd, _ABSOLUTE, spec, None):
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def stop(self) -> None:
        """Do not go off."""
        if _libc.timerfd_settime(self.fd, 0, _NEVER, None):
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def went_off(self) -> bool:
        """Whether it has, since this was last asked."""
        try:
            os.read(self.fd, 8)
        except BlockingIOError:
            return False
        return True

    def wait(self, when_ns: int) -> None:
        """Sleep until then."""
        self.set(when_ns)
        select.select([self.fd], [], [])
        self.went_off()


class Work:
    """A stream's compute task under way: how much of it is left, at a speed that may change meanwhile.

    `slowdown` is how many times as long it takes; infinity stops it.
    """

    def __init__(self, timer: Timer) -> None:
        self.timer = timer
        self.slowdown = 1.0
        self._left_ns = 0.0
        self._since_ns = 0
        self._under_way = False

    def begin(self, now_ns: int, work_ns: int) -> None:
        """Start a task that takes `work_ns` at full speed."""
        self._left_ns = work_ns
        self._under_way = True
        self._go_on(now_ns)

    def end(self) -> None:
        """It is done."""
        self._under_way = False

    def slow(self, now_ns: int, slowdown: float) -> None:
        """From now on it takes `slowdown` times as long."""
        if self._under_way:
            self._left_ns -= (now_ns - self._since_ns) / self.slowdown
        self.slowdown = slowdown
        if self._under_way:
            self._go_on(now_ns)

    def _go_on(self, now_ns: int) -> None:
        self._since_ns = now_ns
        if math.isinf(self.slowdown):
            self.timer.stop()
        else:
            self.timer.set(now_ns + round(self._left_ns * self.slowdown))
