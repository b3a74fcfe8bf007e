"""Replays one rank's program inside its host: waits out compute, moves bytes, notes when.

A compute task takes so many nanoseconds, a collective replays the rank's operations of a schedule over a
transport. A task starts when the tasks it names are done and its stream is free, so communication can
overlap compute, and that of one group that of another. Orders may come meanwhile: compute slower, or not
at all.

One thread, one edge-triggered epoll loop; a receiver asks to be woken once per chunk, which is most of
its cost. Standard library alone.

Events are rows of nine 64-bit integers, in the order of FIELDS; times are CLOCK_MONOTONIC.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import select
import signal
import struct
import time
from array import array
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from traffic.host.channel import Channel
from traffic.host.counting import Counting
from traffic.host.numbers import fill, right, room
from traffic.host.operations import Collective, Incoming, Key, Operation, Outgoing, Peer
from traffic.host.ports import PORT
from traffic.host.program import CollectiveTask, ComputeTask, IdleTask, Program, read
from traffic.host.timers import Timer, Work
from traffic.host.transport import SMALL_BYTES
from traffic.host.transports import opened

FIELDS = ("iteration", "task", "op", "kind", "peer", "bytes", "ready_ns", "start_ns", "end_ns")
COMPUTE, COLLECTIVE, SEND, RECV = range(4)
KINDS = ("compute", "collective", "send", "recv")

_HELLO = struct.Struct("<II")  # rank, channel


def run(job: dict[str, Any], channel: Channel) -> None:
    """Carry out a job: connect, say `ready`, wait for the start time, replay, write the events.

    `job` names two files: `file`, a program (`traffic.host.program`), and `events`, to be written; where
    results are checked, `<events>.wrong` says how many were wrong, by task; where the host has an adapter
    that counts, `<events>.adapter` says what, `<events>.pairs` of each connection. Replies `ready`, then
    `iteration` after each, then `done`, with how many results were `wrong` in all.
    Orders that come on `channel` meanwhile are a line of JSON each: `slowdown`, how many times as long
    compute takes (null: it stops). SIGUSR1 makes it reply `waiting` with what it waits for.
    """
    program = read(Path(job["file"]))
    replay = Replay(program)
    try:
        replay.connect()
        channel.say({"state": "ready"})
        start_ns = int(channel.hear()["start_ns"])
        signal.signal(signal.SIGUSR1, lambda *_: channel.say({"waiting": replay.waiting()}))
        replay.timer.wait(start_ns)
        replay.attend(channel)
        counting = Counting(replay.transport)
        for iteration in range(program.iterations):
            replay.iterate(iteration)
            channel.say({"iteration": iteration})
        with Path(job["events"]).open("wb") as file:
            replay.events.tofile(file)
        if program.verify:
            Path(f"{job['events']}.wrong").write_text(json.dumps(replay.wrong), encoding="utf-8")
        for (_, number), peer in replay.out.items():
            counting.add(peer.connection, number)
        counting.write(Path(job["events"]))
        channel.say({"state": "done", "wrong": sum(replay.wrong)})
    finally:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        replay.close()


UNWRITTEN_IS_FREE = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000
"""Reading what nobody has written takes no memory of a private mapping, but of a shared one; 0x4000 is Linux's
MAP_NORESERVE, which lets a mapping be larger than the memory there is."""


def _unwritten(size: int) -> memoryview:
    return memoryview(mmap.mmap(-1, max(size, mmap.PAGESIZE), flags=UNWRITTEN_IS_FREE))


class Stream:
    """Tasks that are carried out one after another, in the order in which they became ready. Collectives
    of one stream have a buffer in common, and channels that no other stream has."""

    def __init__(self, size: int, *, kept: bool) -> None:
        self.waiting: list[int] = []
        self.data = room(size) if kept else _unwritten(size)


class Replay:
    """The state of one rank. Holds connections: call `close`."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.tasks = program.tasks
        self.transport = opened(program.transport)
        self.wrong = [0] * len(self.tasks)
        self.events = array("q")
        self.iteration = 0
        self.timer = Timer()
        self.poller = select.epoll()
        self.handlers: dict[int, Callable[[], None]] = {}
        self.out: dict[Key, Outgoing] = {}
        self.into: dict[Key, Incoming] = {}
        self.collectives: dict[int, Collective] = {}
        size = program.buffer_bytes
        names = [task.stream for task in self.tasks]
        streams = {name: Stream(size, kept=program.verify) for name in dict.fromkeys(names)}
        self.streams = [streams[name] for name in names]
        self.numbers = [
            index if task.number is None else task.number for index, task in enumerate(self.tasks)
        ]
        self.frees: list[list[int]] = [[] for _ in self.tasks]
        for index, task in enumerate(self.tasks):
            for before in task.after:
                self.frees[before].append(index)
        self.works: dict[Stream, Work] = {}
        for stream, task in zip(self.streams, self.tasks, strict=True):
            if not isinstance(task, CollectiveTask) and stream not in self.works:
                timer = Timer()
                self.works[stream] = Work(timer)
                self.handlers[timer.fd] = partial(self._compute_ends, stream)
                self.poller.register(timer.fd, select.EPOLLIN)
        self.left: list[int] = []
        self.open = 0
        self.began_ns: dict[int, int] = {}
        self.pumping: list[Peer] = []

    @property
    def peers(self) -> tuple[Peer, ...]:
        """All of them, those we send to first."""
        return (*self.out.values(), *self.into.values())

    def close(self) -> None:
        """Close all connections."""
        for peer in self.peers:
            peer.connection.close()
        self.poller.close()
        for timer in (self.timer, *(work.timer for work in self.works.values())):
            os.close(timer.fd)

    def attend(self, channel: Channel) -> None:
        """From now on, follow orders as they come."""
        self._follow(channel.left())
        self.handlers[channel.fileno()] = lambda: self._follow(channel.new())
        self.poller.register(channel, select.EPOLLIN)

    def _follow(self, orders: list[dict[str, Any]]) -> None:
        for order in orders:
            slowdown = order["slowdown"]
            for work in self.works.values():
                work.slow(time.monotonic_ns(), math.inf if slowdown is None else slowdown)

    def waiting(self) -> list[dict[str, Any]]:
        """What holds this rank up: the operation at the head of each peer's queue."""
        return [
            {
                "kind": "send" if isinstance(peer, Outgoing) else "recv",
                "peer": peer.rank,
                "op": operation.index,
                "bytes": operation.moved,
                "of": operation.size,
                "iteration": self.iteration,
            }
            for peer, operation in ((peer, peer.next()) for peer in self.peers[::-1])
            if operation and peer.collective.open
        ]

    # -- connections: each ordered pair of ranks that exchange bytes has its own, one per channel

    def connect(self) -> None:
        """Open all connections: to those we send to, from those we receive from."""
        receives = self._sizes("copy", "reduce")
        program = self.program
        transport = self.transport
        listener = transport.listen(program.addresses[program.rank], PORT, len(receives) + 1)
        numbers = {(rank, channel): number for rank, channel, number in program.numbers}
        for (rank, channel), largest in self._sizes("send").items():
            if (rank, channel) in numbers:
                transport.count(program.addresses[rank], PORT, numbers[rank, channel])
            connection = transport.connect(
                program.addresses[rank], PORT, _HELLO.pack(program.rank, channel),
                expedited=largest <= SMALL_BYTES,
                path=program.paths[rank] if program.paths else None,
            )  # fmt: skip
            self.out[rank, channel] = Outgoing(rank, connection, self._sent)
        asides = self._sizes("reduce") if program.verify else {}
        for _ in receives:
            connection, hello = listener.accept(_HELLO.size)
            rank, channel = key = _HELLO.unpack(hello)
            if receives[key] <= SMALL_BYTES:
                connection.expedite()
            aside = asides.get(key, 0) if program.verify else None
            self.into[rank, channel] = Incoming(rank, connection, self._received, aside)
        listener.close()
        for peer in (*self.into.values(), *self.out.values()):
            peer.connection.settle()
        for peer in self.peers:
            fd = peer.connection.fileno()
            self.handlers[fd] = peer.pump
            self.poller.register(fd, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
        for index, task in enumerate(self.tasks):
            if isinstance(task, CollectiveTask):
                data = self.streams[index].data
                self.collectives[index] = Collective(index, task, data, self.out, self.into)

    def _sizes(self, *kinds: str) -> dict[Key, int]:
        """The largest operation of some kinds, by rank and channel."""
        sizes: dict[Key, int] = {}
        for task in self.tasks:
            for op in task.ops if isinstance(task, CollectiveTask) else ():
                if op.kind in kinds:
                    key = op.peer, op.channel
                    sizes[key] = max(op.size, sizes.get(key, 0))
        return dict(sorted(sizes.items()))

    # -- one iteration: tasks start when what they name is done, one at a time per stream

    def iterate(self, iteration: int) -> None:
        """Run every task once; return when all are done."""
        self.iteration = iteration
        self.open = len(self.tasks)
        self.left = [len(task.after) for task in self.tasks]
        for index, left in enumerate(self.left):
            if not left:
                self._ready(index)
        self._pump()
        while self.open:
            for fd, _event in self.poller.poll():
                self.handlers[fd]()
            self._pump()

    def _pump(self) -> None:
        """Move what operations have become free to move."""
        while self.pumping:
            self.pumping.pop().pump()

    def _ready(self, index: int) -> None:
        waiting = self.streams[index].waiting
        waiting.append(index)
        if len(waiting) == 1:
            self._begin(index)

    def _begin(self, index: int) -> None:
        now_ns = self.began_ns[index] = time.monotonic_ns()
        task = self.tasks[index]
        if isinstance(task, ComputeTask):
            slowdowns = self.program.slowdowns
            slowdown = slowdowns[self.iteration] if slowdowns else 1.0
            self.works[self.streams[index]].begin(now_ns, round(task.ns * slowdown))
            return
        if isinstance(task, IdleTask):
            self.works[self.streams[index]].begin(
                now_ns, task.again_ns if self.iteration else task.ns
            )
            return
        collective = self.collectives[index]
        if self.program.verify:
            fill(collective.data, self.program.rank, self.iteration)
        collective.enter(now_ns)
        self.pumping.extend(collective.queues)
        if not collective.open:
            self._collective_ends(collective)

    def _compute_ends(self, stream: Stream) -> None:
        work = self.works[stream]
        if work.timer.went_off():  # not if an order has just put it off
            work.end()
            self._end(stream.waiting[0], COMPUTE, 0)

    def _collective_ends(self, collective: Collective) -> None:
        index, task = collective.index, collective.task
        if self.program.verify:
            self.wrong[index] += not right(collective.data, task.results, self.iteration)
        self._end(index, COLLECTIVE, task.size_bytes)

    def _end(self, index: int, kind: int, size: int) -> None:
        """The task at the head of its stream is done: note it, begin the next, free its dependents."""
        waiting = self.streams[index].waiting
        waiting.pop(0)
        start_ns = self.began_ns[index]
        if not isinstance(self.tasks[index], IdleTask):
            self._note(index, -1, kind, -1, size, start_ns, start_ns, time.monotonic_ns())
        if waiting:
            self._begin(waiting[0])
        self.open -= 1
        for other in self.frees[index]:
            self.left[other] -= 1
            if not self.left[other]:
                self._ready(other)

    def _note(self, index: int, *row: int) -> None:
        self.events.extend((self.iteration, self.numbers[index], *row))

    # -- operations that have ended

    def _sent(self, peer: Peer, operation: Operation) -> None:
        self._operation_ends(peer, operation, SEND)

    def _received(self, peer: Peer, operation: Operation) -> None:
        self._operation_ends(peer, operation, RECV)

    def _operation_ends(self, peer: Peer, operation: Operation, kind: int) -> None:
        now_ns = time.monotonic_ns()
        collective = peer.collective
        self._note(
            collective.index, operation.index, kind, peer.rank, operation.size,
            operation.ready_ns, operation.start_ns, now_ns,
        )  # fmt: skip
        for other in operation.unlocks:
            other.left -= 1
            if not other.left:
                other.ready_ns = now_ns
                self.pumping.append(other.peer)
        collective.open -= 1
        if not collective.open:
            self._collective_ends(collective)
