"""Takes in background load inside a host, and counts it. Standard library alone."""

from __future__ import annotations

import json
import select
import socket
import time
from pathlib import Path
from typing import Any

from traffic.background.form import Counter
from traffic.host.agent import Timer
from traffic.host.channel import Channel

Program = dict[str, Any]
_BUFFER_BYTES = 1 << 17


def run(program: Program, channel: Channel) -> None:
    """Carry out a job: count what comes until told to stop, and what is under way then.

    `program` names two files: `file`, with `protocol`, `port` and `grace_ns`; and `events`, to be written.
    """
    program |= json.loads(Path(program["file"]).read_text())
    with opened(program) as sock:
        channel.say({"state": "ready"})
        start_ns = int(channel.hear()["start_ns"])
        counter = Counter(start_ns)
        if program["protocol"] == "udp":
            count(sock, counter, program["grace_ns"], channel)
        else:
            stream, _ = sock.accept()
            with stream:
                count(stream, counter, program["grace_ns"], channel)
    counter.write(Path(program["events"]))
    channel.say({"state": "done"})


def opened(program: Program) -> socket.socket:
    """A socket that the sender can reach."""
    if program["protocol"] == "tcp":
        return socket.create_server(("", program["port"]))
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("", program["port"]))
    return sock


def count(sock: socket.socket, counter: Counter, grace_ns: int, channel: Channel) -> None:
    """Count what a socket has, until `grace_ns` after a message."""
    timer = Timer()
    poller = select.poll()
    for fd in (sock.fileno(), channel.fileno(), timer.fd):
        poller.register(fd, select.POLLIN)
    while True:
        for fd, _ in poller.poll():
            if fd == timer.fd:
                return
            if fd == channel.fileno():
                poller.unregister(channel.fileno())
                timer.set(time.monotonic_ns() + grace_ns)
            elif size := len(sock.recv(_BUFFER_BYTES)):
                counter.add(time.monotonic_ns(), size)
            else:
                poller.unregister(sock.fileno())
