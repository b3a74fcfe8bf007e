"""Samples what every switch port has sent, received, queued and dropped, at even virtual times.

Counters come from the kernel over netlink, all ports in two dumps; nobody's packets wait for that, as
computing takes no virtual time. The history is bounded: when it is full, every other sample goes, and
from then on there is half as much to come. Rows of 64-bit integers, in the order of FIELDS.
"""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from longhaul.fabric.counters import Counters
from scenario.plan.types import Plan
from traffic.host.timers import Timer

RAW = "telemetry.bin"
FIELDS = (
    "t_ns", "index", "tx_bytes", "tx_packets", "rx_bytes", "rx_packets", "drops",
    "queue_packets", "queue_bytes", "marked", "paused_ns",
)  # fmt: skip
FIRST_INTERVAL_NS = 10_000_000
MOST_SAMPLES = 1000


@contextmanager
def sampled(plan: Plan, folder: Path, start_ns: int) -> Iterator[Telemetry]:
    """Samples from `start_ns` on, whenever its file descriptor is readable; written on leaving."""
    telemetry = Telemetry(plan, start_ns)
    try:
        yield telemetry
    finally:
        telemetry.close(folder / RAW)


class Telemetry:
    """Takes samples by its own timer."""

    def __init__(self, plan: Plan, start_ns: int) -> None:
        ends = [end for link in plan.wires for end in link.ends]
        self._ports = Counters({end.index for end in ends if end.port})
        self._start_ns = start_ns
        self._interval_ns = FIRST_INTERVAL_NS
        self._samples: list[array[int]] = []
        self._next_ns = 0
        self._timer = Timer()
        self._timer.set(start_ns)

    def fileno(self) -> int:
        """For selectors."""
        return self._timer.fd

    def act(self) -> None:
        """Take a sample; its time is the one that it was due."""
        os.read(self._timer.fd, 8)
        self._take(self._next_ns)
        if len(self._samples) >= MOST_SAMPLES:
            del self._samples[1::2]
            self._interval_ns *= 2
        self._next_ns = len(self._samples) * self._interval_ns
        self._timer.set(self._start_ns + self._next_ns)

    def close(self, path: Path) -> None:
        """Take the last sample, and write all of them."""
        self._take(time.monotonic_ns() - self._start_ns)
        self._ports.close()
        os.close(self._timer.fd)
        with path.open("wb") as out:
            for sample in self._samples:
                sample.tofile(out)

    def _take(self, t_ns: int) -> None:
        queues = dict(self._ports.queues())
        row = array("q")
        for index, (rx_packets, tx_packets, rx_bytes, tx_bytes) in self._ports.interfaces():
            packets, size, drops, marked, paused_ns = queues.get(index, (0, 0, 0, 0, 0))
            row.extend((t_ns, index, tx_bytes, tx_packets, rx_bytes, rx_packets, drops))
            row.extend((packets, size, marked, paused_ns))
        self._samples.append(row)
