"""Do the ranks of a trace fit together? What one does in a group, all must; and nobody may wait for ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn, TypeAlias

from msgspec.structs import replace

from traffic.traces.form import Node, Trace, TracedCollective, TracedTransfer
from traffic.traces.recording import rejected

Names = Mapping[int, str]
"""The file of each rank."""

Part: TypeAlias = tuple[int, int]
"""A rank, and the index of one of its nodes."""


def instances(trace: Trace) -> Iterator[tuple[int, list[Part]]]:
    """(group, [(rank, index of its node), …]) of each collective, the ranks as the group lists them.

    Only for traces whose ranks fit together.
    """
    sequences = _sequences(trace)
    for group, ranks in enumerate(trace.groups):
        for parts in zip(*(sequences.get((group, rank), []) for rank in ranks), strict=True):
            yield group, list(zip(ranks, parts, strict=True))


def reconciled(trace: Trace, names: Names) -> tuple[Trace, list[str]]:
    """The trace with one size per collective, the largest that a rank says, and what was said of it.

    Raises InvalidInput where the ranks of a group do not do the same.
    """
    sequences = _sequences(trace)
    for group in range(len(trace.groups)):
        _check_alike(trace, sequences, group, names)
    changed: dict[Part, TracedCollective] = {}
    differing = 0
    for _, parts in instances(trace):
        works = [_collective(trace, *part) for part in parts]
        largest = max(work.size_bytes for work in works)
        uneven = works[0].op == "all_to_all" and all(work.sends for work in works)
        differing += not uneven and any(work.size_bytes != largest for work in works)
        changed |= {
            part: replace(work, size_bytes=largest)
            for part, work in zip(parts, works, strict=True)
            if work.size_bytes != largest
        }
    ranks = [list(nodes) for nodes in trace.ranks]
    for (rank, index), work in changed.items():
        ranks[rank][index] = replace(ranks[rank][index], work=work)
    said = f"{differing} collectives whose ranks differ in size: the largest is taken"
    return replace(trace, ranks=tuple(map(tuple, ranks))), [said] if differing else []


def check_transfers(trace: Trace, names: Names) -> None:
    """Raises InvalidInput unless every message sent is received, in the same size."""
    sent, received = _transfers(trace, "send"), _transfers(trace, "recv")
    for pair in sorted(sent.keys() | received.keys()):
        theirs, ours = sent.get(pair, []), received.get(pair, [])
        if [size for _, size in theirs] != [size for _, size in ours]:
            source, target, _ = pair
            raise rejected(
                Path(names[target]),
                f"rank {target} does not receive from rank {source} what that sends",
                found=f"{len(ours)} messages of {sum(size for _, size in ours)} bytes",
                expected=f"{len(theirs)} messages of {sum(size for _, size in theirs)} bytes",
            )


def check_progress(trace: Trace, names: Names) -> None:
    """Raises InvalidInput if ranks would wait for each other for ever, naming one that would.

    A collective begins when all have entered it; a send is done without its receive.
    """
    meetings = {
        part: parts for _, found in instances(trace) for parts in [tuple(found)] for part in parts
    }
    receives = dict(messages(trace))
    waits = [[len(node.after) for node in nodes] for nodes in trace.ranks]
    for rank, index in receives.values():
        waits[rank][index] += 1
    followers = [_followers(nodes) for nodes in trace.ranks]
    ready = [
        (r, i) for r, counts in enumerate(waits) for i, count in enumerate(counts) if not count
    ]
    entered: Counter[Part] = Counter()
    done = 0
    while ready:
        part = ready.pop()
        everybody = meetings.get(part, (part,))
        entered[everybody[0]] += 1
        if entered[everybody[0]] < len(everybody):
            continue
        done += len(everybody)
        for rank, index in everybody:
            unlocked = [(rank, other) for other in followers[rank][index]]
            unlocked += [receives[rank, index]] if (rank, index) in receives else []
            for there, other in unlocked:
                waits[there][other] -= 1
                if not waits[there][other]:
                    ready.append((there, other))
    if done < sum(map(len, trace.ranks)):
        _stuck(trace, waits, names)


def _stuck(trace: Trace, waits: Sequence[Sequence[int]], names: Names) -> NoReturn:
    rank = next(rank for rank, counts in enumerate(waits) if any(counts))
    index = next(index for index, count in enumerate(waits[rank]) if count)
    raise rejected(
        Path(names[rank]), f"rank {rank} would wait for ever: the ranks disagree on the order",
        path=f"node {index}", found=trace.ranks[rank][index].name,
    )  # fmt: skip


def messages(trace: Trace) -> Iterator[tuple[Part, Part]]:
    """Each send and the receive that takes it."""
    sent, received = _transfers(trace, "send"), _transfers(trace, "recv")
    for line, sends in sent.items():
        source, target, _ = line
        for (there, _), (here, _) in zip(sends, received[line], strict=True):
            yield (source, there), (target, here)


def _line(rank: int, work: TracedTransfer) -> tuple[int, int, int]:
    """Source, target and tag of a message."""
    ends = (rank, work.peer) if work.direction == "send" else (work.peer, rank)
    return (*ends, work.tag)


def _followers(nodes: Sequence[Node]) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in nodes]
    for index, node in enumerate(nodes):
        for before in node.after:
            found[before].append(index)
    return found


def _sequences(trace: Trace) -> dict[tuple[int, int], list[int]]:
    """Nodes of each (group, rank), in order."""
    found: dict[tuple[int, int], list[int]] = {}
    for rank, nodes in enumerate(trace.ranks):
        for index, node in enumerate(nodes):
            if isinstance(node.work, TracedCollective):
                found.setdefault((node.work.group, rank), []).append(index)
    return found


def _check_alike(
    trace: Trace, sequences: Mapping[tuple[int, int], list[int]], group: int, names: Names
) -> None:
    first, *others = trace.groups[group]
    expected = [_collective(trace, first, i).op for i in sequences.get((group, first), [])]
    for rank in others:
        ops = [_collective(trace, rank, i).op for i in sequences.get((group, rank), [])]
        if ops == expected:
            continue
        at = next((i for i, (a, b) in enumerate(zip(ops, expected, strict=False)) if a != b), None)
        if at is None:
            found, wanted = f"{len(ops)} collectives", f"{len(expected)}, as rank {first}"
        else:
            found = f"{ops[at]} as number {at + 1}"
            wanted = f"{expected[at]}, as rank {first}"
        raise rejected(
            Path(names[rank]),
            f"rank {rank} does not do in its group what rank {first} does",
            path=f"group of {len(others) + 1} ranks", found=found, expected=wanted,
            hint="do all files cover the same steps?",
        )  # fmt: skip


def _transfers(trace: Trace, direction: str) -> dict[tuple[int, int, int], list[tuple[int, int]]]:
    """(index, bytes) of the messages of each source, target and tag."""
    found: dict[tuple[int, int, int], list[tuple[int, int]]] = {}
    for rank, nodes in enumerate(trace.ranks):
        for index, node in enumerate(nodes):
            if isinstance(node.work, TracedTransfer) and node.work.direction == direction:
                line = found.setdefault(_line(rank, node.work), [])
                line.append((index, node.work.size_bytes))
    return found


def _collective(trace: Trace, rank: int, index: int) -> TracedCollective:
    work = trace.ranks[rank][index].work
    assert isinstance(work, TracedCollective)
    return work
