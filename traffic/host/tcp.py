"""The kernel's TCP as a transport (`traffic.host.transport`). Standard library alone."""

from __future__ import annotations

import mmap
import socket
import struct
import time
from collections import Counter

from traffic.host.ports import leave_by_rule
from traffic.host.transport import EXPEDITED, HungUp, Path, Settings

_RATE = struct.Struct("=Q")
SO_MAX_PACING_RATE = 47  # [include/uapi/asm-generic/socket.h]
_RETRY_S = 0.001
LARGEST_INT = (1 << 31) - 1
"""That a socket's option can have; no buffer of the kernel's is as large."""
_NOWHERE = memoryview(mmap.mmap(-1, 1 << 26))  # never written: no memory


class Tcp:
    """Sockets of equal settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._called: Counter[tuple[str, int]] = Counter()

    def listen(self, address: str, port: int, backlog: int) -> TcpListener:
        """Be called there."""
        sock = self._socket()
        sock.bind((address, port))
        sock.listen(backlog)
        return TcpListener(sock, self._settings)

    def count(self, address: str, port: int, number: int) -> None:
        """Have the next connection there be the `number`th."""
        self._called[address, port] = number

    def connect(
        self,
        address: str,
        port: int,
        hello: bytes = b"",
        *,
        expedited: bool = False,
        path: Path | None = None,  # noqa: ARG002 (the kernel finds out)
    ) -> TcpConnection:
        """Call, again and again while nobody listens there yet, and say `hello`."""
        number = self._number(address, port)
        while True:
            sock = self._socket()
            leave_by_rule(sock, address, port, number)
            connection = TcpConnection(sock, self._settings)
            if expedited:
                connection.expedite()
            try:
                sock.connect((address, port))
            except ConnectionRefusedError:
                sock.close()
                time.sleep(_RETRY_S)
            else:
                sock.sendall(hello)
                sock.setblocking(False)
                return connection

    def connect_soon(self, address: str, port: int) -> TcpConnection:
        """Call without waiting: what is sent before somebody answers is sent then."""
        sock = self._socket()
        leave_by_rule(sock, address, port, self._number(address, port))
        sock.setblocking(False)
        sock.connect_ex((address, port))
        return TcpConnection(sock, self._settings)

    def _number(self, address: str, port: int) -> int:
        """How often that has been called before."""
        self._called[address, port] += 1
        return self._called[address, port] - 1

    def counters(self) -> dict[str, int]:
        """The kernel's TCP has none of its own."""
        return {}

    def _socket(self) -> socket.socket:
        settings = self._settings
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, settings.congestion.encode())
        if settings.pacing_Bps:
            rate = _RATE.pack(round(settings.pacing_Bps))
            sock.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, rate)
        if settings.buffer_bytes:
            for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                sock.setsockopt(socket.SOL_SOCKET, option, settings.buffer_bytes)
        if settings.unsent_bytes:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, settings.unsent_bytes)
        return sock


class TcpListener:
    """A listening socket: those it accepts inherit its options."""

    def __init__(self, sock: socket.socket, settings: Settings) -> None:
        self._sock = sock
        self._settings = settings

    def fileno(self) -> int:
        """For pollers: somebody calls."""
        return self._sock.fileno()

    def accept(self, hello_bytes: int = 0) -> tuple[TcpConnection, bytes]:
        """The next caller, and what it said first."""
        sock, _ = self._sock.accept()
        hello = sock.recv(hello_bytes, socket.MSG_WAITALL) if hello_bytes else b""
        sock.setblocking(False)
        return TcpConnection(sock, self._settings), hello

    def close(self) -> None:
        """Be called no more; connections stay."""
        self._sock.close()


class TcpConnection:
    """A socket."""

    def __init__(self, sock: socket.socket, settings: Settings) -> None:
        self._sock = sock
        self._prompt = settings.prompt
        self._lowat = 1

    def fileno(self) -> int:
        """For pollers, edge-triggered: something has come, or there is room again."""
        return self._sock.fileno()

    def send(self, data: memoryview) -> int:
        """Hand over as many bytes as there is room for now; how many."""
        try:
            return self._sock.send(data)
        except BlockingIOError:
            return 0

    def receive(self, room: memoryview) -> int:
        """Put what has come into `room`; how many bytes, 0 if nothing has. Raises HungUp."""
        return self._receive(room, len(room), 0)

    def discard(self, most: int) -> int:
        """As `receive`, of bytes that nobody reads: the kernel drops them."""
        return self._receive(_NOWHERE, min(most, len(_NOWHERE)), socket.MSG_TRUNC)

    def _receive(self, room: memoryview, most: int, flags: int) -> int:
        try:
            count = self._sock.recv_into(room, most, flags)
        except BlockingIOError:
            return 0
        if self._prompt:
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        if not count:
            raise HungUp
        return count

    def wake_after(self, count: int) -> None:
        """Be readable only when `count` bytes are there. More than are to come would be for ever."""
        count = min(count, LARGEST_INT)
        if count != self._lowat:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)
            self._lowat = count

    def expedite(self) -> None:
        """All messages are small, from now on."""
        self._sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, EXPEDITED << 2)

    @property
    def address(self) -> str:
        """Of the other end."""
        return str(self._sock.getpeername()[0])

    def port(self, *, ours: bool) -> int:
        """That of our end, or of the other one."""
        name = self._sock.getsockname() if ours else self._sock.getpeername()
        return int(name[1])

    def settle(self) -> None:
        """The kernel keeps what is sent until the other end accepts."""

    def met(self) -> dict[str, int]:
        """Nothing is counted."""
        return {}

    def close(self) -> None:
        """Hang up; the kernel sends what is left."""
        self._sock.close()
