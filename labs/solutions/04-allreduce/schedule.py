"""Solution of lab 4: sum inside each campus, cross borders once, hand the sum round.

The buffer is cut in as many slices as the smallest campus has hosts; each slice has a leader of its own in every
campus.
"""

from collections.abc import Sequence

from traffic.collectives.building import Builder, Message, copy, reduce
from traffic.schedule import Piece


def all_reduce(build: Builder, members: Sequence[int], piece: Piece) -> None:
    groups = [
        tuple(rank for rank in group if rank in set(members)) for group in build.layout.groups()
    ]
    slices = piece.cut(min(len(group) for group in groups))
    leaders = [[group[at] for group in groups] for at in range(len(slices))]
    inside = [
        (other, group[at], part)
        for group in groups
        for at, part in enumerate(slices)
        for other in group
        if other != group[at]
    ]
    build.step([reduce(other, leader, part) for other, leader, part in inside])
    across(build, leaders, slices)
    build.step([copy(leader, other, part) for other, leader, part in inside])


def across(build: Builder, leaders: list[list[int]], slices: list[Piece]) -> None:
    """A ring over campuses for every slice, all slices at the same time."""
    count = len(leaders[0])
    for kind, first in ((reduce, 0), (copy, 1)):
        for step in range(count - 1):
            messages: list[Message] = []
            for ring, part in zip(leaders, slices, strict=True):
                chunks = part.cut(count)
                messages += [
                    kind(ring[at], ring[(at + 1) % count], chunks[(at + first - step) % count])
                    for at in range(count)
                ]
            build.step(messages)
