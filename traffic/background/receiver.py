"""Takes in background load inside a host, and counts it. Standard library alone."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from traffic.background.form import Counter, ReceiverProgram, read_receiver
from traffic.host.channel import Channel
from traffic.host.timers import Timer
from traffic.host.transport import Connection, HungUp, Settings
from traffic.host.transports import opened

_DATAGRAM_BYTES = 1 << 16
_MOST_BYTES = 1 << 17


def run(job: dict[str, Any], channel: Channel) -> None:
    """Carry out a job: count what comes until told to stop, and what is under way then.

    `job` names two files: `file`, a ReceiverProgram, and `events`, to be written.
    """
    program = read_receiver(Path(job["file"]))
    if program.transport:
        counter = of_connection(program, program.transport, channel)
    else:
        counter = of_datagrams(program, channel)
    counter.write(Path(job["events"]))
    channel.say({"state": "done"})


def of_datagrams(program: ReceiverProgram, channel: Channel) -> Counter:
    """Count what comes without a connection."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("", program.port))
        sock.setblocking(False)
        counter = started(channel)
        count(sock.fileno(), lambda: came(sock), counter, program, channel)
        return counter


def came(sock: socket.socket) -> int:
    """The size of the next datagram, 0 if none is there."""
    try:
        return len(sock.recv(_DATAGRAM_BYTES))
    except BlockingIOError:
        return 0


def of_connection(program: ReceiverProgram, transport: Settings, channel: Channel) -> Counter:
    """Count what comes from whoever connects."""
    with closing(opened(transport).listen("", program.port, 1)) as listener:
        connection, _ = listener.accept()
    with closing(connection):
        connection.settle()
        counter = started(channel)
        count(connection.fileno(), lambda: taken(connection), counter, program, channel)
    return counter


def started(channel: Channel) -> Counter:
    """Say that all is set, and wait for the start."""
    channel.say({"state": "ready"})
    return Counter(int(channel.hear()["start_ns"]))


def taken(connection: Connection) -> int | None:
    """How much has come at once, None if nothing more will."""
    try:
        return connection.discard(_MOST_BYTES)
    except HungUp:
        return None


def count(
    fd: int,
    take: Callable[[], int | None],
    counter: Counter,
    program: ReceiverProgram,
    channel: Channel,
) -> None:
    """Count what there is to take, until a while after a message."""
    timer = Timer()
    poller = select.poll()
    for one in (fd, channel.fileno(), timer.fd):
        poller.register(one, select.POLLIN)
    while True:
        for ready, _ in poller.poll():
            if ready == timer.fd:
                return
            if ready == channel.fileno():
                poller.unregister(channel.fileno())
                timer.set(time.monotonic_ns() + program.grace_ns)
                continue
            while size := take():
                counter.add(time.monotonic_ns(), size)
            if size is None:
                poller.unregister(fd)
