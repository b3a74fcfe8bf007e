"""A packet socket whose frames the kernel puts into memory that we share with it (PACKET_MMAP).

It sees what an interface sends, once netem has let go of it, and what it receives. No system call per
frame, and the kernel wakes nobody who does not wait. Standard library alone.
[Documentation/networking/packet_mmap.rst, include/uapi/linux/if_packet.h]
"""

from __future__ import annotations

import mmap
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

_ETH_P_ALL = 3
_SOL_PACKET = 263
_PACKET_RX_RING, _PACKET_STATISTICS, _PACKET_VERSION = 5, 6, 10
_TPACKET_V2 = 1
_OUTGOING = 4  # PACKET_OUTGOING
_TO_USER = 1  # TP_STATUS_USER
_HEADER = struct.Struct("=IIIHHII")  # status, length, snapped, link layer at, network at, s, ns
_STATUS = struct.Struct("=I")
_PACKET_TYPE_AT = 32 + 10  # in the sockaddr_ll behind the header
_ROOM = 96  # the header, that address, and the kernel's own margin
_ALIGNMENT = 16
_BLOCK_BYTES = 65536
MOST_FRAMES = 8192
LONGEST_SNAP = 16384


class Frame(NamedTuple):
    """One frame: its first bytes, how many it had, and when on CLOCK_REALTIME."""

    outgoing: bool
    time_ns: int
    data: bytes
    frame_bytes: int


class PacketRing:
    """An open capture of one interface; close it. `dropped` counts frames that found the ring full."""

    def __init__(self, interface: str, snap_bytes: int, most_bytes: int) -> None:
        size = -(-(snap_bytes + _ROOM) // _ALIGNMENT) * _ALIGNMENT
        self._per_block = _BLOCK_BYTES // size
        blocks = max(1, min(most_bytes, MOST_FRAMES * size) // _BLOCK_BYTES)
        self.frames = blocks * self._per_block
        self.dropped = 0
        self._size, self._snap_bytes = size, snap_bytes
        self._next = 0
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # deaf until it is bound
        self._socket.setsockopt(_SOL_PACKET, _PACKET_VERSION, _TPACKET_V2)
        ring = struct.pack("=IIII", _BLOCK_BYTES, blocks, size, self.frames)
        self._socket.setsockopt(_SOL_PACKET, _PACKET_RX_RING, ring)
        self._memory = mmap.mmap(self._socket.fileno(), blocks * _BLOCK_BYTES)
        self._socket.bind((interface, _ETH_P_ALL))

    def close(self) -> None:
        """See no more."""
        self._memory.close()
        self._socket.close()

    def fileno(self) -> int:
        """For pollers: readable when there is a frame."""
        return self._socket.fileno()

    def new(self) -> Iterator[Frame]:
        """The frames that have come since; the kernel has their room again as each is passed."""
        memory = self._memory
        while True:
            at = self._next // self._per_block * _BLOCK_BYTES
            at += self._next % self._per_block * self._size
            status, length, snapped, mac, _, seconds, nanoseconds = _HEADER.unpack_from(memory, at)
            if not status & _TO_USER:
                break
            start = at + mac
            yield Frame(
                memory[at + _PACKET_TYPE_AT] == _OUTGOING,
                seconds * 1_000_000_000 + nanoseconds,
                memory[start : start + min(snapped, self._snap_bytes)],
                length,
            )
            _STATUS.pack_into(memory, at, 0)
            self._next = (self._next + 1) % self.frames
        self._account()

    def _account(self) -> None:
        """Count drops; and take note of the interface having been down, or we would hear of it for ever."""
        counters = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8)
        self.dropped += struct.unpack("=II", counters)[1]
        self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
