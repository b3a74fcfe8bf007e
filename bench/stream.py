"""A steady stream of numbered datagrams between two hosts: which of them come, when, how often.

Runs inside hosts as a job (`traffic.host.hosts`). Standard library alone.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable

from traffic.host.channel import Channel, Message

PORT = 9000
NUMBER = struct.Struct("!Q")
SILENCE_S = 0.5
_SO_RCVBUFFORCE = 33  # [include/uapi/asm-generic/socket.h]


def run(job: Message, channel: Channel) -> None:
    """Play the role that the job names."""
    ROLES[job["role"]](job, channel)


def send(job: Message, channel: Channel) -> None:
    """`count` datagrams to `address`, one every `gap_ns` from the instant on that is told."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((job["address"], PORT))
    channel.say({"state": "ready"})
    start_ns = int(channel.hear()["start_ns"])
    payload = bytes(job["size_bytes"] - NUMBER.size)
    for number in range(job["count"]):
        wait_ns = start_ns + number * job["gap_ns"] - time.monotonic_ns()
        time.sleep(max(0, wait_ns) / 1e9)
        sock.send(NUMBER.pack(number) + payload)
    sock.close()
    channel.say({"state": "done"})


def receive(job: Message, channel: Channel) -> None:
    """What comes until `until_ns`, and for as long after as packets still come: numbers and arrival
    times, in order of arrival."""
    numbers, times_ns = [], []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 1 << 24)
        sock.bind(("", PORT))
        channel.say({"state": "ready"})
        while (left_s := (job["until_ns"] - time.monotonic_ns()) / 1e9 + SILENCE_S) > 0:
            sock.settimeout(left_s)
            try:
                data = sock.recv(65536)
            except TimeoutError:
                break
            numbers.append(NUMBER.unpack_from(data)[0])
            times_ns.append(time.monotonic_ns())
    channel.say({"state": "done", "numbers": numbers, "times_ns": times_ns})


ROLES: dict[str, Callable[[Message, Channel], None]] = {"send": send, "receive": receive}
