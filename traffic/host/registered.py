"""Registered memory of a queue pair: where messages come from and go to. Standard library alone.

Two kinds with the same methods. `Nowhere` is for bytes that nobody reads: all queue pairs of a host share it,
and what has come is counted. `Slots` keeps them: a message is copied into a slot before it is sent, and
stays in one until it is taken.
"""

from __future__ import annotations

import mmap
from collections import deque
from typing import Protocol

from traffic.host.verbs import Device, QueuePair, Region

PIECE_BYTES = 1 << 20
"""Of bytes that nobody reads: at most so many are one message."""
SLOT_BYTES = 1 << 15
"""Of bytes that are kept."""
RECEIVES = 128
"""Posted ahead for bytes that nobody reads; each is posted again as soon as it is used."""
PARTS = 2
"""Requests per message, at most."""


class Room(Protocol):
    """What a connection asks of its memory. `sends` and `receives` are how many requests it is for."""

    sends: int
    receives: int
    piece_bytes: int

    def offer(self, pair: QueuePair, number: int) -> None:
        """Post a receive."""

    def filled(self, data: memoryview) -> tuple[Region, int]:
        """Where a message of these bytes may be sent from: a region, and an offset."""

    def came(self, pair: QueuePair, number: int, size: int) -> None:
        """A message has come into a receive."""

    def has_come(self) -> bool:
        """Whether there is something to take."""

    def taken(self, pair: QueuePair, most: int, into: memoryview | None) -> int:
        """Take as much as there is, at most `most` bytes, into somewhere or nowhere; how much."""

    def close(self) -> None:
        """Let go of it, once the queue pair is closed."""


class Nowhere:
    """Counts."""

    piece_bytes = PIECE_BYTES

    def __init__(self, region: Region, depth: int) -> None:
        self.sends = PARTS * depth
        self.receives = RECEIVES
        self._region = region
        self._come = 0

    def offer(self, pair: QueuePair, number: int) -> None:
        """Post a receive."""
        pair.receive(number, self._region, 0, PIECE_BYTES)

    def filled(self, data: memoryview) -> tuple[Region, int]:  # noqa: ARG002 (nobody reads it)
        """Any memory will do."""
        return self._region, 0

    def came(self, pair: QueuePair, number: int, size: int) -> None:
        """A message has come into a receive, which is free again."""
        self._come += size
        self.offer(pair, number)

    def has_come(self) -> bool:
        """Whether there is something to take."""
        return self._come > 0

    def taken(self, pair: QueuePair, most: int, into: memoryview | None) -> int:  # noqa: ARG002
        """Take as much as there is, at most `most` bytes; how much."""
        count = min(most, self._come)
        self._come -= count
        return count

    def close(self) -> None:
        """The region is the host's."""


class Slots:
    """Keeps: `sent` and `received` messages at a time, one of them where there is no such direction."""

    piece_bytes = SLOT_BYTES

    def __init__(self, device: Device, sent: int, received: int) -> None:
        self.sends = PARTS * sent
        self.receives = PARTS * received
        self._out = device.register(memoryview(mmap.mmap(-1, SLOT_BYTES * sent)))
        self._in = device.register(memoryview(mmap.mmap(-1, SLOT_BYTES * self.receives)))
        self._next = 0
        self._filled: deque[tuple[int, int]] = deque()  # the number of a slot, the size
        self._taken_bytes = 0  # of the first

    def offer(self, pair: QueuePair, number: int) -> None:
        """Post a receive."""
        pair.receive(number, self._in, number * SLOT_BYTES, SLOT_BYTES)

    def filled(self, data: memoryview) -> tuple[Region, int]:
        """Copied into the next slot: messages are acknowledged in their order."""
        offset = self._next * SLOT_BYTES
        self._next = (self._next + 1) % (self.sends // PARTS)
        self._out.memory[offset : offset + len(data)] = data
        return self._out, offset

    def came(self, pair: QueuePair, number: int, size: int) -> None:  # noqa: ARG002
        """A message has come into a receive, and stays there."""
        self._filled.append((number, size))

    def has_come(self) -> bool:
        """Whether there is something to take."""
        return bool(self._filled)

    def taken(self, pair: QueuePair, most: int, into: memoryview | None) -> int:
        """Take as much as one slot has, at most `most` bytes, into somewhere or nowhere; how much."""
        if not self._filled:
            return 0
        number, size = self._filled[0]
        begin = number * SLOT_BYTES + self._taken_bytes
        count = min(most, size - self._taken_bytes)
        if into is not None:
            into[:count] = self._in.memory[begin : begin + count]
        self._taken_bytes += count
        if self._taken_bytes == size:
            self._filled.popleft()
            self._taken_bytes = 0
            self.offer(pair, number)
        return count

    def close(self) -> None:
        """Let go of it, once the queue pair is closed."""
        self._out.close()
        self._in.close()
