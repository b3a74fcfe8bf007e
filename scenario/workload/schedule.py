"""The language of schedules: a collective that a user has written down, message by message.

    longhaul: 1
    name: halves
    kind: schedule
    op: all_reduce
    ranks: 2
    chunks: 2
    steps:
      - [{from: 0, to: 1, chunk: 1, do: reduce}, {from: 1, to: 0, chunk: 0, do: reduce}]
      - [{from: 0, to: 1, chunk: 0}, {from: 1, to: 0, chunk: 1}]

A rank's buffer is cut into `chunks` equal parts, numbered from 0. As much again lies behind them, BUFFERS
times in all, for the output of all_to_all and send_recv and for what waits to be passed on. Messages of one
step carry what was there before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from scenario.text.fields import Name, Version
from scenario.text.include import read_document
from scenario.text.shape import examine
from scenario.text.strict import Strict
from scenario.text.tree import Problems

BUFFERS = 8
Index = Annotated[int, Field(ge=0, le=100_000)]


@dataclass(frozen=True)
class ChunkTransfer:
    """`count` chunks from `chunk` on go from `source` to `sink`, to be copied to or added to those from
    `into` on."""

    source: int
    sink: int
    chunk: int
    count: int
    into: int
    adds: bool


@dataclass(frozen=True)
class WrittenSchedule:
    """A collective among `ranks`, whose buffers are cut into `chunks`, step by step."""

    name: str
    op: str
    ranks: int
    chunks: int
    steps: tuple[tuple[ChunkTransfer, ...], ...]


class TransferModel(Strict):
    """One message."""

    source: Annotated[Index, Field(alias="from")]
    """The rank that sends."""
    to: Index
    """The rank that receives."""
    chunk: Index
    """The first chunk that is sent."""
    count: Annotated[int, Field(ge=1, le=100_000)] = 1
    """How many chunks."""
    into: Index | None = None
    """The first chunk that is written, if it is another."""
    do: Literal["copy", "reduce"] = "copy"
    """What the receiver does: write over its own, or add to it."""


class ScheduleModel(Strict):
    """A collective, message by message."""

    longhaul: Version
    """Version of this language."""
    name: Name
    """Name of the schedule."""
    description: str = ""
    """What it is, for people."""
    kind: Literal["schedule"]
    """That it is a schedule."""
    op: Literal[
        "all_reduce", "reduce_scatter", "all_gather", "broadcast", "reduce", "all_to_all", "barrier",
        "send_recv",
    ]  # fmt: skip
    """The collective that it is meant to be; that is checked."""
    ranks: Annotated[int, Field(ge=1, le=10_000)]
    """How many ranks take part."""
    chunks: Annotated[int, Field(ge=1, le=100_000)]
    """Into how many equal parts a buffer is cut."""
    steps: Annotated[list[list[TransferModel]], Field(max_length=100_000)]
    """Messages, in steps."""


def load_schedule(path: Path) -> WrittenSchedule:
    """The schedule in a file. Raises InvalidInput."""
    document = read_document(path)
    problems = Problems(document.root)
    written, malformed = examine(document.root, ScheduleModel)
    problems.found += malformed
    problems.stop()
    assert written is not None
    _check(written, problems)
    problems.stop()
    steps = tuple(tuple(map(_transfer, step)) for step in written.steps)
    return WrittenSchedule(written.name, written.op, written.ranks, written.chunks, steps)


def _transfer(written: TransferModel) -> ChunkTransfer:
    into = written.chunk if written.into is None else written.into
    adds = written.do == "reduce"
    return ChunkTransfer(written.source, written.to, written.chunk, written.count, into, adds)


def _check(written: ScheduleModel, problems: Problems) -> None:
    """Complain about ranks and chunks that there are not."""
    for number, step in enumerate(written.steps):
        for place, transfer in enumerate(step):
            for key, message, expected in _complaints(written, transfer):
                problems.add(("steps", number, place, key), message, expected)


def _complaints(written: ScheduleModel, transfer: TransferModel) -> Iterator[tuple[str, str, str]]:
    last = f"0 to {written.ranks - 1}"
    for key, rank in (("from", transfer.source), ("to", transfer.to)):
        if rank >= written.ranks:
            yield key, "no such rank", last
    if transfer.source == transfer.to:
        yield "to", "a rank that sends to itself", f"another rank than {transfer.source}"
    for key, chunk in (("chunk", transfer.chunk), ("into", transfer.into or 0)):
        if chunk + transfer.count > BUFFERS * written.chunks:
            yield key, "chunks beyond the buffers", f"at most chunk {BUFFERS * written.chunks - 1}"
