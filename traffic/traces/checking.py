"""The border of the importers: whatever a file says, what leaves here can be counted, sent and printed.

Each reader takes types as they are written; here every number of every node is held against what it can be, in one
place for all formats. Nothing is mended in silence.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NoReturn

from traffic.traces.form import Compute, TimeSpan, TracedTransfer
from traffic.traces.recording import GroupWork, RawNode, Recording, rejected

MOST_RANKS = 100_000
MOST_BYTES = 1 << 50
MOST_NS = 1 << 60
"""Some 36 years."""
LONGEST_NAME = 200
MOST_DIGITS = 18
_WHOLE = re.compile(rf"[0-9]{{1,{MOST_DIGITS}}}")


def whole(text: str) -> int | None:
    """A number as people write it: ASCII digits and not too many. None for anything else."""
    return int(text) if _WHOLE.fullmatch(text) else None


def checked(found: Recording) -> Recording:
    """The recording, if all of it makes sense. Raises InvalidInput that names the node."""
    if not 0 <= (found.rank or 0) < MOST_RANKS:
        raise rejected(
            found.file, f"a file of rank {found.rank}", expected=f"0 to {MOST_RANKS - 1}"
        )
    if not 1 <= (1 if found.world is None else found.world) <= MOST_RANKS:
        raise rejected(found.file, f"a world of {found.world} ranks", expected=f"1 to {MOST_RANKS}")
    known: set[tuple[int, ...]] = set()
    for node in found.nodes:
        _check(node, found, known)
    return found


def _check(node: RawNode, found: Recording, known: set[tuple[int, ...]]) -> None:
    node.name = _name(node.name)
    node.stream = _name(node.stream)
    _check_span(node.measured, node, found)
    work = node.work
    if isinstance(work, Compute):
        _within(work.ns, MOST_NS, "a duration in ns", node, found)
    elif isinstance(work, TracedTransfer):
        _within(work.size_bytes, MOST_BYTES, "a message's bytes", node, found)
        _within(work.peer, MOST_RANKS - 1, "a rank", node, found)
        _within(abs(work.tag), 1 << 62, "a tag", node, found)
        node.work = TracedTransfer(work.direction, work.peer, work.size_bytes, abs(work.tag))
    elif isinstance(work, GroupWork):
        _check_group(work, node, found, known)
        node.work = replace(work, dtype=_name(work.dtype))


def _check_group(
    work: GroupWork, node: RawNode, found: Recording, known: set[tuple[int, ...]]
) -> None:
    _within(work.input_bytes, MOST_BYTES, "a collective's bytes", node, found)
    _within(work.root, MOST_RANKS - 1, "a root", node, found)
    for size in work.sends:
        _within(size, MOST_BYTES, "the bytes for a rank", node, found)
    ranks = work.group.ranks
    if ranks in known:
        return
    for rank in ranks:
        _within(rank, MOST_RANKS - 1, "a rank of a group", node, found)
    if len(set(ranks)) < len(ranks):
        _reject("a group that has a rank twice", str(list(ranks))[:60], "", node, found)
    known.add(ranks)


def _check_span(span: TimeSpan | None, node: RawNode, found: Recording) -> None:
    if span is None:
        return
    for moment in (span.start_ns, span.end_ns):
        _within(abs(moment), MOST_NS, "a time in ns", node, found)
    if span.end_ns < span.start_ns:
        text = f"{span.start_ns} to {span.end_ns} ns"
        _reject("something that ends before it begins", text, "", node, found)


def _within(value: int, most: int, what: str, node: RawNode, found: Recording) -> None:
    if not 0 <= value <= most:
        _reject(f"{what} out of bounds", _short(value), f"0 to {most}", node, found)


def _reject(message: str, value: str, expected: str, node: RawNode, found: Recording) -> NoReturn:
    path = f"node {node.key} ({node.name[:40]})"
    raise rejected(found.file, message, path=path, found=value, expected=expected)


def _short(value: int) -> str:
    """A number as text; of one that is very long, its length. (Python prints at most 4,300 digits.)"""
    return str(value) if abs(value) < 10**24 else f"a number of {value.bit_length()} bits"


def _name(text: str) -> str:
    """Text that can be written as UTF-8, and is no longer than anybody reads."""
    return text[:LONGEST_NAME].encode("utf-8", "replace").decode("utf-8")
