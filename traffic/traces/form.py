"""The one form of all traces: for every rank, a graph of compute and communication.

Pure data, and what msgspec checks when a stored trace is read back. Sizes follow nccl-tests: what one
rank's larger buffer holds (all that an all-gather gathers, all that a reduce-scatter is given).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

Op: TypeAlias = Literal[
    "all_reduce", "reduce_scatter", "all_gather", "broadcast", "reduce", "all_to_all", "barrier"
]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**62)]


@dataclass(frozen=True)
class Compute:
    """So long a piece of work, as it was measured."""

    ns: Count


@dataclass(frozen=True)
class Collective:
    """A rank's part in a collective of group `group`.

    `root` counts within the group. `sends`, of an all-to-all: the bytes for each rank of the group, or
    empty where all get the same.
    """

    op: Op
    size_bytes: Count
    group: Count
    dtype: str = ""
    root: Count = 0
    sends: tuple[Count, ...] = ()


@dataclass(frozen=True)
class Transfer:
    """A message to or from another rank. Those of equal `tag` between two ranks keep their order."""

    direction: Literal["send", "recv"]
    peer: Count
    size_bytes: Count
    tag: Count = 0


Work: TypeAlias = Compute | Collective | Transfer


@dataclass(frozen=True)
class Span:
    """When it happened, where the trace says so: nanoseconds from the trace's start."""

    start_ns: int
    end_ns: int


@dataclass(frozen=True)
class Node:
    """One thing that a rank does, once the rank's nodes numbered `after`, all of them earlier, are done.

    Nodes of one `stream` run one at a time, in the order in which they become ready.
    """

    name: str
    after: tuple[Count, ...]
    stream: str
    work: Work
    measured: Span | None = None


@dataclass(frozen=True)
class Trace:
    """One iteration: every rank's nodes, by rank, and the groups (ranks, ascending or as listed) in
    which they communicate."""

    groups: tuple[tuple[Count, ...], ...]
    ranks: tuple[tuple[Node, ...], ...]
