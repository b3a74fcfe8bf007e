"""A connection between a gateway and a replica, or between two replicas, as both ends use it, and what they note.

One with a gateway carries one request at a time and is used again for the next one, as HTTP/1.1 does. A request is a
header (its number, the tokens of its prompt, those of its answer, the bytes that follow) and the
prompt; an answer is one small message per token. Where prompts are read by one replica and answered by another,
both are sent the request, to the first with the number of the second; and between them go contexts, one
after another: a header, and what attention keeps of the prompt. Standard library alone.
"""

from __future__ import annotations

import struct
from collections import deque

from traffic.host.transport import Connection, HungUp

PORT = 8000
CONTEXT_PORT = 8001
"""Where a replica that answers is called by those that read prompts."""
HEADER = struct.Struct("<IIII")
ANSWERER = struct.Struct("<I")
"""After the header of a request to a replica that reads prompts: the number of who answers."""
CONTEXT = struct.Struct("<IIIQ")
"""The header of a context: as a request's."""
FIELDS = ("what", "request", "value", "at_ns")
ARRIVED, SENT, RECEIVED, BEGUN, READ, PRODUCED, GOT = range(7)
"""What is noted, with a value: arrived at the client (tokens of the prompt); sent to a replica (its
rank); received there; begun; the prompt read; a token produced (its number), the first of them when whoever answers
has it; a token back at the client (its number)."""

_ROOM = memoryview(bytearray(1 << 16))
_ZEROS = memoryview(bytes(1 << 16))


class Line:
    """One end of a connection. What there is no room for yet is sent later."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._left: deque[memoryview] = deque()

    def fileno(self) -> int:
        """For pollers: edge-triggered, in both directions."""
        return self._connection.fileno()

    def send(self, data: bytes, zeros: int = 0) -> None:
        """Send now, or as soon as there is room; and after it so many bytes that nobody reads."""
        first = min(zeros, len(_ZEROS))
        whole, rest = divmod(zeros - first, len(_ZEROS))
        self._left.append(memoryview(data + bytes(first)))
        self._left.extend([_ZEROS] * whole + [_ZEROS[:rest]])
        self.flush()

    def flush(self) -> None:
        """Hand over as much as there is room for."""
        while self._left:
            piece = self._left.popleft()
            count = self._connection.send(piece) if piece else 0
            if count < len(piece):
                self._left.appendleft(piece[count:])
                if not count:
                    return

    def receive(self) -> bytes | None:
        """What has come; nothing if nothing has, None if nothing more will."""
        try:
            return bytes(_ROOM[: self._connection.receive(_ROOM)])
        except HungUp:
            return None

    @property
    def connection(self) -> Connection:
        """What carries it."""
        return self._connection

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
