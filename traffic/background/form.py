"""What the two ends of background load note: bytes of payload, summed up over bins of time. Standard
library alone."""

from __future__ import annotations

from array import array
from pathlib import Path

BIN_NS = 1_000_000
FIELDS = ("bin", "bytes")
UDP_HEADERS = 14 + 20 + 8
"""Ethernet, IPv4, UDP: what netem charges beside a datagram's payload."""


class Counter:
    """Sums up bytes by bins of BIN_NS from `start_ns` on."""

    def __init__(self, start_ns: int) -> None:
        self._start_ns = start_ns
        self._bins: dict[int, int] = {}

    def add(self, at_ns: int, size_bytes: int) -> None:
        """So much at this time."""
        number = (at_ns - self._start_ns) // BIN_NS
        self._bins[number] = self._bins.get(number, 0) + size_bytes

    def rows(self) -> array[int]:
        """Number and bytes of every bin that has any, one after the other."""
        rows = array("q")
        for row in sorted(self._bins.items()):
            rows.extend(row)
        return rows

    def write(self, path: Path) -> None:
        """The rows, as 64-bit integers."""
        with path.open("wb") as file:
            self.rows().tofile(file)
