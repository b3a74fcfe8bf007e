"""Who takes part in a collective, and how it may be carried out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Order = Literal["campus", "rank", "interleaved"]
Counts = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Layout:
    """The campus of each local rank 0, 1, … of a group."""

    campuses: tuple[str, ...]

    @classmethod
    def one_campus(cls, ranks: int) -> Layout:
        """So many ranks next to each other."""
        return cls(("",) * ranks)

    @property
    def ranks(self) -> int:
        """How many take part."""
        return len(self.campuses)

    def groups(self) -> list[tuple[int, ...]]:
        """The ranks of each campus, campuses in the order in which they appear."""
        names = dict.fromkeys(self.campuses)
        return [tuple(r for r, own in enumerate(self.campuses) if own == name) for name in names]


@dataclass(frozen=True)
class Options:
    """How an algorithm is carried out. Each takes those that mean something to it.

    `channels`: connections per pair of ranks, each carrying its share of every message.
    `segment_bytes`: longer messages are cut, so that a rank can pass on the first part while it receives
    the next; None: trees and chains choose 16 segments of at least 16 KiB, the others do not cut.
    `root`: of broadcast and reduce, and the first parameter server. `servers`: how many of those.
    `order`: how a ring visits the ranks: campus by campus, as numbered, or (as a scheduler does that
    knows nothing of campuses) from campus to campus at every step.
    `inner`, `outer`: the hierarchical algorithm's algorithms inside a campus and across.
    `counts`: bytes from each rank to each other, for all_to_all; None: equal shares.
    """

    channels: int = 1
    segment_bytes: int | None = None
    root: int = 0
    servers: int = 1
    order: Order = "campus"
    inner: str = "ring"
    outer: str = "ring"
    counts: Counts | None = None


DEFAULTS = Options()
