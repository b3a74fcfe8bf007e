"""Carries out the workloads' programs on a running fabric: all start at one instant.

In: the job's parts, each with its workload, host and module.
What a host leaves of a workload is `events/<workload>/<host>`.
"""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass

from longhaul.emulation import hosts
from longhaul.inside.control import Stopped
from longhaul.inside.happening import happening
from longhaul.inside.killed import MemoryWatch
from longhaul.inside.stage import Stage
from longhaul.inside.telemetry import sampled
from scenario.job import Part

LEAD_NS = 1_000_000
SECOND_NS = 1_000_000_000
ANSWER_WITHIN_S = 1.0


@dataclass(frozen=True)
class Playing(Part):
    """A part that its host carries out."""

    job: hosts.HostJob


def replay(fabric: Stage) -> int:
    """Have every host carry out its programs. Returns how many results were wrong.

    Raises Stopped where nothing has happened for the job's `patience_s`, or the user asks why.
    """
    hosts.forget(sys.stdin.fileno())
    with closing(MemoryWatch(fabric.hosts.pids, fabric.hosts.pids)) as memory:
        try:
            return _played(fabric, memory)
        except hosts.HostError:
            memory.act()
            raise


def _played(fabric: Stage, memory: MemoryWatch) -> int:
    parts = list(_begun(fabric))
    _connect(fabric, parts, memory)

    def order(host: str, slowdown: float | None) -> None:
        for part in parts:
            if part.host == host:
                _tell(part, {"slowdown": slowdown})

    start_ns = next_start_ns(time.monotonic_ns())
    (fabric.folder / "events" / "start_ns").write_text(str(start_ns))
    for part in parts:
        part.job.tell({"start_ns": start_ns})
    with (
        happening(fabric, start_ns, order) as timeline,
        sampled(fabric.plan, fabric.hosts.pids, fabric.folder / "events", start_ns) as telemetry,
    ):
        return _watch(fabric, parts, [timeline, telemetry, memory])


def next_start_ns(now_ns: int) -> int:
    """The next whole second that leaves time to say it: how long all took before does not tell in the phase of the
    kernel's ticks."""
    return -(-(now_ns + LEAD_NS) // SECOND_NS) * SECOND_NS


def _begun(fabric: Stage) -> Iterator[Playing]:
    """Hand every host its programs: first those for which it starts a process, as it is busy after."""
    for part in sorted(fabric.job.parts, key=lambda part: not part.follows):
        events = fabric.folder / "events" / part.workload
        events.mkdir(parents=True, exist_ok=True)
        job = fabric.hosts.job(
            part.host,
            part.module,
            in_turn=True,
            beside=part.follows,
            file=str(fabric.folder / "programs" / part.workload / f"{part.host}.json"),
            events=str(events / part.host),
        )
        yield Playing(**vars(part), job=job)


def _connect(fabric: Stage, parts: list[Playing], memory: MemoryWatch) -> None:
    """Wait until every host has its connections. Raises HostError as soon as one of them fails."""
    patience_s = fabric.job.patience_s
    jobs = [part.job for part in parts]
    try:
        for _ in hosts.messages(jobs, patience_s, sys.stdin.fileno(), "ready", [memory]):
            pass
    except (TimeoutError, hosts.Interrupted):
        raise Stopped("the ranks have not all connected with each other") from None


def _watch(fabric: Stage, parts: list[Playing], clockworks: list[hosts.Clockwork]) -> int:
    """Follow all to their ends; meanwhile the timeline happens, and counters are sampled."""
    counts = _Counts(fabric, parts)
    patience_s = fabric.job.patience_s
    by_job = {part.job: part for part in parts}
    try:
        for job, message in hosts.messages(
            list(by_job), patience_s, sys.stdin.fileno(), clockworks=clockworks
        ):
            counts.hear(by_job[job], message)
    except TimeoutError:
        waits = "\n".join(_who_waits(fabric, parts))
        why = f"no rank has finished an iteration for {patience_s:g} s of {fabric.job.time} time"
        raise Stopped(f"the workload hangs: {why}\n{waits}") from None
    except hosts.Interrupted:
        waits = "\n".join(_who_waits(fabric, parts))
        raise Stopped(f"the workload was stopped for want of progress\n{waits}") from None
    return counts.wrong


class _Counts:
    """What has been heard: iterations that all ranks of a workload have finished, wrong results, and who
    is done. Once only those are left who follow, they are told to stop."""

    def __init__(self, fabric: Stage, parts: list[Playing]) -> None:
        self.wrong = 0
        self._fabric = fabric
        self._ranks = Counter(part.workload for part in parts)
        self._finished = Counter[tuple[str, int]]()
        self._leading = sum(not part.follows for part in parts)
        self._followers = [part for part in parts if part.follows]

    def hear(self, part: Playing, message: dict[str, object]) -> None:
        """Take one message of one host."""
        self.wrong += int(str(message.get("wrong", 0)))
        if "iteration" in message:
            self._iteration(part.workload, int(str(message["iteration"])))
        if message.get("state") == "done" and not part.follows:
            self._leading -= 1
            for follower in self._followers if not self._leading else ():
                _tell(follower, {"stop": True})

    def _iteration(self, workload: str, iteration: int) -> None:
        self._finished[workload, iteration] += 1
        if self._finished[workload, iteration] == self._ranks[workload]:
            self._fabric.tell(workload=workload, iteration=iteration)


def _tell(part: Playing, message: dict[str, object]) -> None:
    with suppress(hosts.HostError):  # it is done already
        part.job.tell(message)


def _who_waits(fabric: Stage, parts: list[Playing]) -> Iterator[str]:
    """A line for each rank that waits: for whom, and for what."""
    names: dict[str, list[str]] = {}
    for part in parts:
        names.setdefault(part.workload, []).append(part.host)
    for part in parts:
        ranks = names[part.workload]
        fabric.hosts.signal(part.host, signal.SIGUSR1)
        for wait in part.job.answer("waiting", ANSWER_WITHIN_S):
            verb = "to take" if wait["kind"] == "send" else "to send"
            yield (
                f"  rank {ranks.index(part.host)} ({part.host}) waits for rank {wait['peer']}"
                f" ({ranks[wait['peer']]}) {verb} {wait['of'] - wait['bytes']} of {wait['of']} bytes"
                f" (iteration {wait['iteration']}, operation {wait['op']})"
            )
