"""Where the blocks of an all-to-all lie in a rank's buffer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from traffic.collectives.building import Builder
from traffic.collectives.options import Counts, Options
from traffic.schedule import ELEMENT_BYTES, Piece


@dataclass(frozen=True)
class Blocks:
    """First a rank's input, its blocks by their sinks; then, from the same byte on for all ranks, its
    output, blocks by their sources; behind that, room for blocks that wait to be passed on.

    A rank's block for itself stays in the input: nothing is carried inside a host.
    """

    counts: Counts
    offset: int = 0

    @classmethod
    def of(cls, build: Builder, members: Sequence[int], piece: Piece) -> Blocks:
        """The blocks of an all-to-all among `members`, each of which sends `piece.size` bytes."""
        return cls(counts(len(members), piece.size, build.options), piece.offset)

    @property
    def _output(self) -> int:
        return self.offset + max(map(sum, self.counts))

    @property
    def _waiting(self) -> int:
        return self._output + max(map(sum, zip(*self.counts, strict=True)))

    def input(self, source: int, sink: int) -> Piece:
        """The block from `source` to `sink`, at its source."""
        row = self.counts[source]
        return Piece(self.offset + sum(row[:sink]), row[sink])

    def output(self, source: int, sink: int) -> Piece:
        """The same block at its sink."""
        before = sum(row[sink] for row in self.counts[:source])
        return Piece(self._output + before, self.counts[source][sink])

    def waiting(self, far: int, hops: int) -> int:
        """Where a block that goes `far` ranks waits after so many hops."""
        longest = max(map(max, self.counts))
        return self._waiting + (2 * far + hops % 2) * longest


def counts(ranks: int, size_bytes: int, options: Options) -> Counts:
    """Bytes from each rank to each other: as the options say, or equal shares of `size_bytes`, rounded
    down to whole elements."""
    if options.counts:
        return options.counts
    return ((size_bytes // ranks // ELEMENT_BYTES * ELEMENT_BYTES,) * ranks,) * ranks
