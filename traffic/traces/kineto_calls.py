"""What communicating kernels communicate: their own arguments, or the call on the host that launched them.

Newer profiles write the collective, its elements, dtype and ranks into the kernel's event; before that, into the
`record_param_comms` that encloses the launch; before that, only the tensors' shapes stand there.
[torch/csrc/profiler/util.cpp, saveNcclMeta; kineto, CuptiActivity.cpp]
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from msgspec import Struct, field

from traffic.traces.form import Compute, Op, TimeSpan, TracedTransfer
from traffic.traces.process_groups import (
    UNKNOWN,
    ListedGroups,
    collective,
    element_bytes,
    rank_list,
    strided,
)
from traffic.traces.recording import GroupKey, GroupWork, RawWork, Recording

KERNELS: tuple[tuple[str, Op], ...] = (
    ("allreduce", "all_reduce"),
    ("reducescatter", "reduce_scatter"),
    ("allgather", "all_gather"),
    ("broadcast", "broadcast"),
    ("sendrecv", "all_to_all"),
    ("reduce", "reduce"),
)
"""What a kernel's name says where nothing else does."""


class Said(Struct, omit_defaults=True):
    """What is read of an event's arguments."""

    correlation: int | None = None
    stream: int | str | None = None
    name: str | None = field(name="Collective name", default=None)
    elements_in: int | None = field(name="In msg nelems", default=None)
    dtype: str | None = None
    group_name: Any = field(name="Process Group Name", default=None)
    group_id: Any = field(name="Process Group ID", default=None)
    group_ranks: Any = field(name="Process Group Ranks", default=None)
    group_size: int | None = field(name="Group size", default=None)
    group_start: int | None = field(name="Global rank start", default=None)
    group_stride: int | None = field(name="Global rank stride", default=None)
    in_splits: Any = field(name="In split size", default=None)
    source: int | None = field(name="Src Rank", default=None)
    target: int | None = field(name="Dst Rank", default=None)
    rank: int | None = field(name="Rank", default=None)
    shapes: Any = field(name="Input Dims", default=None)
    types: Any = field(name="Input type", default=None)
    wait_on_stream: int | str | None = None
    wait_on_record: int | None = field(name="wait_on_cuda_event_record_corr_id", default=None)


class HostCall(Protocol):
    """A span on the host; times are microseconds."""

    name: str
    ts: float
    tid: int | str

    @property
    def end(self) -> float: ...  # noqa: D102

    @property
    def said(self) -> Said: ...  # noqa: D102


@dataclass(frozen=True)
class Activity:
    """A kernel, copy or fill: when the host launched it, when it ran (`span` from the trace's start in
    nanoseconds, `begin` and `end` as the file has them in microseconds)."""

    name: str
    stream: str
    launched: float
    thread: int | str | None
    kernel: bool
    communicates: bool
    said: Said
    span: TimeSpan
    begin: float
    end: float


class Spans:
    """The calls that launch communication, by thread."""

    def __init__(self, spans: Iterable[HostCall]) -> None:
        self.threads: dict[int | str, list[HostCall]] = {}
        for span in sorted(spans, key=lambda span: (span.ts, -span.end)):
            self.threads.setdefault(span.tid, []).append(span)
        self.starts = {tid: [one.ts for one in own] for tid, own in self.threads.items()}

    def around(self, tid: int | str | None, moment: float) -> list[HostCall]:
        """The calls under way on a thread at a moment, the outermost first. Calls nest two deep."""
        if tid is None or tid not in self.threads:
            return []
        at = bisect_right(self.starts[tid], moment)
        return [one for one in self.threads[tid][max(at - 3, 0) : at] if one.end >= moment]

    def contain(self, tid: int | str | None, moment: float) -> bool:
        """Whether communication was being launched on a thread at a moment."""
        return bool(self.around(tid, moment))


