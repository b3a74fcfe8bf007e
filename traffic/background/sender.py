"""Sends background load inside a host: a packet's worth at even times, for as long as there is load.

iperf3 would do, but for three things: from 3.17 on it waits in loops, in which virtual time never passes;
it cannot be told that the workload is over; and its pauses come in steps of the kernel's ticks. Packets
here leave at their nanosecond, whatever is installed. Standard library alone.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from traffic.background.form import Counter, SenderProgram, read_sender
from traffic.background.periods import PATTERNS, Periods
from traffic.host.channel import Channel
from traffic.host.ports import leave_by_rule
from traffic.host.timers import Timer
from traffic.host.transports import opened


def run(job: dict[str, Any], channel: Channel) -> None:
    """Carry out a job: send from the start on, until told to stop.

    `job` names two files: `file`, a SenderProgram, and `events`, to be written.
    """
    program = read_sender(Path(job["file"]))
    with opened_to(program) as hand_over:
        channel.say({"state": "ready"})
        start_ns = int(channel.hear()["start_ns"])
        sender = Sender(program, hand_over, start_ns)
        sender.send(start_ns, channel)
    sender.counter.write(Path(job["events"]))
    channel.say({"state": "done"})


@contextmanager
def opened_to(program: SenderProgram) -> Iterator[Callable[[memoryview], int]]:
    """A way to the receiver, which may not be there yet."""
    if program.transport:
        transport = opened(program.transport)
        with closing(transport.connect(program.address, program.port)) as connection:
            connection.settle()
            yield connection.send
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        leave_by_rule(sock, program.address, program.port)
        sock.connect((program.address, program.port))
        sock.setblocking(False)
        yield sock.send


class Sender:
    """Hands packets over when they are due. What there is no room for then is never sent: what
    was offered does not depend on what was carried."""

    def __init__(
        self, program: SenderProgram, hand_over: Callable[[memoryview], int], start_ns: int
    ) -> None:
        self.counter = Counter(start_ns)
        self._hand_over = hand_over
        self._payload = memoryview(bytes(program.payload_bytes))
        self._gap_ns = program.gap_ns
        self._periods: Periods = PATTERNS[program.pattern](**program.arguments)

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
            if taken := self._hand_over(self._payload):
                self.counter.add(due_ns, taken)
