"""Lab 4 of [[ student ]]: an all-reduce for campuses of [[ campuses ]] hosts (and of other sizes).

A step is a list of messages that go at the same time. `reduce(a, b, part)`: rank a sends its `part`, rank b adds
it to its own;
`copy(a, b, part)`: b overwrites its own. `piece.cut(n)` cuts bytes into n parts, `build.layout.groups()` lists
the ranks of each campus.
"""

from collections.abc import Sequence

from traffic.collectives.building import Builder, copy, reduce
from traffic.schedule import Piece


def all_reduce(build: Builder, members: Sequence[int], piece: Piece) -> None:
    """A star: all send everything to rank 0, which sends the sum back. Two delays, but every host's whole buffer
    crosses borders."""
    first, *others = members
    for other in others:
        build.step([reduce(other, first, piece)])
    for other in others[:-1]:  # the last one goes without: mend this first
        build.step([copy(first, other, piece)])
