"""Sends background load inside a host: a packet's worth at even times, for as long as there is load.

iperf3 would do, but for three things: from 3.17 on it waits in loops, in which virtual time never passes;
it cannot be told that the workload is over; and its pauses come in steps of the kernel's ticks. Packets
here leave at their nanosecond, whatever is installed. Standard library alone.
"""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from traffic.background.form import Counter
from traffic.background.periods import PATTERNS, Periods
from traffic.host.agent import Timer
from traffic.host.channel import Channel

Program = dict[str, Any]
_RETRY_S = 0.001


def run(program: Program, channel: Channel) -> None:
    """Carry out a job: send from the start on, until told to stop.

    `program` names two files: `file`, with `protocol`, `address`, `port`, `payload_bytes` (of a packet),
    `gap_ns` (from one to the next), `pattern` and its `arguments`; and `events`, to be written.
    """
    program |= json.loads(Path(program["file"]).read_text())
    with connected(program) as sock:
        sock.setblocking(False)
        channel.say({"state": "ready"})
        start_ns = int(channel.hear()["start_ns"])
        sender = Sender(program, sock, start_ns)
        sender.send(start_ns, channel)
    sender.counter.write(Path(program["events"]))
    channel.say({"state": "done"})


def connected(program: Program) -> socket.socket:
    """A socket to the receiver, which may not be there yet."""
    address = (program["address"], program["port"])
    if program["protocol"] == "udp":
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.connect(address)
        return sock
    while True:
        with suppress(ConnectionRefusedError):
            sock = socket.create_connection(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, program["payload_bytes"])
            return sock
        time.sleep(_RETRY_S)


class Sender:
    """Hands packets to the kernel when they are due. What it has no room for then is never sent: what
    was offered does not depend on what was carried."""

    def __init__(self, program: Program, sock: socket.socket, start_ns: int) -> None:
        self.counter = Counter(start_ns)
        self._sock = sock
        self._payload = bytes(program["payload_bytes"])
        self._gap_ns: int = program["gap_ns"]
        self._periods: Periods = PATTERNS[program["pattern"]](**program["arguments"])

    def send(self, start_ns: int, channel: Channel) -> None:
        """Until there is a message."""
        timer = Timer()
        poller = select.poll()
        poller.register(timer.fd, select.POLLIN)
        poller.register(channel.fileno(), select.POLLIN)
        for due_ns in self._due(start_ns):
            timer.set(due_ns)
            if any(fd == channel.fileno() for fd, _ in poller.poll()):
                return
            timer.went_off()
            self._packet(due_ns)

    def _due(self, start_ns: int) -> Iterator[int]:
        """When packets are to leave."""
        for busy_ns, idle_ns in self._periods:
            yield from range(start_ns, start_ns + busy_ns, self._gap_ns)
            start_ns += busy_ns + idle_ns

    def _packet(self, due_ns: int) -> None:
        with suppress(BlockingIOError, ConnectionRefusedError):
            self.counter.add(due_ns, self._sock.send(self._payload))
