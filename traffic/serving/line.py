"""A connection between a gateway and a replica, as both ends use it, and what they note.

It carries one request at a time and is used again for the next one, as HTTP/1.1 does. A request is a
header (its number, the tokens of its prompt, those of its answer, the bytes that follow) and the
prompt; an answer is one small message per token. Standard library alone.
"""

from __future__ import annotations

import struct

from traffic.host.transport import Connection, HungUp

PORT = 8000
HEADER = struct.Struct("<IIII")
FIELDS = ("what", "request", "value", "at_ns")
ARRIVED, SENT, RECEIVED, BEGUN, PRODUCED, GOT = range(6)
"""What is noted, with a value: arrived at the client (tokens of the prompt); sent to a replica (its
rank); received there; begun; a token produced (its number); a token back at the client (its number)."""

_ROOM = memoryview(bytearray(1 << 16))


class Line:
    """One end of a connection. What there is no room for yet is sent later."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._left = memoryview(b"")

    def fileno(self) -> int:
        """For pollers: edge-triggered, in both directions."""
        return self._connection.fileno()

    def send(self, data: bytes) -> None:
        """Send now, or as soon as there is room."""
        self._left = memoryview(bytes(self._left) + data)
        self.flush()

    def flush(self) -> None:
        """Hand over as much as there is room for."""
        while self._left:
            count = self._connection.send(self._left)
            if not count:
                return
            self._left = self._left[count:]

    def receive(self) -> bytes | None:
        """What has come; nothing if nothing has, None if nothing more will."""
        try:
            return bytes(_ROOM[: self._connection.receive(_ROOM)])
        except HungUp:
            return None

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
