"""Samples what every switch port has sent, received, queued and dropped, at even virtual times.

Counters come from the kernel over netlink, all ports in two dumps; nobody's packets wait for that, as
computing takes no virtual time. The history is bounded: when it is full, every other sample goes, and
from then on there is half as much to come. Rows of 64-bit integers, in the order of FIELDS.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from longhaul.fabric import port
from scenario.plan.types import Plan
from traffic.host.timers import Timer

RAW = "telemetry.bin"
FIELDS = (
    "t_ns", "index", "tx_bytes", "tx_packets", "rx_bytes", "rx_packets", "drops",
    "queue_packets", "queue_bytes", "marked", "paused_ns",
)  # fmt: skip
FIRST_INTERVAL_NS = 10_000_000
MOST_SAMPLES = 1000

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
        self._indices = {end.index for end in ends if end.port}
        self._start_ns = start_ns
        self._interval_ns = FIRST_INTERVAL_NS
        self._samples: list[array[int]] = []
        self._next_ns = 0
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
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
        self._socket.close()
        os.close(self._timer.fd)
        with path.open("wb") as out:
            for sample in self._samples:
                sample.tofile(out)

    def _take(self, t_ns: int) -> None:
        queues = dict(self._queues())
        row = array("q")
        for index, (rx_packets, tx_packets, rx_bytes, tx_bytes) in self._counters():
            packets, size, drops, marked, paused_ns = queues.get(index, (0, 0, 0, 0, 0))
            row.extend((t_ns, index, tx_bytes, tx_packets, rx_bytes, rx_packets, drops))
            row.extend((packets, size, marked, paused_ns))
        self._samples.append(row)

    def _counters(self) -> Iterator[tuple[int, tuple[int, int, int, int]]]:
        """Of each switch port, by index."""
        request = _STATS_REQUEST.pack(socket.AF_UNSPEC, 0, 0, 0, _FILTER_LINK_64)
        for message in self._dump(_GETSTATS, request):
            (index,) = struct.unpack_from("=I", message, 4)
            if index in self._indices:
                body = _STATS_REQUEST.size + _ATTRIBUTE.size
                yield index, _COUNTERS.unpack_from(message, body)

    def _queues(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Packets, bytes and drops of each port's queueing discipline, by index; of a port's own kind also the
        packets that it has marked and the nanoseconds for which its classes were paused, added."""
        request = _QDISC_REQUEST.pack(socket.AF_UNSPEC, 0, 0, 0, 0, 0, 0)
        for message in self._dump(_GETQDISC, request):
            (index,) = struct.unpack_from("=i", message, 4)
            if index in self._indices:
                told = dict(_attributes(message[_QDISC_REQUEST.size :]))
                statistics = dict(_attributes(told[_TCA_STATS2]))
                of_port = told[_TCA_KIND] == port.KIND
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


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + _ATTRIBUTE.size <= len(data):
        size, kind = _ATTRIBUTE.unpack_from(data, offset)
        yield kind, data[offset + _ATTRIBUTE.size : offset + size]
        offset += -(-size // 4) * 4


def _counted(statistics: bytes | None) -> tuple[int, int]:
    if statistics is None:
        return 0, 0
    counted = port.Counted.of(statistics)
    return counted.marked, sum(counted.paused_ns)
