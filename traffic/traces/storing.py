"""A trace in a file beside its workload: gzipped JSON, checked when it is read back.

Ranks that do the same thing share its description, so a trace of many alike ranks stays small.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Literal

import msgspec

from traffic.traces.form import Busy, Count, Node, Trace
from traffic.traces.json_text import contents, decode
from traffic.traces.recording import rejected

SUFFIX = ".trace.json.gz"


class Stored(msgspec.Struct, frozen=True):
    """The file. `ranks` are indices of `nodes`, for each rank those that it has, in its order;
    `busy_of`, for each rank, that of `busy` which is its own."""

    longhaul_trace: Literal[1]
    groups: tuple[tuple[Count, ...], ...]
    nodes: tuple[Node, ...]
    ranks: tuple[tuple[Count, ...], ...]
    offsets_ns: tuple[Count, ...] = ()
    busy: tuple[Busy, ...] = ()
    busy_of: tuple[Count, ...] = ()


def save(trace: Trace, file: Path) -> None:
    """Write it; the same trace gives the same bytes. Raises OSError."""
    numbers: dict[int, int] = {}
    nodes: list[Node] = []
    for node in (node for own in trace.ranks for node in own):
        if id(node) not in numbers:
            numbers[id(node)] = len(nodes)
            nodes.append(node)
    ranks = tuple(tuple(numbers[id(node)] for node in own) for own in trace.ranks)
    busy = list({id(one): one for one in trace.busy}.values())
    places = {id(one): place for place, one in enumerate(busy)}
    busy_of = tuple(places[id(one)] for one in trace.busy)
    stored = Stored(1, trace.groups, tuple(nodes), ranks, trace.offsets_ns, tuple(busy), busy_of)
    text = msgspec.json.encode(stored)
    with file.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
        packed.write(text)


def load(file: Path) -> Trace:
    """Read it back. Raises InvalidInput."""
    stored = decode(contents(file), Stored, file)
    if any(index >= len(stored.nodes) for own in stored.ranks for index in own):
        raise rejected(file, "a rank has a node that is not there", path="ranks")
    if any(place >= len(stored.busy) for place in stored.busy_of):
        raise rejected(file, "a rank is busy with what is not there", path="busy_of")
    trace = Trace(
        stored.groups,
        tuple(tuple(stored.nodes[index] for index in own) for own in stored.ranks),
        stored.offsets_ns,
        tuple(stored.busy[place] for place in stored.busy_of),
    )
    _check(trace, file)
    return trace


def _check(trace: Trace, file: Path) -> None:
    if len(trace.offsets_ns) not in (0, len(trace.ranks)):
        raise rejected(file, "not one offset for each rank", path="offsets_ns")
    if len(trace.busy) not in (0, len(trace.ranks)):
        raise rejected(file, "not one for each rank", path="busy_of")
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
