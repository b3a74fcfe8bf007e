"""Recordings of ranks in, one Trace out: groups numbered, missing ranks filled in, all checked against
each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from traffic.traces.form import Collective, Compute, Node, Trace, Transfer, Work
from traffic.traces.matching import check_progress, check_transfers, reconciled
from traffic.traces.nodes import Step, ordered
from traffic.traces.ranks import by_rank, check_repeatable, group_of, model_of, world_size
from traffic.traces.recording import GroupWork, Recording, rejected

MOST_BYTES = 1 << 50
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
    numbering = _Numbering(world)
    programs = []
    for rank in range(world):
        model = model_of(rank, files)
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
    names = {rank: str(files[model_of(rank, files)].file) for rank in range(world)}
    trace, notes = reconciled(trace, names)
    check_transfers(trace, names)
    check_progress(trace, names)
    return Imported(trace, files, (*_filled(files, world), *notes))


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
        self.nodes: dict[tuple[int, int, int | None], Node] = {}

    def node(
        self, index: int, steps: Sequence[Step], rank: int, model: int, recording: Recording
    ) -> Node:
        """A step of `model` as a node of `rank`; ranks that do the same share it."""
        step = steps[index]
        work = self._work(step, rank, model, recording)
        group = work.group if isinstance(work, Collective) else None
        made = self.nodes.get((model, index, group))
        if made is None:
            made = Node(step.name, step.after, step.stream, work, step.measured)
            self.nodes[model, index, group] = made
        return made

    def _work(self, step: Step, rank: int, model: int, recording: Recording) -> Work:
        work = step.work
        if not isinstance(work, GroupWork):
            if isinstance(work, Transfer):
                _check_size(work.size_bytes, step, recording)
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
        _check_size(size, step, recording)
        number = self.groups.setdefault((work.group.name, ranks), len(self.groups))
        root = work.root if work.root < len(ranks) else 0
        sends = work.sends if len(work.sends) == len(ranks) else ()
        return Collective(work.op, size, number, work.dtype, root, sends)


def _check_size(size_bytes: int, step: Step, recording: Recording) -> None:
    if size_bytes > MOST_BYTES:
        raise rejected(
            recording.file,
            "a message of more than a pebibyte",
            path=step.name,
            found=str(size_bytes),
        )