class Calls:
    """Finds out what communicating activities do."""

    def __init__(self, spans: Iterable[HostCall], groups: Any, found: Recording) -> None:
        launching = [one for one in spans if _launches(one.name)]
        self.spans = Spans(launching)
        self.groups = ListedGroups(found)
        if groups is not None:
            self.groups.take(groups)
        self.found = found

    def work_of(self, activity: Activity) -> RawWork:
        """The collective or transfer of a kernel; its measured time, with a reason counted, if that cannot
        be told."""
        around = self.spans.around(activity.thread, activity.launched)
        said = [activity.said, *(one.said for one in around)]
        names = [one.name for one in said if one.name] + [
            one.name for one in around if one.name.startswith("nccl:")
        ]
        name = (names[0] if names else "").removeprefix("nccl:").lower()
        size, dtype = _input_bytes(said)
        if name.startswith(("send", "recv")):
            return self._transfer(name, said, size, activity)
        op = collective(name) or _by_kernel(activity.name)
        if op is None or (size is None and op != "barrier"):
            what = "size" if op else "kind"
            self.found.ignored[f"communication of unknown {what} (its measured time is kept)"] += 1
            return Compute(activity.span.end_ns - activity.span.start_ns)
        self.found.kept["collectives"] += 1
        root = max(_first(one.rank for one in said) or 0, 0) if op in ("broadcast", "reduce") else 0
        return GroupWork(op, size or 0, self._group(said), dtype, root, _sends(op, said, size or 0))

    def _transfer(
        self, name: str, said: Sequence[Said], size: int | None, activity: Activity
    ) -> RawWork:
        send = name.startswith("send")
        peer = _first(one.target if send else one.source for one in said)
        if peer is None or size is None:
            self.found.ignored["transfers of unknown peer or size (measured time is kept)"] += 1
            return Compute(activity.span.end_ns - activity.span.start_ns)
        self.found.kept["sends" if send else "receives"] += 1
        return TracedTransfer("send" if send else "recv", peer, size)

    def _group(self, said: Sequence[Said]) -> GroupKey:
        for one in said:
            name = one.group_name if one.group_name is not None else one.group_id
            ranks = rank_list(one.group_ranks) or self.groups.ranks.get(str(name), ())
            ranks = ranks or strided(one.group_start, one.group_stride, one.group_size)
            if ranks or name is not None:
                return self.groups.of(str(name if name is not None else ""), ranks)
        if any(one.group_ranks for one in said):
            self.found.ignored[UNKNOWN] += 1
        return GroupKey("")


def _launches(name: str) -> bool:
    return name == "record_param_comms" or name.startswith(("nccl:", "c10d::"))


def _by_kernel(name: str) -> Op | None:
    plain = name.replace("_", "").lower()
    return next((op for part, op in KERNELS if f"kernel{part}" in plain), None)


def _input_bytes(said: Sequence[Said]) -> tuple[int | None, str]:
    """Bytes put in and their type, by elements or else by shapes."""
    for one in said:
        width = element_bytes(one.dtype or "")
        if one.elements_in is not None and width:
            return one.elements_in * width, one.dtype or ""
    for one in reversed(said):  # the innermost call has the tensor itself
        sizes = _shaped(one.shapes, one.types)
        if sizes:
            return sum(size for size, _ in sizes), sizes[0][1]
    return None, ""


def _shaped(shapes: Any, types: Any) -> list[tuple[int, str]]:
    """(bytes, type) of each tensor among the inputs."""
    if not isinstance(shapes, list) or not isinstance(types, list):
        return []
    found = []
    for shape, dtype in zip(shapes, types, strict=False):
        whole = isinstance(shape, list) and all(isinstance(one, int) for one in shape)
        width = element_bytes(dtype) if isinstance(dtype, str) else None
        if whole and shape and width:
            negative = any(one < 0 for one in shape)
            found.append((-1 if negative else math.prod(shape) * width, dtype))
    return found


def _sends(op: Op, said: Sequence[Said], size: int) -> tuple[int, ...]:
    splits = _first(rank_list(one.in_splits) or None for one in said) or ()
    elements = sum(splits)
    if op != "all_to_all" or not elements:
        return ()
    return tuple(size * one // elements for one in splits)


def _first(values: Iterable[Any]) -> Any:
    return next((one for one in values if one is not None), None)
