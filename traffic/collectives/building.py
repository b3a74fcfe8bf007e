"""Builds a schedule out of messages; finds out by itself which operation must wait for which.

An algorithm says in steps who sends which bytes to whom. From the bytes that operations of a rank read
and write follow their dependencies: a send waits for what it passes on, a write for those who still
read. Segments and channels are cut here, for every algorithm alike: a rank passes on a segment as soon
as it has it.

No schedule built so can deadlock. Operations depend on earlier steps, reductions and copies on sends of
their own step too; reductions take their bytes whenever they come, and no copy writes what its rank sends
in the same step. So the earliest message that is not through can always move, however little a
connection holds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from traffic.collectives.options import Layout, Options
from traffic.schedule import Kind, Op, Piece, Schedule

PIPELINE_SEGMENTS = 16
PIPELINE_LEAST_BYTES = 16 * 1024
MOST_OPERATIONS = 600_000
"""Of all ranks, in one schedule: some 20 s and 1 GB. A ring of 540 hosts has as many."""


@dataclass(frozen=True)
class Message:
    """`piece` of `source`'s buffer goes to `sink`, to be copied or added at `to`, on a lane (a set of
    channels) of its own."""

    source: int
    sink: int
    piece: Piece
    kind: Kind
    to: int
    lane: int = 0

    def parts(self, channels: int, segment_bytes: int | None) -> Iterator[tuple[int, Piece, int]]:
        """Its parts as (channel, piece at the source, offset at the sink); empty ones are left out."""
        for number, share in enumerate(self.piece.cut(channels)):
            segments = -(-share.size // segment_bytes) if segment_bytes else 1
            for part in share.cut(max(segments, 1)):
                if part.size:
                    at = self.to + part.offset - self.piece.offset
                    yield self.lane * channels + number, part, at


def copy(source: int, sink: int, piece: Piece, to: int | None = None, lane: int = 0) -> Message:
    """`sink` gets a copy, in the same place if not said otherwise."""
    return Message(source, sink, piece, "copy", piece.offset if to is None else to, lane)


def reduce(source: int, sink: int, piece: Piece, lane: int = 0) -> Message:
    """`sink` adds it to its own."""
    return Message(source, sink, piece, "reduce", piece.offset, lane)


@dataclass
class _Cell:
    """Bytes with one history: who wrote them last, what whoever adds to them must wait for, and who has
    read them since."""

    written: list[int] = field(default_factory=list)
    guards: list[int] = field(default_factory=list)
    readers: list[int] = field(default_factory=list)
    summing: bool = False

    def twin(self) -> _Cell:
        return _Cell(list(self.written), list(self.guards), list(self.readers), self.summing)

    def read(self, index: int) -> list[int]:
        """A send reads; returns what it waits for."""
        self.readers.append(index)
        return self.written

    def overwrite(self, index: int) -> list[int]:
        before = self.readers or self.written
        self.written, self.guards, self.readers, self.summing = [index], [], [], False
        return before

    def add(self, index: int) -> list[int]:
        """Sums do not wait for each other: any order gives the same."""
        if self.readers or not self.summing:
            self.guards = self.readers or self.written
            self.written, self.readers, self.summing = [index], [], True
        else:
            self.written.append(index)
        return self.guards


class _Rank:
    """The operations of one rank so far, and the history of its buffer."""

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self._edges = [0]
        self._cells = [_Cell()]
        self._fenced: Sequence[int] = ()
        self._fence = 0

    def add(self, kind: Kind, peer: int, piece: Piece, channel: int) -> None:
        index = len(self.ops)
        after = set(self._fenced)
        for cell in self._cells[self._split(piece.offset) : self._split(piece.end)]:
            do = {"send": cell.read, "copy": cell.overwrite, "reduce": cell.add}[kind]
            after.update(do(index))
        self.ops.append(Op(kind, peer, *piece, tuple(sorted(after)), channel))

    def fence(self) -> None:
        if self._fence < len(self.ops):
            self._fenced = range(self._fence, len(self.ops))
            self._fence = len(self.ops)

    def _split(self, at: int) -> int:
        """The index of the cell that begins at a byte."""
        index = bisect_right(self._edges, at) - 1
        if self._edges[index] == at:
            return index
        self._edges.insert(index + 1, at)
        self._cells.insert(index + 1, self._cells[index].twin())
        return index + 1


class Builder:
    """A schedule in the making, for the ranks of a layout."""

    def __init__(self, layout: Layout, options: Options) -> None:
        self.layout = layout
        self.options = options
        self._ranks = [_Rank() for _ in layout.campuses]
        self._count = 0

    def step(self, messages: Iterable[Message]) -> None:
        """Messages that go at the same time: what they carry is as it was before the step.

        Raises ValueError for a copy onto bytes that its rank sends in this step: unless connections
        hold a whole message, ranks could wait for each other for ever.
        """
        messages = list(messages)
        _forbid_copies_onto_sends(messages)
        cut = [
            (message, part)
            for message in messages
            for part in message.parts(self.options.channels, self.options.segment_bytes)
        ]
        self._count += 2 * len(cut)
        if self._count > MOST_OPERATIONS:
            raise ValueError(
                f"more than {MOST_OPERATIONS:,} operations of {len(self._ranks):,} ranks in one collective: take fewer"
                " hosts, fewer channels, longer segments, or an algorithm of fewer messages"
            )
        for message, (channel, piece, _) in cut:
            self._ranks[message.source].add("send", message.sink, piece, channel)
        for message, (channel, piece, to) in cut:
            self._ranks[message.sink].add(
                message.kind, message.source, Piece(to, piece.size), channel
            )

    def fence(self, ranks: Iterable[int]) -> None:
        """What these ranks do from now on waits until all that they have to do so far is done."""
        for rank in ranks:
            self._ranks[rank].fence()

    def pipeline(self, piece: Piece) -> list[Piece]:
        """A piece in the segments that a tree or a chain passes on one by one, if the options do not
        say which."""
        if self.options.segment_bytes:
            return [piece]
        most = -(-piece.size // PIPELINE_LEAST_BYTES)
        return piece.cut(max(1, min(PIPELINE_SEGMENTS, most)))

    def schedule(self) -> Schedule:
        """All operations so far."""
        return tuple(tuple(rank.ops) for rank in self._ranks)


def _forbid_copies_onto_sends(messages: Sequence[Message]) -> None:
    sends: dict[int, list[Piece]] = {}
    for message in messages:
        sends.setdefault(message.source, []).append(message.piece)
    for message in messages:
        target = Piece(message.to, message.piece.size)
        if message.kind == "copy" and any(map(target.overlaps, sends.get(message.sink, ()))):
            raise ValueError(f"rank {message.sink} would overwrite {target} while sending it")
