"""Has processes take turns in virtual time: who is woken first runs first, until it waits.

The kernel's fair scheduler weighs what each has done before, so that somebody who only looks on would
change who runs first when two are woken in the same nanosecond. In real time, and for programs that are
not ours, it does its work. Standard library alone.
"""

from __future__ import annotations

import os
from pathlib import Path

REPLAYING, OBSERVING = 1, 2
"""Priorities: an observer runs before others, so that it is nobody's business when it does."""
_KERNEL_WORDS = Path("/proc/cmdline")


def take_turns(priority: int) -> None:
    """Do so from now on (not the programs that we start)."""
    if "time-travel" in _KERNEL_WORDS.read_text(encoding="utf-8"):
        policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, policy, os.sched_param(priority))
