"""Which rank a file is of, and how ranks without a file follow from those that have one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from traffic.traces.checking import MOST_RANKS
from traffic.traces.form import TracedTransfer
from traffic.traces.nodes import Preceded
from traffic.traces.recording import EVERYBODY, GroupWork, Recording, rejected

Block: TypeAlias = tuple[int, int] | None
"""Which of the groups that lie side by side; None where there is but one."""


def world_size(recordings: Sequence[Recording], asked: int | None) -> int:
    """How many ranks there are: as asked, or as the files say or show. Raises InvalidInput."""
    if asked is None and any(one.everybody and one.world is None for one in recordings):
        raise rejected(
            recordings[0].file, "the file does not say for how many ranks it is",
            hint="say it with --ranks",
        )  # fmt: skip
    largest = max((_largest(one) for one in recordings), default=0)
    said = max((one.world or 0 for one in recordings), default=0)
    size = asked or max(said, largest + 1, len(recordings))
    if largest >= size:
        raise rejected(recordings[0].file, f"a rank {largest} takes part, of {size} ranks in all")
    if size > MOST_RANKS:
        raise rejected(recordings[0].file, f"{size} ranks", expected=f"at most {MOST_RANKS}")
    return size


def by_rank(recordings: Sequence[Recording], world: int) -> dict[int, Recording]:
    """The file of each rank that has one: by what it says, or the last number in its name, or its place
    in the list. Raises InvalidInput."""
    ranks = [one.rank for one in recordings]
    if None in ranks:
        ranks = _by_name(recordings) or list(range(len(recordings)))
    found: dict[int, Recording] = {}
    for rank, recording in zip(ranks, recordings, strict=True):
        assert rank is not None
        if rank in found:
            raise rejected(
                recording.file, f"a second file of rank {rank}", found=str(found[rank].file)
            )
        if rank >= world:
            raise rejected(recording.file, f"a file of rank {rank}, of {world} ranks in all")
        found[rank] = recording
    return found


def models_of(world: int, given: Mapping[int, object]) -> list[int]:
    """For each rank the one whose file it has or, without one, repeats: the nearest below, else the first."""
    found, model = [], min(given)
    for rank in range(world):
        model = rank if rank in given else model
        found.append(model)
    return found


def check_repeatable(steps: Sequence[Preceded], recording: Recording, missing: int) -> None:
    """Messages between two ranks cannot be repeated elsewhere. Raises InvalidInput."""
    if any(isinstance(step.work, TracedTransfer) for step in steps):
        raise rejected(
            recording.file, f"there is no file of rank {missing}, and its messages cannot be guessed",
            hint="give the files of all ranks",
        )  # fmt: skip


def group_of(
    rank: int, model: int, ranks: tuple[int, ...], world: int, recording: Recording
) -> tuple[int, ...]:
    """The group in which `rank` does what `model` does among `ranks`.

    A group of every s-th rank is shifted, as the groups of tensor and data parallelism lie side by side.
    Raises InvalidInput for any other.
    """
    if ranks == EVERYBODY:
        return tuple(range(world))
    if rank == model or rank in ranks:
        return ranks
    if not is_regular(ranks) or world % (_stride(ranks) * len(ranks)):
        raise rejected(
            recording.file, f"the group of rank {rank} does not follow from that of rank {model}",
            found=str(list(ranks))[:60], hint="give the files of all ranks",
        )  # fmt: skip
    return _block(rank, _stride(ranks), len(ranks))


def is_regular(ranks: tuple[int, ...]) -> bool:
    """Are these every s-th rank of a whole block, so that groups like it lie side by side?"""
    stride = _stride(ranks)
    return stride > 0 and _block(ranks[0], stride, len(ranks)) == ranks


def block_of(rank: int, ranks: tuple[int, ...]) -> Block:
    """What ranks have in common that do in one shifted group what others do in `ranks`, which is regular."""
    stride = _stride(ranks)
    return rank // (stride * len(ranks)), rank % stride


def _stride(ranks: tuple[int, ...]) -> int:
    return ranks[1] - ranks[0] if len(ranks) > 1 else 1


def _block(rank: int, stride: int, size: int) -> tuple[int, ...]:
    first = rank // (stride * size) * stride * size + rank % stride
    return tuple(range(first, first + stride * size, stride))


def _by_name(recordings: Sequence[Recording]) -> list[int | None]:
    numbers = [re.findall(r"\d+", one.file.name.split(".json")[0]) for one in recordings]
    found: list[int | None] = [int(own[-1]) if own else None for own in numbers]
    distinct = None not in found and len(set(found)) == len(found)
    return found if distinct and max(one or 0 for one in found) < len(found) else []


def _largest(recording: Recording) -> int:
    found = recording.rank or 0
    for node in recording.nodes:
        if isinstance(node.work, TracedTransfer):
            found = max(found, node.work.peer)
        elif isinstance(node.work, GroupWork):
            found = max(found, *node.work.group.ranks, 0)
    return found
