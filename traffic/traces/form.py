"""The one form of all traces: for every rank, a graph of compute and communication.

Pure data, and what msgspec checks when a stored trace is read back. Sizes follow nccl-tests: what one
rank's larger buffer holds (all that an all-gather gathers, all that a reduce-scatter is given).
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

Op: TypeAlias = Literal[
    "all_reduce", "reduce_scatter", "all_gather", "broadcast", "reduce", "all_to_all", "barrier"
]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**62)]


class Compute(Struct, frozen=True, tag="compute", tag_field="kind"):
    """So long a piece of work, as it was measured."""

    ns: Count


class TracedCollective(Struct, frozen=True, tag="collective", tag_field="kind"):
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


class TracedTransfer(Struct, frozen=True, tag="transfer", tag_field="kind"):
    """A message to or from another rank. Those of equal `tag` between two ranks keep their order."""

    direction: Literal["send", "recv"]
    peer: Count
    size_bytes: Count
    tag: Count = 0


Work: TypeAlias = Compute | TracedCollective | TracedTransfer


class TimeSpan(Struct, frozen=True, array_like=True):
    """When it happened, where the trace says so: nanoseconds from the trace's start."""

    start_ns: int
    end_ns: int


class Busy(Struct, frozen=True, array_like=True):
    """When a rank's GPU computed and when it communicated, as measured: each in order and without overlap."""

    compute: tuple[TimeSpan, ...] = ()
    communication: tuple[TimeSpan, ...] = ()


class Node(Struct, frozen=True, omit_defaults=True):
    """One thing that a rank does, once the rank's nodes numbered `after`, all of them earlier, are done.

    Nodes of one `stream` run one at a time, in the order in which they become ready.
    """

    name: str
    after: tuple[Count, ...]
    stream: str
    work: Work
    measured: TimeSpan | None = None


class Trace(Struct, frozen=True, omit_defaults=True):
    """One iteration: every rank's nodes, by rank, and the groups (ranks, ascending or as listed) in
    which they communicate. `offsets_ns`, where known: when each rank's measured times begin, the first at 0.
    `busy`, where known: what each rank's GPU did when."""

    groups: tuple[tuple[Count, ...], ...]
    ranks: tuple[tuple[Node, ...], ...]
    offsets_ns: tuple[Count, ...] = ()
    busy: tuple[Busy, ...] = ()
