"""The form of a probe's datagram and of what is noted about it. Standard library alone.

In the datagram, big endian: a mark, the number of its way (a link and a direction), its number on that
way, and when it was sent, in nanoseconds of the fabric's wall clock.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

PORT = 862  # TWAMP-Test [RFC 5357]
MARK = 0x4C484F57
PAYLOAD = struct.Struct("!IIIQ")
PAYLOAD_AT = 20 + 8
"""Where it begins in an IPv4 packet."""
STAMP = struct.Struct("!IQ")
STAMP_AT = PAYLOAD_AT + 8
"""Of the number and the time, which differ from datagram to datagram."""
FRAME_BYTES = 14 + PAYLOAD_AT + PAYLOAD.size

FIELDS = ("received", "way", "sequence", "at_ns")
"""A row of what a host notes, 64-bit integers: `received` is 0 where it has sent."""


class Outwards(NamedTuple):
    """A way that begins at a host: its number, where it leads, and its datagram in hexadecimal."""

    way: int
    address: str
    datagram: str


@dataclass(frozen=True)
class ProberProgram:
    """A datagram on every way each `interval_ns`; `grace_ns` for what is under way at the end."""

    interval_ns: int
    grace_ns: int
    ways: tuple[Outwards, ...]


def read(path: Path) -> ProberProgram:
    """What `traffic.host.program.written` has written."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return ProberProgram(**found | {"ways": tuple(Outwards(*row) for row in found["ways"])})
