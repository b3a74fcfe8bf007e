"""What TCP itself has counted of each connection of each host: packets sent again, congestion window, round trip.

The kernel's own account, as `ss -ti` shows it, over netlink (INET_DIAG): one socket in each host's namespace,
asked by the observer. No host takes part, so nothing that a host does waits for it. Packed by hand, as `counters.py`.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from longhaul.emulation.netlink import entered

# [include/uapi/linux/sock_diag.h, inet_diag.h, tcp.h]
_NETLINK_SOCK_DIAG, _BY_FAMILY, _ERROR, _DONE = 4, 20, 2, 3
_REQUEST_ONE, _REQUEST_DUMP = 0x001, 0x301
_INFO = 2
_ANY_BUT_LISTENING = 0xFFF & ~(1 << 10)
_HEADER = struct.Struct("=IHHII")
_WHAT = struct.pack(
    "=BBBBI", socket.AF_INET, socket.IPPROTO_TCP, 1 << (_INFO - 1), 0, _ANY_BUT_LISTENING
)
_ENDS = struct.Struct("!HH4s12x4s12x4x8s")
"""Ports and IPv4 addresses, ours first; any interface; a cookie, which is asked for in vain with ones."""
_ANY_COOKIE = b"\xff" * 8
_ENDS_AT, _MESSAGE_BYTES = 4, 72
_ATTRIBUTE = struct.Struct("=HH")
_UINT32 = struct.Struct("=I")
_ROUND_TRIP_US, _WINDOW, _AGAIN, _SENT_DATA = 68, 80, 100, 156
"""Where `struct tcp_info` has tcpi_rtt, tcpi_snd_cwnd, tcpi_total_retrans, tcpi_data_segs_out: 32 bits each."""
_BUFFER_BYTES = 1 << 18
_TOGETHER = 64
"""Requests sent together: their answers fit into a socket's buffer."""


class TcpEnd(NamedTuple):
    """One end of a connection: ports and addresses, its own first."""

    port: int
    peer_port: int
    address: bytes
    peer: bytes


class TcpCounted(NamedTuple):
    """Packets with data that it has sent so far, and sent again; its congestion window, packets; its smoothed
    round trip."""

    sent: int
    again: int
    window: int
    round_trip_us: int


class Connections:
    """The connections of some hosts, each host a process whose namespace it is."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._sockets = [_opened(pid) for pid in pids]

    def close(self) -> None:
        """Ask no more."""
        for sock in self._sockets:
            sock.close()

    def all_of(self, host: int) -> Iterator[tuple[TcpEnd, TcpCounted]]:
        """Every connection of the host of that number. The kernel looks through all hosts' for it."""
        self._sockets[host].send(_request(_ENDS.pack(0, 0, b"", b"", b""), _REQUEST_DUMP))
        while True:
            for kind, message in _messages(self._sockets[host].recv(_BUFFER_BYTES)):
                if kind == _DONE:
                    return
                yield from _told(message)

    def some_of(self, host: int, wanted: Sequence[TcpEnd]) -> Iterator[tuple[TcpEnd, TcpCounted]]:
        """Those of a host's connections that are still there. (The kernel answers for one that has gone with the
        socket that listens on its port.)"""
        sock = self._sockets[host]
        for first in range(0, len(wanted), _TOGETHER):
            some = wanted[first : first + _TOGETHER]
            ends = (_ENDS.pack(*connection, _ANY_COOKIE) for connection in some)
            sock.send(b"".join(_request(one, _REQUEST_ONE) for one in ends))
            for _ in some:
                for kind, message in _messages(sock.recv(_BUFFER_BYTES)):
                    told = () if kind == _ERROR else _told(message)
                    yield from (one for one in told if one[0] in some)


def _opened(pid: int) -> socket.socket:
    with entered(pid):
        return socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _NETLINK_SOCK_DIAG)


def _request(ends: bytes, flags: int) -> bytes:
    length = _HEADER.size + len(_WHAT) + len(ends)
    return _HEADER.pack(length, _BY_FAMILY, flags, 0, 0) + _WHAT + ends


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The kinds and bodies of netlink messages."""
    offset = 0
    while offset < len(data):
        size, kind, _, _, _ = _HEADER.unpack_from(data, offset)
        yield kind, data[offset + _HEADER.size : offset + size]
        offset += -(-size // 4) * 4


def _told(message: bytes) -> Iterator[tuple[TcpEnd, TcpCounted]]:
    """What one message says; nothing of a socket that has no account any more."""
    *ends, _ = _ENDS.unpack_from(message, _ENDS_AT)
    offset = _MESSAGE_BYTES
    while offset + _ATTRIBUTE.size <= len(message):
        size, kind = _ATTRIBUTE.unpack_from(message, offset)
        if kind == _INFO:
            info = offset + _ATTRIBUTE.size
            places = (_SENT_DATA, _AGAIN, _WINDOW, _ROUND_TRIP_US)
            counted = (_UINT32.unpack_from(message, info + at)[0] for at in places)
            yield TcpEnd(*ends), TcpCounted(*counted)
        offset += -(-size // 4) * 4
