"""Sends and receives probes inside a host: a datagram on every way that begins here, each interval.

What comes has the kernel's time stamp of its arrival; both ends go by one clock, so that the difference
is the one-way delay. Standard library alone.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from array import array
from pathlib import Path
from typing import Any

from traffic.host.channel import Channel
from traffic.host.timers import Timer
from traffic.oneway.form import MARK, PAYLOAD, PORT, STAMP, STAMP_AT, ProberProgram, read

_SO_TIMESTAMPNS = 35  # [include/uapi/asm-generic/socket.h]
_TIMESPEC = struct.Struct("=qq")
_ANCILLARY_BYTES = socket.CMSG_SPACE(_TIMESPEC.size)
_NS = 1_000_000_000


def run(job: dict[str, Any], channel: Channel) -> None:
    """Carry out a job: send until told to stop, wait for what is under way, write down what was seen.

    `job` names two files: `file`, a ProberProgram, and `events`, to be written.
    """
    prober = Prober(read(Path(job["file"])))
    channel.say({"state": "ready"})
    prober.probe(int(channel.hear()["start_ns"]), channel)
    with Path(job["events"]).open("wb") as file:
        prober.log.tofile(file)
    channel.say({"state": "done"})


class Prober:
    """The sockets, the timer and the log of one host."""

    def __init__(self, program: ProberProgram) -> None:
        self.log = array("q")
        self._ways = [
            (way.way, (way.address, 0), bytearray.fromhex(way.datagram)) for way in program.ways
        ]
        self._interval_ns = program.interval_ns
        self._grace_ns = program.grace_ns
        self._epoch_ns = -time.monotonic_ns() + time.time_ns()
        self._sequence = 0
        self._timer = Timer()
        self._out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self._in = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._in.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._in.bind(("", PORT))

    def probe(self, start_ns: int, channel: Channel) -> None:
        """Send from `start_ns` on, until there is a message; then wait no longer than the grace."""
        poller = select.poll()
        for one in (self._timer.fd, self._in.fileno(), channel.fileno()):
            poller.register(one, select.POLLIN)
        self._timer.set(start_ns)
        ending = False
        while True:
            for fd, _ in poller.poll():
                if fd == self._in.fileno():
                    self._receive()
                elif fd == channel.fileno():
                    ending = True
                    poller.unregister(channel)
                    self._timer.set(time.monotonic_ns() + self._grace_ns)
                elif ending:
                    return
                elif self._timer.went_off():
                    self._send()
                    self._timer.set(start_ns + self._sequence * self._interval_ns)

    def _send(self) -> None:
        for way, address, datagram in self._ways:
            now_ns = time.time_ns()
            STAMP.pack_into(datagram, STAMP_AT, self._sequence, now_ns)
            self.log.extend((0, way, self._sequence, now_ns - self._epoch_ns))
            self._out.sendto(datagram, address)
        self._sequence += 1

    def _receive(self) -> None:
        data, ancillary, _, _ = self._in.recvmsg(PAYLOAD.size, _ANCILLARY_BYTES)
        if len(data) < PAYLOAD.size or not ancillary:
            return
        mark, way, sequence, _ = PAYLOAD.unpack(data)
        if mark == MARK:
            seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2])
            at_ns = seconds * _NS + nanoseconds - self._epoch_ns
            self.log.extend((1, way, sequence, at_ns))
