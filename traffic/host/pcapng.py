"""Writes captures that Wireshark opens: pcapng, with nanosecond time stamps.

In: frames with their times and the interface that received them. Out: the blocks of a file, little
endian. Standard library alone. [IETF draft-ietf-opsawg-pcapng]
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

_SECTION, _INTERFACE, _STATISTICS, _PACKET = 0x0A0D0D0A, 1, 5, 6
_BYTE_ORDER = 0x1A2B3C4D
_ETHERNET = 1
_NANOSECONDS = b"\x09"  # if_tsresol: 10 to the minus 9
_INBOUND = struct.pack("<HHIHH", 2, 4, 1, 0, 0)  # epb_flags, then the end of the options
_HEAD = struct.Struct("<IIIIIII")
_COMMENT, _APPLICATION = 1, 4
_NAME, _DESCRIPTION, _SPEED, _RESOLUTION = 2, 3, 8, 9
_END_OF_OPTIONS = bytes(4)
_PAD = (b"", bytes(3), bytes(2), bytes(1))


def section(application: str) -> bytes:
    """The block that begins a file."""
    body = struct.pack("<IHHq", _BYTE_ORDER, 1, 0, -1)
    return _block(_SECTION, body + _options((_APPLICATION, application.encode())))


def interface(name: str, description: str, rate_bps: float, snap_bytes: int) -> bytes:
    """The block of an Ethernet interface; they are numbered from 0 in the order of their blocks."""
    options = _options(
        (_NAME, name.encode()),
        (_DESCRIPTION, description.encode()),
        (_SPEED, struct.pack("<Q", round(rate_bps))),
        (_RESOLUTION, _NANOSECONDS),
    )
    return _block(_INTERFACE, struct.pack("<HHI", _ETHERNET, 0, snap_bytes) + options)


def packet(number: int, time_ns: int, frame: bytes, frame_bytes: int) -> bytes:
    """A frame that interface `number` has received: its first bytes, and how many it had."""
    captured = len(frame)
    pad = _PAD[captured % 4]
    total = _HEAD.size + captured + len(pad) + len(_INBOUND) + 4
    head = _HEAD.pack(
        _PACKET, total, number, time_ns >> 32, time_ns & 0xFFFFFFFF, captured, frame_bytes
    )
    return b"".join((head, frame, pad, _INBOUND, total.to_bytes(4, "little")))


def statistics(number: int, time_ns: int, comment: str) -> bytes:
    """The block that ends what is said of an interface."""
    body = struct.pack("<III", number, time_ns >> 32, time_ns & 0xFFFFFFFF)
    return _block(_STATISTICS, body + _options((_COMMENT, comment.encode())))


def _options(*options: tuple[int, bytes]) -> bytes:
    return b"".join(_option(*option) for option in options) + _END_OF_OPTIONS


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + _PAD[len(value) % 4]


def _block(kind: int, body: bytes) -> bytes:
    total = struct.pack("<I", len(body) + 12)
    return b"".join((struct.pack("<I", kind), total, body, total))


def file_head(application: str, interfaces: Iterable[tuple[str, str, float]], snap: int) -> bytes:
    """What comes before the frames: the section, and (name, description, bit/s) of each interface."""
    blocks = (interface(*described, snap) for described in interfaces)
    return b"".join((section(application), *blocks))
