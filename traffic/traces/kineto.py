"""PyTorch profiles (Kineto): one JSON file per rank, as `torch.profiler` exports them.

Kept is what determines timing on the GPU: kernels, copies and fills of each stream in their order, what they
wait for (`gpu_streams`), and of the kernels that communicate what and with whom (`kineto_calls`). Time on the
host shows as the gap that it leaves before a kernel, and is kept as compute of the kernel's stream: a replay needs
it. What the GPU itself did when is kept beside (`busy`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType, field

from traffic.traces.busy import busy
from traffic.traces.form import Compute, TimeSpan
from traffic.traces.gpu_streams import Happenings, dependencies
from traffic.traces.json_text import decode
from traffic.traces.kineto_calls import Activity, Calls, Said
from traffic.traces.recording import RawNode, Recording, rejected

GPU = ("kernel", "gpu_memcpy", "gpu_memset")
RUNTIME = ("cuda_runtime", "cuda_driver", "hip_runtime", "privateuse1_runtime")
COMMUNICATES = re.compile(
    r"nccl.*(kernel|allreduce|allgather|reducescatter|broadcast|sendrecv)", re.I
)
_STEP = re.compile(r"ProfilerStep#([0-9]{1,18})")


class ProfiledEvent(Struct):
    """What is read of an event; times are microseconds."""

    name: str = ""
    ph: str = ""
    cat: str = ""
    ts: Annotated[float, Meta(ge=-1e17, le=1e17)] = 0
    dur: Annotated[float, Meta(ge=0, le=1e15)] = 0
    tid: int | str = 0
    args: Said | UnsetType | None = UNSET

    @property
    def end(self) -> float:
        """When it was over, in microseconds."""
        return self.ts + self.dur

    @property
    def said(self) -> Said:
        """Its arguments, or none."""
        return self.args if isinstance(self.args, Said) else Said()


class Distributed(Struct):
    """Who wrote the profile."""

    rank: int | None = None
    world_size: int | None = None
    pg_config: Any = None


class Profile(Struct):
    """A file."""

    events: list[ProfiledEvent] = field(name="traceEvents")
    distributed: Distributed | None = field(name="distributedInfo", default=None)
    base_ns: Annotated[int, Meta(ge=0, le=2**62)] = field(name="baseTimeNanoseconds", default=0)


def read_profile(file: Path, data: bytes, step: int | None) -> Recording:
    """A profile, or of it the step `ProfilerStep#<step>` alone. Raises InvalidInput."""
    profile = decode(data, Profile, file)
    found = Recording(file, "Kineto profile")
    found.rank, found.world = _whose(profile)
    events = [event for event in profile.events if event.ph == "X"]
    spans = [event for event in events if event.cat in ("cpu_op", "user_annotation")]
    calls = Calls(spans, profile.distributed.pg_config if profile.distributed else None, found)
    launches = {
        event.said.correlation: event
        for event in events
        if event.cat in RUNTIME and event.said.correlation is not None
    }
    activities = _activities(events, launches, _bounds(spans, step, found))
    if not activities:
        raise rejected(
            file, "the profile has no activity of a GPU", hint="profile with ProfilerActivity.CUDA"
        )
    found.origin_ns = profile.base_ns + _ns(activities[0].begin)
    found.busy = busy(activities)
    happenings = Happenings(
        [event for event in events if event.cat in RUNTIME],
        [event for event in events if event.cat == "cuda_sync"],
        calls.spans,
    )
    waits = dependencies(activities, happenings, found)
    _add_nodes(activities, waits, calls, found)
    found.ignored["host operators and annotations (their effect on the GPU is kept)"] += len(spans)
    return found


def _whose(profile: Profile) -> tuple[int | None, int | None]:
    who = profile.distributed
    return (who.rank, who.world_size) if who else (None, None)


def _bounds(spans: list[ProfiledEvent], step: int | None, found: Recording) -> tuple[float, float]:
    """Between which times what is launched counts, in microseconds."""
    steps = {int(m[1]): span for span in spans if (m := _STEP.fullmatch(span.name))}
    if step is None:
        if len(steps) > 1:
            found.note(f"{len(steps)} profiler steps are one iteration; --step takes one of them")
        return float("-inf"), float("inf")
    if step not in steps:
        known = ", ".join(map(str, sorted(steps))) or "none"
        raise rejected(
            found.file, f"the profile has no step {step}", expected=f"one of these: {known}"
        )
    return steps[step].ts, steps[step].end


def _activities(
    events: list[ProfiledEvent], launches: dict[int, ProfiledEvent], bounds: tuple[float, float]
) -> list[Activity]:
    """What GPUs did, in the order in which it began; times in nanoseconds from the first."""
    found = []
    for event in events:
        if event.cat not in GPU:
            continue
        launch = launches.get(event.said.correlation or 0)
        launched = launch.ts if launch else event.ts
        if bounds[0] <= launched <= bounds[1]:
            stream = f"stream {event.said.stream if event.said.stream is not None else event.tid}"
            communicates = bool(event.cat == "kernel" and COMMUNICATES.search(event.name))
            found.append((event, stream, launched, launch.tid if launch else None, communicates))
    origin = min((event.ts for event, *_ in found), default=0.0)
    found.sort(key=lambda one: (one[0].ts, one[0].end))
    return [
        Activity(
            event.name, stream, launched, thread, event.cat == "kernel", communicates, event.said,
            TimeSpan(_ns(event.ts - origin), _ns(event.end - origin)), event.ts, event.end,
        )
        for event, stream, launched, thread, communicates in found
    ]  # fmt: skip


def _add_nodes(
    activities: list[Activity], waits: list[list[int]], calls: Calls, found: Recording
) -> None:
    """Each activity as a node, behind one that waits out what the host took to launch it."""
    for index, activity in enumerate(activities):
        span = activity.span
        ready = max((activities[i].span.end_ns for i in waits[index]), default=0)
        after: list[Any] = list(waits[index])
        if activity.communicates:
            gap = max(span.start_ns - ready, 0)
            key = (index, "launch")
            measured = TimeSpan(span.start_ns - gap, span.start_ns)
            found.nodes.append(
                RawNode(key, "launch", Compute(gap), after, activity.stream, measured)
            )
            found.nodes.append(
                RawNode(index, activity.name, calls.work_of(activity), [key], activity.stream, span)
            )
        else:
            found.kept["kernels, copies and fills"] += 1
            work = Compute(max(span.end_ns - ready, 0))
            measured = TimeSpan(span.end_ns - work.ns, span.end_ns)
            found.nodes.append(
                RawNode(index, activity.name, work, after, activity.stream, measured)
            )


def _ns(microseconds: float) -> int:
    return round(microseconds * 1000)
