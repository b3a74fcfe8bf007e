"""Samples what every switch port has sent, received, queued and dropped, and what every connection has sent again,
at even virtual times.

Counters come from the kernel over netlink, all ports in two dumps and each host's connections in one; nobody's
packets wait for that, as computing takes no virtual time. The history is bounded: when it is full, every other sample
goes, and from then on there is half as much to come. Of connections only what is new since the last sample is
noted. Rows of 64-bit integers, in the order of FIELDS and AGAIN_FIELDS.
"""

from __future__ import annotations

import os
import time
from array import array
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from longhaul.emulation.connections import Connections, TcpCounted, TcpEnd
from longhaul.inside.samples import AGAIN_RAW, RAW
from scenario.plan.types import Plan
from traffic.host.counters import Counters
from traffic.host.timers import Timer

FIRST_INTERVAL_NS = 10_000_000
MOST_SAMPLES = 1000
MOST_ASKED = 64
LOOK_EVERY = 16


@contextmanager
def sampled(
    plan: Plan, pids: Mapping[str, int], folder: Path, start_ns: int
) -> Iterator[Telemetry]:
    """Samples from `start_ns` on, whenever its file descriptor is readable; written on leaving. `pids` are the
    hosts' processes."""
    telemetry = Telemetry(plan, pids, start_ns)
    try:
        yield telemetry
    finally:
        telemetry.close(folder)


class Telemetry:
    """Takes samples by its own timer."""

    def __init__(self, plan: Plan, pids: Mapping[str, int], start_ns: int) -> None:
        ends = [end for link in plan.wires for end in link.ends]
        self._ports = Counters({end.index for end in ends if end.port})
        self._again = Retransmissions([pids[host.name] for host in plan.hosts])
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

    def close(self, folder: Path) -> None:
        """Take the last sample, and write all of them."""
        self._take(time.monotonic_ns() - self._start_ns)
        self._ports.close()
        self._again.close(folder / AGAIN_RAW)
        os.close(self._timer.fd)
        with (folder / RAW).open("wb") as out:
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
        self._again.take(t_ns)


class Retransmissions:
    """What the connections of the hosts have sent again, sample by sample.

    Of each sample at most MOST_ASKED connections are asked, in turn, so that many cost no more than few; and one
    host is looked through for new ones every LOOK_EVERY samples.
    """

    def __init__(self, pids: Sequence[int]) -> None:
        self._hosts = len(pids)
        self._connections = Connections(pids)
        self._known: dict[tuple[int, TcpEnd], _Asked] = {}
        self._turn: deque[tuple[int, TcpEnd]] = deque()
        self._samples = 0
        self._rows = array("q")

    def take(self, t_ns: int) -> None:
        """Note of connections how much they have sent again since they were asked before, if anything. The first
        sample is what all later ones are counted from."""
        if not self._samples:
            for host in range(self._hosts):
                self._look(host, t_ns)
        elif self._samples % LOOK_EVERY == 0:
            self._look(self._samples // LOOK_EVERY % self._hosts, t_ns)
        self._samples += 1
        for host, some in self._next().items():
            for connection, counted in self._connections.some_of(host, some):
                self._note(t_ns, host, connection, counted)

    def close(self, path: Path) -> None:
        """Write what was noted."""
        self._connections.close()
        with path.open("wb") as out:
            self._rows.tofile(out)

    def _look(self, host: int, t_ns: int) -> None:
        """Get to know the connections on which a host has sent something."""
        for connection, counted in self._connections.all_of(host):
            if counted.sent and (host, connection) not in self._known:
                self._known[host, connection] = _Asked(t_ns, counted.again)
                self._turn.append((host, connection))

    def _next(self) -> dict[int, list[TcpEnd]]:
        """Whose turn it is, by host."""
        found: dict[int, list[TcpEnd]] = {}
        for _ in range(min(MOST_ASKED, len(self._turn))):
            host, connection = self._turn[0]
            self._turn.rotate(-1)
            found.setdefault(host, []).append(connection)
        return found

    def _note(self, t_ns: int, host: int, connection: TcpEnd, counted: TcpCounted) -> None:
        since_ns, before = self._known[host, connection]
        self._known[host, connection] = _Asked(t_ns, counted.again)
        if counted.again > before:
            ends = (host, connection.port, int.from_bytes(connection.peer), connection.peer_port)
            told = (counted.again - before, counted.window, counted.round_trip_us)
            self._rows.extend((since_ns, t_ns, *ends, *told))


class _Asked(NamedTuple):
    """When a connection was asked last, and how much it had sent again by then."""

    t_ns: int
    again: int
