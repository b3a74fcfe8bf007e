"""Captures the frames of links while a workload runs, into one pcapng file per link.

A job of the observer, the process that stands where all switches' interfaces are (`traffic.host.hosts`). A
link is seen from one of its ends: what that end receives, and what it sends once netem has let go of
it, so that either way a frame has the time of its arrival, and one that netem loses is not there.

To disturb nothing, it is woken by the first frame after a pause, then lets a ring fill for a while,
then writes out what has come. It never looks at the clock, which would cost everybody a nanosecond: in
virtual time the workload is, to the last of them, what it is without a capture.
"""

from __future__ import annotations

import ctypes
import os
import select
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from traffic.host import pcapng
from traffic.host.channel import Channel, Message
from traffic.host.packet_ring import PacketRing

SMALLEST_FRAME_BITS = 8 * 60
RINGS_BYTES = 128 << 20  # all links' rings together
RING_BYTES = 16 << 20
MANY_FRAMES = 4096
_NS = 1_000_000_000
_libc = ctypes.CDLL(None, use_errno=True)


def run(job: Message, channel: Channel) -> None:
    """Capture until told to stop.

    `job` has `folder` (of the files), `application`, `snap_bytes` and `links`: of each its `name`,
    the `interface` to look at, `inwards` and `outwards` (name, description and bit/s of the interface
    that receives what comes in there, and of the one that receives what goes out). Replies `ready`;
    on `{"stop": start_ns}` the last: `captured`, a list of `link`, `file`, `frames`, `dropped`.
    """
    with ExitStack() as stack:
        share = min(RING_BYTES, RINGS_BYTES // len(job["links"]))
        taps = [stack.enter_context(closing(Tap(job, link, share))) for link in job["links"]]
        channel.say({"state": "ready"})
        stop = _follow(taps, channel)
        note = f"the workload starts at {_clock_text(stop['stop'])}"
        channel.say({"captured": [tap.end(note) for tap in taps], "state": "done"})


class Tap:
    """One link's ring and file; close it."""

    def __init__(self, job: Message, link: dict[str, Any], most_bytes: int) -> None:
        ends = link["inwards"], link["outwards"]
        snap_bytes: int = job["snap_bytes"]
        self._name: str = link["name"]
        self._path = Path(job["folder"], f"{self._name}.pcapng")
        self._frames = [0] * len(ends)
        self.ring = PacketRing(link["interface"], snap_bytes, most_bytes)
        fastest_bps = sum(rate_bps for _, _, rate_bps in ends)
        self.fills_ns = round(_NS * self.ring.frames * SMALLEST_FRAME_BITS / fastest_bps)
        self._file = os.open(self._path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_SYNC)
        self._blocks = [pcapng.file_head(job["application"], map(tuple, ends), snap_bytes)]

    def close(self) -> None:
        """Let go of both."""
        os.close(self._file)
        self.ring.close()

    def write(self) -> None:
        """Take what has come; once it is much, put it into the file."""
        self._blocks.extend(self._new())
        if len(self._blocks) >= MANY_FRAMES:
            self._save()

    def _save(self) -> None:
        """O_SYNC leaves the kernel nothing to do later, and costs no virtual time."""
        os.write(self._file, b"".join(self._blocks))
        self._blocks.clear()

    def _new(self) -> Iterator[bytes]:
        for outgoing, time_ns, data, frame_bytes in self.ring.new():
            self._frames[outgoing] += 1
            yield pcapng.packet(int(outgoing), time_ns, data, frame_bytes)

    def end(self, note: str) -> dict[str, Any]:
        """Write the rest and the end of the file; what it has in it."""
        self.write()
        text = f"{note}; {self.ring.dropped} frames of this link found no room and are missing"
        for number in range(len(self._frames)):
            self._blocks.append(pcapng.statistics(number, time.time_ns(), text))
        self._save()
        return {
            "link": self._name,
            "file": self._path.name,
            "frames": sum(self._frames),
            "dropped": self.ring.dropped,
        }


def _follow(taps: list[Tap], channel: Channel) -> Message:
    """Write out frames until there is a message, and return that.

    Between two looks a ring can at most be half filled, with frames as small as there are.
    """
    pause_ns = min(tap.fills_ns for tap in taps) // 2
    poller = select.poll()
    poller.register(channel, select.POLLIN)
    for tap in taps:
        poller.register(tap.ring, select.POLLIN)
    while not any(descriptor == channel.fileno() for descriptor, _ in poller.poll()):
        _rest(pause_ns)
        for tap in taps:
            tap.write()
    return channel.hear()


def _rest(nanoseconds: int) -> None:
    """Sleep; `time.sleep` would look at the clock."""
    _libc.nanosleep(struct.pack("qq", *divmod(nanoseconds, _NS)), None)


def _clock_text(start_ns: int) -> str:
    """A time of CLOCK_MONOTONIC on the wall clock that frames are stamped with."""
    wall_ns = start_ns + time.time_ns() - time.monotonic_ns()
    seconds, nanoseconds = divmod(wall_ns, _NS)
    return f"{seconds}.{nanoseconds:09d} s of the epoch"
