"""Recordings of ranks in, one Trace out: groups numbered, missing ranks filled in, all checked against
each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from traffic.traces.checking import MOST_BYTES
from traffic.traces.clocks import offsets_ns
from traffic.traces.form import Busy, Compute, Node, Trace, TracedCollective, Work
from traffic.traces.matching import check_progress, check_transfers, reconciled
from traffic.traces.nodes import Preceded, ordered
from traffic.traces.ranks import (
    Block,
    block_of,
    by_rank,
    check_repeatable,
    group_of,
    is_regular,
    models_of,
    world_size,
)
from traffic.traces.recording import EVERYBODY, GroupWork, Recording, rejected

MOST_NODES = 1_000_000
"""Of all ranks together, where ranks without a file repeat another's."""
Group = tuple[str, tuple[int, ...]]


@dataclass(frozen=True)
class Imported:
    """A trace, the files it is of by rank, and what is to be said of it as a whole."""

    trace: Trace
    files: dict[int, Recording]
    notes: tuple[str, ...]


def assemble(recordings: Sequence[Recording], ranks: int | None = None) -> Imported:
    """The trace of all ranks; `ranks` says how many, where the files do not. Raises InvalidInput."""
    world = world_size(recordings, ranks)
    files = by_rank(recordings, world)
    steps = {rank: ordered(recording) for rank, recording in files.items()}
    models = models_of(world, files)
    _check_total(models, steps, files)
    numbering = _Numbering(world)
    programs = []
    for rank, model in enumerate(models):
        if model != rank:
            check_repeatable(steps[model], files[model], rank)
        program = steps[model]
        programs.append(
            tuple(
                numbering.node(index, program, rank, model, files[model])
                for index in range(len(program))
            )
        )
    trace = Trace(tuple(ranks for _, ranks in numbering.groups), tuple(programs))
    names = {rank: str(files[model].file) for rank, model in enumerate(models)}
    trace, notes = reconciled(trace, names)
    check_transfers(trace, names)
    check_progress(trace, names)
    trace, clocks = _aligned(trace, [files[model].origin_ns for model in models])
    trace = replace(trace, busy=_busy([files[model].busy for model in models]))
    return Imported(trace, files, (*_filled(files, world), *notes, *clocks))


def _aligned(trace: Trace, origins_ns: Sequence[int | None]) -> tuple[Trace, list[str]]:
    """The trace with its ranks' times on one axis, where the files measured any, and what to say of it."""
    known = [origin for origin in origins_ns if origin is not None]
    if len(known) < max(len(origins_ns), 2):
        return trace, []
    moved, note = offsets_ns(trace, known)
    return replace(trace, offsets_ns=moved), [note]


def _busy(found: Sequence[Busy | None]) -> tuple[Busy, ...]:
    known = [one for one in found if one is not None]
    return tuple(known) if len(known) == len(found) else ()


def _check_total(
    models: Sequence[int], steps: Mapping[int, Sequence[Preceded]], files: Mapping[int, Recording]
) -> None:
    """Raises InvalidInput where so many ranks would repeat so much that nobody could replay it."""
    total = sum(len(steps[model]) for model in models)
    if len(models) > len(files) and total > MOST_NODES:
        largest = max(files, key=lambda rank: len(steps[rank]))
        raise rejected(
            files[largest].file,
            f"{len(models)} ranks that repeat {len(steps[largest])} nodes are too many",
            found=f"{total:,} nodes", expected=f"at most {MOST_NODES:,}",
            hint="take fewer ranks, or one step of the profile with --step",
        )  # fmt: skip


def _filled(files: Mapping[int, Recording], world: int) -> list[str]:
    missing = world - len(files)
    if not missing or any(one.everybody for one in files.values()):
        return []
    return [
        f"{missing} of {world} ranks have no file: each repeats the nearest lower rank that has"
    ]


class _Numbering:
    """Numbers groups as they are met; one rank alone is no group."""

    def __init__(self, world: int) -> None:
        self.world = world
        self.groups: dict[Group, int] = {}
        self.nodes: dict[tuple[int, int, Block], Node] = {}
        self.regular: dict[int, bool] = {}

    def node(
        self, index: int, steps: Sequence[Preceded], rank: int, model: int, recording: Recording
    ) -> Node:
        """A step of `model` as a node of `rank`; ranks that do the same share it."""
        step = steps[index]
        block = self._block(step, rank, model)
        made = self.nodes.get((model, index, block))
        if made is None:
            work = self._work(step, rank, model, recording)
            made = Node(step.name, step.after, step.stream, work, step.measured)
            self.nodes[model, index, block] = made
        return made

    def _block(self, step: Preceded, rank: int, model: int) -> Block:
        """What tells the groups apart in which ranks that repeat `model` do this step."""
        if not isinstance(step.work, GroupWork) or rank == model:
            return None
        ranks = step.work.group.ranks
        if ranks == EVERYBODY:
            return None
        key = id(step.work)
        if key not in self.regular:
            self.regular[key] = is_regular(ranks)
        return block_of(rank, ranks) if self.regular[key] else (rank, rank)

    def _work(self, step: Preceded, rank: int, model: int, recording: Recording) -> Work:
        work = step.work
        if not isinstance(work, GroupWork):
            return work or Compute(0)
        ranks = group_of(rank, model, work.group.ranks, self.world, recording)
        if rank not in ranks:
            raise rejected(
                recording.file, f"rank {rank} communicates in a group that it is not in",
                path=step.name, found=str(list(ranks))[:60],
            )  # fmt: skip
        if len(ranks) == 1:
            return Compute(0)
        size = work.size_bytes(len(ranks))
        if size > MOST_BYTES:
            raise rejected(
                recording.file, "a collective of more than a pebibyte", path=step.name,
                found=str(size),
            )  # fmt: skip
        number = self.groups.setdefault((work.group.name, ranks), len(self.groups))
        root = work.root if work.root < len(ranks) else 0
        sends = work.sends if len(work.sends) == len(ranks) else ()
        return TracedCollective(work.op, size, number, work.dtype, root, sends)
