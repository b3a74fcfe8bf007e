"""Algorithms of a user's own: steps from a file, or a Python function that adds them.

A function is as those of this package are: `f(build, members, piece)`, see `flat.Algorithm`. It is run here and
now, as the user who names it on the command line could have done; no file of ours can name one.
"""

from __future__ import annotations

import importlib.util
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scenario.workload.schedule import BUFFERS, ChunkTransfer, WrittenSchedule, load_schedule
from traffic.collectives.building import Builder, Message
from traffic.collectives.flat import Algorithm
from traffic.schedule import Kind, Piece

MANY = 240  # is divided evenly by most small numbers


def is_own(name: str) -> bool:
    """Whether this names a file rather than an algorithm that we have."""
    return name.endswith((".yaml", ".yml")) or ".py:" in name


@dataclass(frozen=True)
class Own:
    """A user's algorithm, and a number of elements that it can cut evenly."""

    algorithm: Algorithm
    elements: int


def load_algorithm(name: str, op: str) -> Own:
    """The algorithm in `FILE.yaml`, or `FILE.py:FUNCTION`.

    Raises InvalidInput for a bad YAML file, ValueError for anything else that is wrong with it.
    """
    if ".py:" in name:
        path, _, function = name.rpartition(":")
        return Own(_function(Path(path), function), MANY)
    written = load_schedule(Path(name))
    if written.op != op:
        raise ValueError(f"{name} is a schedule for {written.op}, not for {op}")
    return Own(_Steps(written).add, written.chunks)


class _Steps:
    """The steps of a file."""

    def __init__(self, written: WrittenSchedule) -> None:
        self.written = written

    def add(self, build: Builder, members: Sequence[int], piece: Piece) -> None:
        """Among as many members as the file says. Raises ValueError for others."""
        written = self.written
        if len(members) != written.ranks:
            raise ValueError(
                f"{written.name} is for {written.ranks} ranks, and there are {len(members)}"
            )
        chunks = piece.cut(written.chunks)
        behind = [piece.size * number for number in range(1, BUFFERS)]
        chunks += [Piece(c.offset + offset, c.size) for offset in behind for c in chunks]
        for step in written.steps:
            build.step(_message(members, chunks, transfer) for transfer in step)


def _message(members: Sequence[int], chunks: Sequence[Piece], transfer: ChunkTransfer) -> Message:
    source = _span(chunks, transfer.chunk, transfer.count)
    sink = _span(chunks, transfer.into, transfer.count)
    if source.size != sink.size:
        raise ValueError(
            f"chunks {transfer.chunk} and {transfer.into} differ in size: choose a size that can be cut evenly"
        )
    kind: Kind = "reduce" if transfer.adds else "copy"
    return Message(members[transfer.source], members[transfer.sink], source, kind, sink.offset)


def _span(chunks: Sequence[Piece], first: int, count: int) -> Piece:
    last = chunks[first + count - 1]
    return Piece(chunks[first].offset, last.end - chunks[first].offset)


def _function(path: Path, name: str) -> Algorithm:
    """A function of a Python file, which is carried out for that."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if not spec or not spec.loader or not path.is_file():
        raise ValueError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ValueError(f"{path} does not run: {type(error).__name__}: {error}") from None
    found = getattr(module, name, None)
    if not callable(found):
        raise ValueError(f"{path} has no function {name}")
    return _guarded(found, path, name)


def _guarded(function: Algorithm, path: Path, name: str) -> Algorithm:
    """The function, with what it raises said as its own, and in which line of its file."""

    def add(build: Builder, members: Sequence[int], piece: Piece) -> None:
        try:
            function(build, members, piece)
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            lines = [frame.lineno for frame in frames if Path(frame.filename).name == path.name]
            where = f" (line {lines[-1]})" if lines else ""
            raise ValueError(f"{path}:{name}: {type(error).__name__}: {error}{where}") from None

    return add
