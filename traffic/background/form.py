"""What the two ends of background load are told, and what they note: bytes of payload, summed up over bins
of time. Standard library alone."""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from traffic.host.transport import Settings, read_settings

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


@dataclass(frozen=True)
class SenderProgram:
    """A packet of `payload_bytes` every `gap_ns` to `address`, while a pattern has load; over a transport,
    None: as datagrams."""

    address: str
    port: int
    transport: Settings | None
    payload_bytes: int
    gap_ns: int
    pattern: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class ReceiverProgram:
    """What comes at `port`; `grace_ns` for what is under way at the end."""

    port: int
    transport: Settings | None
    grace_ns: int


def read_sender(path: Path) -> SenderProgram:
    """What `traffic.host.program.written` has written."""
    return SenderProgram(**_read(path))


def read_receiver(path: Path) -> ReceiverProgram:
    """What `traffic.host.program.written` has written."""
    return ReceiverProgram(**_read(path))


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found | {"transport": read_settings(found["transport"]) if found["transport"] else None}
