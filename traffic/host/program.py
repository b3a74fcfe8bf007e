"""What one rank's agent is told to do: the one form, its writer and its reader. Standard library alone.

A program is a list of tasks per iteration. As JSON, operations are rows, since a program has thousands.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, TypeAlias

from traffic.host.transport import Path, Settings, read_settings
from traffic.schedule import Op, Result


@dataclass(frozen=True)
class ComputeTask:
    """So many nanoseconds of compute, once the tasks `after` are done. Events call it `number`; None: by
    its place among the tasks. Tasks of one `stream` are carried out one after another."""

    ns: int
    after: tuple[int, ...] = ()
    stream: str = "compute"
    number: int | None = None


@dataclass(frozen=True)
class IdleTask:
    """So long the rank does nothing: `ns` in the first iteration, `again_ns` in every other. It leaves no event, and
    whoever computes more slowly is idle as long."""

    ns: int
    again_ns: int
    after: tuple[int, ...] = ()
    stream: str = "idle"
    number: int | None = None


@dataclass(frozen=True)
class CollectiveTask:
    """A rank's part in a collective of `size_bytes`, and what it must hold at the end."""

    size_bytes: int
    ops: tuple[Op, ...]
    results: tuple[Result, ...] = ()
    after: tuple[int, ...] = ()
    stream: str = "collective"
    number: int | None = None


Task: TypeAlias = ComputeTask | IdleTask | CollectiveTask


@dataclass(frozen=True)
class Program:
    """A rank's tasks in every one of some iterations; where `addresses[rank]` is, and what carries bytes
    there. `slowdowns` are how many times as long compute takes, by iteration; empty: it never varies.
    `paths` are the ways to all ranks; empty: as the transport's settings say. `numbers`: of the source ports of
    connections to a rank on a channel, as (rank, channel, number); empty: counted."""

    rank: int
    addresses: tuple[str, ...]
    iterations: int
    tasks: tuple[Task, ...]
    transport: Settings
    verify: bool = False
    slowdowns: tuple[float, ...] = ()
    paths: tuple[Path, ...] = ()
    numbers: tuple[tuple[int, int, int], ...] = ()

    @property
    def buffer_bytes(self) -> int:
        """A buffer that holds all that any of the tasks touches."""
        collectives = [task for task in self.tasks if isinstance(task, CollectiveTask)]
        ends = [op.offset + op.size for task in collectives for op in task.ops]
        ends += [one.offset + one.size for task in collectives for one in task.results]
        return max(ends, default=0)

    @property
    def kept_bytes(self) -> int:
        """What it keeps in memory: nothing of what nobody reads; else a buffer for each stream of collectives, and
        for each connection room for the largest message that is to be added."""
        if not self.verify:
            return 0
        collectives = [task for task in self.tasks if isinstance(task, CollectiveTask)]
        aside: dict[tuple[int, int], int] = {}
        for op in (op for task in collectives for op in task.ops if op.kind == "reduce"):
            aside[op.peer, op.channel] = max(aside.get((op.peer, op.channel), 0), op.size)
        return self.buffer_bytes * len({task.stream for task in collectives}) + sum(aside.values())


def written(program: object) -> str:
    """A program as JSON: of the agents, or any other dataclass of dataclasses and plain data."""
    return json.dumps(program, default=vars)


def read(path: FilePath) -> Program:
    """What `written` has written."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return Program(
        **found
        | {
            "addresses": tuple(found["addresses"]),
            "tasks": tuple(map(_task, found["tasks"])),
            "transport": read_settings(found["transport"]),
            "slowdowns": tuple(found["slowdowns"]),
            "paths": tuple(Path(*row) for row in found["paths"]),
            "numbers": tuple((rank, channel, number) for rank, channel, number in found["numbers"]),
        }
    )


def _task(found: dict[str, Any]) -> Task:
    found["after"] = tuple(found["after"])
    if "again_ns" in found:
        return IdleTask(**found)
    if "ns" in found:
        return ComputeTask(**found)
    found["ops"] = tuple(
        Op(kind, peer, offset, size, tuple(after), channel)
        for kind, peer, offset, size, after, channel in found["ops"]
    )
    found["results"] = tuple(
        Result(offset, size, source, tuple(of)) for offset, size, source, of in found["results"]
    )
    return CollectiveTask(**found)
