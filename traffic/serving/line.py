"""A connection between a gateway and a replica, as both ends use it, and what they note.

It carries one request at a time and is used again for the next one, as HTTP/1.1 does. A request is a
header (its number, the tokens of its prompt, those of its answer, the bytes that follow) and the
prompt; an answer is one small message per token. Standard library alone.
"""

from __future__ import annotations

import socket
import struct

PORT = 8000
HEADER = struct.Struct("<IIII")
FIELDS = ("what", "request", "value", "at_ns")
ARRIVED, SENT, RECEIVED, BEGUN, PRODUCED, GOT = range(6)
"""What is noted, with a value: arrived at the client (tokens of the prompt); sent to a replica (its
rank); received there; begun; a token produced (its number); a token back at the client (its number)."""

_ROOM = bytearray(1 << 16)


class Line:
    """One end of a connection. Never blocks: what TCP does not take yet is sent later."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self._left = memoryview(b"")

    def fileno(self) -> int:
        """For pollers: edge-triggered, in both directions."""
        return self.sock.fileno()

    def send(self, data: bytes) -> None:
        """Send now, or as soon as TCP takes it."""
        self._left = memoryview(bytes(self._left) + data)
        self.flush()

    def flush(self) -> None:
        """Hand over as much as TCP takes."""
        try:
            while self._left:
                self._left = self._left[self.sock.send(self._left) :]
        except BlockingIOError:
            return

    def receive(self) -> bytes | None:
        """What has come; nothing if nothing has, None if nothing more will.

        It is acknowledged at once: TCP holds back acknowledgements of bytes fewer than a full packet's,
        and scaling leaves few of a token's. Real ones would be acknowledged.
        """
        try:
            count = self.sock.recv_into(_ROOM)
        except BlockingIOError:
            return b""
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return bytes(_ROOM[:count]) if count else None

    def close(self) -> None:
        """Hang up."""
        self.sock.close()


def new_socket(congestion: str) -> socket.socket:
    """A TCP socket that may listen where one has just listened."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, congestion.encode())
    return sock
