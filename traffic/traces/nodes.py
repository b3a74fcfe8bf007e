"""A rank's nodes, as a file has them, in the order and with the edges of the common form.

What costs nothing is left out, and what waited for it waits for what it waited for. Compute that only
follows compute of the same stream becomes one node with it. Neither changes when anything may start.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from traffic.traces.form import Compute, TimeSpan, TracedTransfer
from traffic.traces.recording import GroupWork, RawNode, RawWork, Recording, rejected


@dataclass(frozen=True)
class Preceded:
    """A node with its predecessors by index; its collective still names its group."""

    name: str
    after: tuple[int, ...]
    stream: str
    work: RawWork
    measured: TimeSpan | None


def ordered(recording: Recording) -> list[Preceded]:
    """The recording's nodes, each after those that it waits for. Raises InvalidInput for a cycle.

    Dependencies on nodes that the file does not have are counted as ignored.
    """
    known = {node.key for node in recording.nodes}
    for node in recording.nodes:
        lost = [key for key in node.after if key not in known]
        if lost:
            recording.ignored["dependencies on what is not in the file"] += len(lost)
            node.after = [key for key in node.after if key in known]
    return _merged(_without_nothing(_in_turn(_sorted(recording.nodes, recording.file))))


def _sorted(nodes: Sequence[RawNode], file: Path) -> list[RawNode]:
    """Each node after those it waits for, otherwise in the file's order [Kahn 1962]."""
    place = {node.key: index for index, node in enumerate(nodes)}
    waits = [len(set(node.after)) for node in nodes]
    unlocks: list[list[int]] = [[] for _ in nodes]
    for index, node in enumerate(nodes):
        for key in set(node.after):
            unlocks[place[key]].append(index)
    ready = [index for index, count in enumerate(waits) if not count]
    found = []
    while ready:
        index = heapq.heappop(ready)
        found.append(nodes[index])
        for other in unlocks[index]:
            waits[other] -= 1
            if not waits[other]:
                heapq.heappush(ready, other)
    if len(found) < len(nodes):
        stuck = next(node for node, count in zip(nodes, waits, strict=True) if count)
        raise rejected(
            file, "nodes wait for each other in a circle", found=f"{stuck.name} ({stuck.key})"
        )
    return found


def _in_turn(nodes: Sequence[RawNode]) -> Sequence[RawNode]:
    """Collectives of a group, and messages to or from one rank, follow one another: both sides have
    them in the same order."""
    last: dict[Hashable, Hashable] = {}
    for node in nodes:
        if isinstance(node.work, GroupWork | TracedTransfer):
            line = _line(node.work)
            before = last.get(line)
            if before is not None and before not in node.after:
                node.after = [*node.after, before]
            last[line] = node.key
    return nodes


def _line(work: GroupWork | TracedTransfer) -> Hashable:
    if isinstance(work, GroupWork):
        return work.group
    return work.direction, work.peer, work.tag


def _without_nothing(nodes: Sequence[RawNode]) -> list[Preceded]:
    """Indexed, without what costs nothing, but where it joins many for many."""
    followers: dict[Hashable, int] = {}
    for node in nodes:
        for key in set(node.after):
            followers[key] = followers.get(key, 0) + 1
    found: list[Preceded] = []
    stands_for: dict[Hashable, tuple[int, ...]] = {}
    for node in nodes:
        after = tuple(sorted({index for key in node.after for index in stands_for[key]}))
        nothing = node.work is None or node.work == Compute(0)
        if nothing and (len(after) < 2 or followers.get(node.key, 0) < 2):
            stands_for[node.key] = after
            continue
        stands_for[node.key] = (len(found),)
        found.append(
            Preceded(node.name, after, node.stream, node.work or Compute(0), node.measured)
        )
    return found


def _merged(steps: Sequence[Preceded]) -> list[Preceded]:
    """Runs of compute as one node each, under the name of the first."""
    followers = [0] * len(steps)
    for step in steps:
        for index in step.after:
            followers[index] += 1
    found: list[Preceded] = []
    place: list[int] = []
    for step in steps:
        before = _runs_on_from(step, steps, followers)
        if before is None:
            place.append(len(found))
            found.append(replace(step, after=tuple(sorted({place[i] for i in step.after}))))
        else:
            place.append(place[before])
            found[place[before]] = _joined(found[place[before]], step)
    return found


def _runs_on_from(
    step: Preceded, steps: Sequence[Preceded], followers: Sequence[int]
) -> int | None:
    if len(step.after) != 1 or not isinstance(step.work, Compute):
        return None
    before = steps[step.after[0]]
    alone = followers[step.after[0]] == 1
    same = isinstance(before.work, Compute) and before.stream == step.stream
    return step.after[0] if alone and same else None


def _joined(first: Preceded, second: Preceded) -> Preceded:
    assert isinstance(first.work, Compute)
    assert isinstance(second.work, Compute)
    measured = None
    if first.measured and second.measured:
        measured = TimeSpan(first.measured.start_ns, second.measured.end_ns)
    return replace(first, work=Compute(first.work.ns + second.work.ns), measured=measured)
