"""Messages in parts of whole packets, and what a part costs at each hop: as fine as a course allows.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from traffic.model.course import Crossing, Tolls
from traffic.model.pacing import Departure

MOST_PARTS = 32
"""Of a message."""
MOST_CROSSINGS = 100_000
"""Of wires by parts, in all: messages have fewer parts where there are many."""
Crossings: TypeAlias = "tuple[int, float, float, float, Crossings | None]"
"""A crossing, and those after it."""
Message: TypeAlias = tuple[int, int]
"""By its connection's number and its bytes."""


@dataclass(frozen=True)
class Divided:
    """A message in `count` parts, all of `size_bytes` but the last: what either costs at each hop, and how it sets out
    if its connection is paced."""

    count: int
    size_bytes: int
    last_bytes: int
    first: Crossings
    last: Crossings
    first_departure: Departure | None
    last_departure: Departure | None


def most_parts(messages: Mapping[Message, int], tolls: Tolls) -> int:
    """In how many parts a message may be: one where they are very many, or do not share as TCP does."""
    if not tolls.wires.windowed:
        return 1
    packet_bytes = tolls.wires.framing.payload_bytes
    most = MOST_PARTS
    while most > 1:
        crossings = sum(
            times
            * len(tolls.routes[connection])
            * _count(size_bytes, _part_bytes(size_bytes, packet_bytes, most))
            for (connection, size_bytes), times in messages.items()
        )
        if crossings <= MOST_CROSSINGS:
            break
        most //= 2
    return most


def _part_bytes(size_bytes: int, packet_bytes: int, most: int) -> int:
    """Of a message in at most so many parts: whole packets."""
    packets = max(1, -(-size_bytes // packet_bytes))
    return -(-packets // most) * packet_bytes


def _count(size_bytes: int, part_bytes: int) -> int:
    return max(1, -(-size_bytes // part_bytes))


def cut(tolls: Tolls, message: Message, most: int) -> Divided:
    """A message in at most so many parts."""
    connection, size_bytes = message
    part_bytes = _part_bytes(size_bytes, tolls.wires.framing.payload_bytes, most)
    count = _count(size_bytes, part_bytes)
    first_bytes, last_bytes = min(part_bytes, size_bytes), size_bytes - (count - 1) * part_bytes
    first, last = (_chain(tolls.cost(connection, own)) for own in (first_bytes, last_bytes))
    departures = (tolls.departure(connection, own) for own in (first_bytes, last_bytes))
    return Divided(count, first_bytes, last_bytes, first, last, *departures)


def _chain(crossings: Sequence[Crossing]) -> Crossings:
    *before, last = crossings
    chain: Crossings = (*last, None)
    for crossing in reversed(before):
        chain = (*crossing, chain)
    return chain
