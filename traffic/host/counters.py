"""What ports have sent, received, queued and dropped: the kernel's counters over netlink, all of them in two dumps.

Packed and unpacked by hand, beside `longhaul/emulation/netlink.py`, which says all else to the kernel: this is asked
hundreds of times per run, and pyroute2 takes some sixty times as long (400 interfaces: 134 ms of CPU against 2); and
hosts ask it of their own adapters. Standard library alone.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass

# [include/uapi/linux/rtnetlink.h, if_link.h, gen_stats.h]
_GETQDISC, _GETSTATS, _DONE = 38, 94, 3
_REQUEST_DUMP = 0x301
_FILTER_LINK_64 = 1
_TCA_KIND, _TCA_STATS2, _STATS_QUEUE, _STATS_APPLICATION = 1, 7, 3, 4
_HEADER = struct.Struct("=IHHII")
_STATS_REQUEST = struct.Struct("=BBHII")
_QDISC_REQUEST = struct.Struct("=BBHiIII")
_COUNTERS = struct.Struct("=4Q")  # rx packets, tx packets, rx bytes, tx bytes
_QUEUE = struct.Struct("=III")  # packets, bytes, drops
_ATTRIBUTE = struct.Struct("=HH")
_BUFFER_BYTES = 1 << 18
_PORT = b"port\0"  # of longhaul/machine/patches/60-port.patch
_CLASSES = 8
_COUNTED = struct.Struct(f"={2 * _CLASSES + 6}Q")


@dataclass(frozen=True)
class Counted:
    """What a port has counted since it was made. Times and bytes by class; `overrun`: lossless packets lost."""

    paused_ns: tuple[int, ...]
    sent_bytes: tuple[int, ...]
    pauses: int
    marked: int
    lost: int
    overrun: int
    peak_bytes: int
    pool_peak_bytes: int

    @classmethod
    def of(cls, statistics: bytes) -> Counted:
        """From the application statistics of the queueing discipline."""
        numbers = _COUNTED.unpack_from(statistics)
        return cls(numbers[:_CLASSES], numbers[_CLASSES : 2 * _CLASSES], *numbers[2 * _CLASSES :])


class Counters:
    """The counters of some interfaces in our namespace, by index."""

    def __init__(self, indices: Collection[int]) -> None:
        self._indices = indices
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)

    def close(self) -> None:
        """Ask no more."""
        self._socket.close()

    def interfaces(self) -> Iterator[tuple[int, tuple[int, int, int, int]]]:
        """Packets received and sent, bytes received and sent, of each, by index."""
        request = _STATS_REQUEST.pack(socket.AF_UNSPEC, 0, 0, 0, _FILTER_LINK_64)
        for message in self._dump(_GETSTATS, request):
            (index,) = struct.unpack_from("=I", message, 4)
            if index in self._indices:
                body = _STATS_REQUEST.size + _ATTRIBUTE.size
                yield index, _COUNTERS.unpack_from(message, body)

    def queues(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Packets, bytes and drops of each one's queueing discipline, by index; of a port's own kind also the
        packets that it has marked and the nanoseconds for which its classes were paused, added."""
        request = _QDISC_REQUEST.pack(socket.AF_UNSPEC, 0, 0, 0, 0, 0, 0)
        for message in self._dump(_GETQDISC, request):
            (index,) = struct.unpack_from("=i", message, 4)
            if index in self._indices:
                told = dict(_attributes(message[_QDISC_REQUEST.size :]))
                statistics = dict(_attributes(told[_TCA_STATS2]))
                of_port = told[_TCA_KIND] == _PORT
                yield (
                    index,
                    _QUEUE.unpack_from(statistics[_STATS_QUEUE])
                    + _counted(statistics[_STATS_APPLICATION] if of_port else None),
                )

    def _dump(self, kind: int, request: bytes) -> Iterator[bytes]:
        """The bodies of all messages that answer a request for everything."""
        length = _HEADER.size + len(request)
        self._socket.send(_HEADER.pack(length, kind, _REQUEST_DUMP, 0, 0) + request)
        while True:
            data = self._socket.recv(_BUFFER_BYTES)
            offset = 0
            while offset < len(data):
                size, answered, _, _, _ = _HEADER.unpack_from(data, offset)
                if answered == _DONE:
                    return
                yield data[offset + _HEADER.size : offset + size]
                offset += -(-size // 4) * 4


def held_up_ns() -> int:
    """For how long pauses have held up the interfaces of our namespace, their classes added."""
    counters = Counters({index for index, _ in socket.if_nameindex()})
    try:
        return sum(paused_ns for _, (*_, paused_ns) in counters.queues())
    finally:
        counters.close()


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + _ATTRIBUTE.size <= len(data):
        size, kind = _ATTRIBUTE.unpack_from(data, offset)
        yield kind, data[offset + _ATTRIBUTE.size : offset + size]
        offset += -(-size // 4) * 4


def _counted(statistics: bytes | None) -> tuple[int, int]:
    if statistics is None:
        return 0, 0
    counted = Counted.of(statistics)
    return counted.marked, sum(counted.paused_ns)
