"""The line between a host's process and whoever gave it a job: messages both ways, a line of JSON each.

Standard library alone.
"""

from __future__ import annotations

import json
import socket
from typing import Any

Message = dict[str, Any]


class Channel:
    """The host's end of the line, over a connected Unix socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._rest = b""

    def fileno(self) -> int:
        """For pollers: readable when there is something new."""
        return self._connection.fileno()

    def say(self, message: Message) -> None:
        """Send a message."""
        self._connection.sendall(json.dumps(message).encode() + b"\n")

    def hear(self) -> Message:
        """The next message, once it is there. Raises ConnectionError when there will be none."""
        while b"\n" not in self._rest:
            self._receive()
        return self._next()

    def new(self) -> list[Message]:
        """Those that have come, once there is something to read."""
        self._receive()
        return self.left()

    def left(self) -> list[Message]:
        """Those that came along with the one heard last."""
        found = []
        while b"\n" in self._rest:
            found.append(self._next())
        return found

    def _receive(self) -> None:
        received = self._connection.recv(65536)
        if not received:
            raise ConnectionError("nobody is on the line any more")
        self._rest += received

    def _next(self) -> Message:
        line, self._rest = self._rest.split(b"\n", 1)
        message: Message = json.loads(line)
        return message
