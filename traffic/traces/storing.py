"""A trace in a file beside its workload: gzipped JSON, checked when it is read back.

Ranks that do the same thing share its description, so a trace of many alike ranks stays small.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Literal

import msgspec

from traffic.traces.form import Count, Node, Trace
from traffic.traces.json_text import contents, decode
from traffic.traces.recording import rejected

SUFFIX = ".trace.json.gz"


class Stored(msgspec.Struct, frozen=True):
    """The file. `ranks` are indices of `nodes`, for each rank those that it has, in its order."""

    longhaul_trace: Literal[1]
    groups: tuple[tuple[Count, ...], ...]
    nodes: tuple[Node, ...]
    ranks: tuple[tuple[Count, ...], ...]
    offsets_ns: tuple[Count, ...] = ()


def save(trace: Trace, file: Path) -> None:
    """Write it; the same trace gives the same bytes. Raises OSError."""
    numbers: dict[int, int] = {}
    nodes: list[Node] = []
    for node in (node for own in trace.ranks for node in own):
        if id(node) not in numbers:
            numbers[id(node)] = len(nodes)
            nodes.append(node)
    ranks = tuple(tuple(numbers[id(node)] for node in own) for own in trace.ranks)
    stored = Stored(1, trace.groups, tuple(nodes), ranks, trace.offsets_ns)
    text = msgspec.json.encode(stored)
    with file.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
        packed.write(text)


def load(file: Path) -> Trace:
    """Read it back. Raises InvalidInput."""
    stored = decode(contents(file), Stored, file)
    if any(index >= len(stored.nodes) for own in stored.ranks for index in own):
        raise rejected(file, "a rank has a node that is not there", path="ranks")
    trace = Trace(
        stored.groups,
        tuple(tuple(stored.nodes[index] for index in own) for own in stored.ranks),
        stored.offsets_ns,
    )
    _check(trace, file)
    return trace


def _check(trace: Trace, file: Path) -> None:
    if len(trace.offsets_ns) not in (0, len(trace.ranks)):
        raise rejected(file, "not one offset for each rank", path="offsets_ns")
    for rank, nodes in enumerate(trace.ranks):
        for index, node in enumerate(nodes):
            place = f"rank {rank}, node {index}"
            if any(before >= index for before in node.after):
                raise rejected(file, "a node waits for a later one", path=place)
            group = getattr(node.work, "group", None)
            if group is not None and not (
                group < len(trace.groups) and rank in trace.groups[group]
            ):
                raise rejected(file, "a rank is in a group that it is not in", path=place)
            if getattr(node.work, "peer", 0) >= len(trace.ranks):
                raise rejected(file, "a message to a rank that is not there", path=place)
