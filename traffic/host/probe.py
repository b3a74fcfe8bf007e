"""Measurements between two hosts: ICMP echo, a TCP stream, and counted datagrams.

Runs inside a host as a job (`traffic.host.hosts`): each function is one role.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

from traffic.host.channel import Channel, Message
from traffic.host.tcp import SO_MAX_PACING_RATE

Reply = Callable[[Message], None]

STREAM_PORT = 5201
DATAGRAM_PORT = 9  # discard [RFC 863]
DATAGRAM_BYTES = 64
BURST = 32
UDP_COUNTERS = Path("/proc/net/snmp")
TCP_SEND_BUFFER = Path("/proc/sys/net/ipv4/tcp_wmem")
ECHO_FRAME_BYTES = 98
_SILENCE_S = 1.0
_STREAM_BYTES = 1 << 17
_UDP_SEGMENT = 103  # one send, many datagrams [include/uapi/linux/udp.h]
_ECHO = struct.Struct("!BBHHH")


def run(job: Message, channel: Channel) -> None:
    """Play the role that the job names, with its arguments."""
    ROLES[job["role"]](channel.say, **job["arguments"])


def echo(reply: Reply, address: str, count: int) -> None:
    """ICMP round trips to `address`, the first (cold caches) left out: {"rtt_s": mean}.

    What `ping` measures, to the nanosecond; ping itself prints microseconds, and busy-waits for
    its next round where jiffies are long.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
        sock.connect((address, 0))
        sock.settimeout(_SILENCE_S)
        times_ns = [_round_trip_ns(sock, number) for number in range(count + 1)][1:]
    reply({"rtt_s": sum(times_ns) / len(times_ns) / 1e9})


def _round_trip_ns(sock: socket.socket, number: int) -> int:
    request = bytearray(_ECHO.pack(8, 0, 0, 1, number) + bytes(56))
    struct.pack_into("!H", request, 2, _checksum(request))
    sent_ns = time.monotonic_ns()
    sock.send(request)
    while True:
        answer = sock.recv(1024)
        if _ECHO.unpack_from(answer, 20)[::4] == (0, number):
            return int(time.monotonic_ns() - sent_ns)


def _checksum(data: bytes | bytearray) -> int:
    """The Internet checksum of an even number of bytes. [RFC 1071]"""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def stream_server(reply: Reply, address: str) -> None:
    """Take in one TCP stream, and say what arrived: {"bytes"}."""
    with socket.create_server((address, STREAM_PORT)) as listener:
        reply({"state": "listening"})
        sock, _ = listener.accept()
    total = 0
    with sock:
        while count := len(sock.recv(_STREAM_BYTES)):
            total += count
    reply({"bytes": total})


def stream_client(
    reply: Reply, address: str, size_bytes: int, send_buffer_bytes: int, pacing_Bps: int
) -> None:
    """Send `size_bytes` over TCP, with at most so many in flight, and no faster than `pacing_Bps`, 0: as it likes.

    Not iperf3: 3.12 fills its buffer, then lets a link of a round trip of microseconds run empty before it
    writes again; from 3.17 on it waits for its own threads in a loop, in which virtual time never passes.
    """
    as_it_was = TCP_SEND_BUFFER.read_text(
        encoding="utf-8"
    )  # of the whole host, which may be one that trains
    TCP_SEND_BUFFER.write_text(f"4096 {send_buffer_bytes} {send_buffer_bytes}", encoding="utf-8")
    error = stream(address, size_bytes, pacing_Bps)
    TCP_SEND_BUFFER.write_text(as_it_was, encoding="utf-8")
    reply({"error": error} if error else {"state": "sent"})


def stream(address: str, size_bytes: int, pacing_Bps: int) -> str | None:
    """Send so many bytes over TCP; what went wrong, if anything did."""
    block = bytes(_STREAM_BYTES)
    try:
        with socket.create_connection((address, STREAM_PORT)) as sock:
            if pacing_Bps:  # and no congestion control that takes a growing delay for a full queue
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
                sock.setsockopt(
                    socket.SOL_SOCKET, SO_MAX_PACING_RATE, struct.pack("@Q", pacing_Bps)
                )
            for start in range(0, size_bytes, _STREAM_BYTES):
                sock.sendall(block[: size_bytes - start])
    except OSError as error:
        return str(error)
    return None


def datagrams(reply: Reply, address: str, bursts: int, gap_s: float) -> None:
    """Send `bursts` of BURST small datagrams, `gap_s` apart. Nobody need read them: see `arrived`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_UDP, _UDP_SEGMENT, DATAGRAM_BYTES)
        payload = bytes(BURST * DATAGRAM_BYTES)
        for _ in range(bursts):
            sock.sendto(payload, (address, DATAGRAM_PORT))  # unconnected: hears no refusals
            time.sleep(gap_s)
    reply({"state": "sent"})


def arrived(reply: Reply) -> None:
    """How many datagrams have come to this host so far, wanted or not: {"datagrams"}."""
    names, values = (
        line.split()
        for line in UDP_COUNTERS.read_text(encoding="utf-8").splitlines()
        if line.startswith("Udp:")
    )
    counters = dict(zip(names, values, strict=True))
    reply({"datagrams": int(counters["InDatagrams"]) + int(counters["NoPorts"])})


ROLES: dict[str, Callable[..., None]] = {
    "echo": echo,
    "stream-server": stream_server,
    "stream-client": stream_client,
    "datagrams": datagrams,
    "arrived": arrived,
}
