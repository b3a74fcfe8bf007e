"""New routes that all switches carry out at one instant, at the time when they are due.

Open vSwitch looks over its data plane when rules have changed, and then not again for 5 ms. Whether it looks when the
first of several changes has come or after the last hangs on which of its threads runs first, which is another matter in
another version. So whoever has time makes it look once when there is nothing else to do, and sends what is due while it
is deaf: that is carried out at once, when the 5 ms are over.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from controller.base import pause

DEAF_S = 0.005
LEAD_S = 3.5 * DEAF_S
"""How long before its time to begin: what is sent first may be looked at twice."""


def lead_s(due_s: float) -> float:
    """How long to wait until it is time to begin with what is due at a time of the monotonic clock."""
    return max(0.0, due_s - LEAD_S - time.monotonic())


def deafen(due_s: float, touch: Callable[[], None]) -> None:
    """Wait until what is sent now is carried out at a time, if that is not too near; `touch` changes a rule of no
    account."""
    look_s = due_s - DEAF_S
    if look_s <= time.monotonic():
        return
    pause(look_s - time.monotonic())
    touch()
    pause(max(0.0, due_s - DEAF_S / 2 - time.monotonic()))
