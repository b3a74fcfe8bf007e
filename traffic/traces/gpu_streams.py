"""What each activity of a GPU waited for: the one before it on its stream, and others' by events.

Where the profile says what a stream waited for (category cuda_sync), that is taken. Otherwise PyTorch's habits
are: a collective waits for all compute launched before it; compute launched after a cudaStreamWaitEvent that is not
part of launching a collective waits for what other streams had been given before that call, as far as it was done by
then. What is launched after the host has waited for the GPU comes after all that the GPU had done.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from traffic.traces.kineto_calls import Activity, Said, Spans
from traffic.traces.recording import Recording

WAITS = "StreamWaitEvent"
SYNCHRONIZES = ("DeviceSynchronize", "StreamSynchronize", "EventSynchronize")


class TimedCall(Protocol):
    """An event of the profile; times are microseconds."""

    name: str
    ts: float
    tid: int | str

    @property
    def end(self) -> float: ...  # noqa: D102

    @property
    def said(self) -> Said: ...  # noqa: D102


@dataclass(frozen=True)
class Happenings:
    """What the host told the GPU: calls of the runtime, what the profiler says of waiting, and the spans
    in which collectives were launched."""

    runtime: Sequence[TimedCall]
    synchronization: Sequence[TimedCall]
    launching: Spans


class _Stream:
    """One stream's activities, in their order."""

    def __init__(self) -> None:
        self.indices: list[int] = []
        self.ends: list[float] = []
        self.launches: list[float] = []

    def last_launched_before(self, moment: float) -> int | None:
        """Of what had been launched, the last."""
        return self._at(bisect_left(self.launches, moment))

    def last_done(self, moment: float, launched_before: float) -> int | None:
        """Of what was launched before one moment, the last that was done at another."""
        launched = bisect_left(self.launches, launched_before)
        return self._at(min(bisect_right(self.ends, moment), launched))

    def _at(self, count: int) -> int | None:
        return self.indices[count - 1] if count else None


def dependencies(
    activities: Sequence[Activity], happenings: Happenings, found: Recording
) -> list[list[int]]:
    """For each activity, by index, those that it waited for."""
    streams = _streams(activities)
    rules = _Rules(activities, streams, happenings)
    found.kept["waits of streams"] += len(rules.stated) + len(rules.waits)
    found.kept["waits of the host"] += len(rules.host)
    if not rules.stated and not rules.waits and len(streams) > 1:
        found.note(
            "the profile does not say what streams waited for: each kernel is taken to wait for all"
            " that other streams had done when it began"
        )
    waits = []
    last: dict[str, int] = {}
    known: dict[tuple[str, str], int] = {}
    for index, activity in enumerate(activities):
        before = last.get(activity.stream)
        others = {one for one in rules.waited_for(activity, before) if one < index}
        own = [before] if before is not None else []
        waits.append(sorted({*own, *_new(others, activity.stream, activities, known)}))
        last[activity.stream] = index
    return waits


def _new(
    others: set[int],
    stream: str,
    activities: Sequence[Activity],
    known: dict[tuple[str, str], int],
) -> list[int]:
    """Of what is waited for, all that earlier activities of the stream have not waited for already."""
    found = []
    for index in sorted(others):
        pair = stream, activities[index].stream
        if index > known.get(pair, -1):
            known[pair] = index
            found.append(index)
    return found


def _streams(activities: Sequence[Activity]) -> dict[str, _Stream]:
    streams: dict[str, _Stream] = {}
    for index, activity in enumerate(activities):
        stream = streams.setdefault(activity.stream, _Stream())
        stream.indices.append(index)
        stream.ends.append(max(activity.end, stream.ends[-1] if stream.ends else activity.end))
        before = stream.launches[-1] if stream.launches else activity.launched
        stream.launches.append(max(activity.launched, before))
    return streams


class _Rules:
    """Finds what an activity waited for on other streams than its own."""

    def __init__(
        self, activities: Sequence[Activity], streams: dict[str, _Stream], happenings: Happenings
    ) -> None:
        self.activities = activities
        self.streams = streams
        self.stated = sorted(_stated(happenings), key=lambda one: one[0])
        waits = [event for event in happenings.runtime if event.name.endswith(WAITS)]
        own = (event for event in waits if not happenings.launching.contain(event.tid, event.ts))
        self.waits = [] if self.stated else sorted(event.ts for event in own)
        self.silent = not self.stated and not waits
        self.host = sorted(
            event.end for event in happenings.runtime if event.name.endswith(SYNCHRONIZES)
        )

    def waited_for(self, activity: Activity, before: int | None) -> list[int]:
        """Indices of activities; `before` is the one before it on its stream."""
        since = self.activities[before].launched if before is not None else float("-inf")
        found = [self._of_host(activity, since)]
        if self.stated:
            found.append(self._of_stated(activity, since))
        elif activity.communicates:
            found.append(self._of_collective(activity))
        elif self.silent:
            found.append(self._done(activity, activity.begin, activity.launched))
        else:
            found.append(self._of_waits(activity, since))
        return [index for indices in found for index in indices]

    def _of_host(self, activity: Activity, since: float) -> list[int]:
        moment = _last_between(self.host, since, activity.launched)
        return [] if moment is None else self._done(activity, moment, moment)

    def _of_stated(self, activity: Activity, since: float) -> list[int]:
        """What the events that the stream was told to wait for stood behind."""
        low = bisect_left(self.stated, since, key=lambda one: one[0])
        high = bisect_right(self.stated, activity.launched, key=lambda one: one[0])
        found = []
        for _, stream, other, recorded in self.stated[low:high]:
            if stream == activity.stream and other in self.streams:
                index = self.streams[other].last_launched_before(recorded)
                found += [index] if index is not None else []
        return found

    def _of_collective(self, activity: Activity) -> list[int]:
        """All compute that had been launched before it."""
        others = (self.streams[name] for name in self.streams if name != activity.stream)
        found = (stream.last_launched_before(activity.launched) for stream in others)
        return [
            index
            for index in found
            if index is not None
            and not self.activities[index].communicates
            and self.activities[index].end <= activity.end
        ]

    def _of_waits(self, activity: Activity, since: float) -> list[int]:
        moment = _last_between(self.waits, since, activity.launched)
        return [] if moment is None else self._done(activity, activity.begin, moment)

    def _done(self, activity: Activity, moment: float, launched_before: float) -> list[int]:
        """The last on each other stream that was done at a moment."""
        found = (
            stream.last_done(moment, launched_before)
            for name, stream in self.streams.items()
            if name != activity.stream
        )
        return [index for index in found if index is not None]


def _stated(happenings: Happenings) -> Iterable[tuple[float, str, str, float]]:
    """(told when, waiting stream, other stream, up to what was recorded when) of each known wait."""
    called = {event.said.correlation: event.ts for event in happenings.runtime}
    for event in happenings.synchronization:
        said = event.said
        recorded = called.get(said.wait_on_record)
        if "Stream Wait" in event.name and recorded is not None and said.stream is not None:
            told = called.get(said.correlation, event.ts)
            yield told, f"stream {said.stream}", f"stream {said.wait_on_stream}", recorded


def _last_between(moments: Sequence[float], low: float, high: float) -> float | None:
    at = bisect_right(moments, high)
    return moments[at - 1] if at and moments[at - 1] >= low else None
