"""Replays one rank's program inside its host: waits out compute, moves bytes, notes when.

A program is a list of tasks per iteration: `compute` takes so many nanoseconds, `collective` replays
the rank's operations of a schedule over TCP. A task starts when the tasks it names are done and its
stream is free, so communication can overlap compute, and that of one group that of another. Orders
may come meanwhile: compute slower, or not at all.

One thread, one edge-triggered epoll loop; a receiver asks the kernel to be woken once per chunk
(SO_RCVLOWAT), which is most of its cost. Standard library alone.

Events are rows of nine 64-bit integers, in the order of FIELDS; times are CLOCK_MONOTONIC.
"""

from __future__ import annotations

import ctypes
import json
import math
import mmap
import os
import select
import signal
import socket
import struct
import time
from array import array
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from traffic.host.channel import Channel
from traffic.host.numbers import add, fill, right

FIELDS = ("iteration", "task", "op", "kind", "peer", "bytes", "ready_ns", "start_ns", "end_ns")
COMPUTE, COLLECTIVE, SEND, RECV = range(4)
KINDS = ("compute", "collective", "send", "recv")

PORT = 29500
_HELLO = struct.Struct("<II")  # rank, channel
_TIMERSPEC = struct.Struct("<qqqq")
_RATE = struct.Struct("=Q")
_SO_MAX_PACING_RATE = 47  # [include/uapi/asm-generic/socket.h]
EXPEDITED = 46  # the DSCP of expedited forwarding [RFC 3246]
SMALL_BYTES = 4096
_ABSOLUTE = 1
_NEVER = ctypes.create_string_buffer(_TIMERSPEC.size)
_libc = ctypes.CDLL(None, use_errno=True)

Program = dict[str, Any]


def run(program: Program, channel: Channel) -> None:
    """Carry out a job: connect, say `ready`, wait for the start time, replay, write the events.

    `program` is what `traffic.tasks` makes, with `events`, a file to write; where results are checked,
    `<events>.wrong` says how many were wrong, by task. Replies `ready`, then `iteration` after each, then
    `done`, with how many results were `wrong` in all.
    Orders that come on `channel` meanwhile are a line of JSON each: `slowdown`, how many times as long
    compute takes (null: it stops). SIGUSR1 makes it reply `waiting` with what it waits for.
    """
    program |= json.loads(Path(program["file"]).read_text())
    replay = Replay(program)
    try:
        replay.connect()
        channel.say({"state": "ready"})
        start_ns = int(channel.hear()["start_ns"])
        signal.signal(signal.SIGUSR1, lambda *_: channel.say({"waiting": replay.waiting()}))
        replay.timer.wait(start_ns)
        replay.attend(channel)
        for iteration in range(program["iterations"]):
            replay.iterate(iteration)
            channel.say({"iteration": iteration})
        with Path(program["events"]).open("wb") as file:
            replay.events.tofile(file)
        if replay.verify:
            Path(f"{program['events']}.wrong").write_text(json.dumps(replay.wrong))
        channel.say({"state": "done", "wrong": sum(replay.wrong)})
    finally:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        replay.close()


class Timer:
    """A timerfd: the only clock of the standard kernel interface that epoll can wait for to the
    nanosecond (epoll's own timeout counts milliseconds)."""

    def __init__(self) -> None:
        self.fd: int = _libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")

    def set(self, when_ns: int) -> None:
        """Go off at this time of CLOCK_MONOTONIC, at once if it has passed."""
        seconds, nanoseconds = divmod(max(when_ns, 1), 1_000_000_000)
        spec = ctypes.create_string_buffer(_TIMERSPEC.pack(0, 0, seconds, nanoseconds))
        if _libc.timerfd_settime(self.fd, _ABSOLUTE, spec, None):
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def stop(self) -> None:
        """Do not go off."""
        if _libc.timerfd_settime(self.fd, 0, _NEVER, None):
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def went_off(self) -> bool:
        """Whether it has, since this was last asked."""
        try:
            os.read(self.fd, 8)
        except BlockingIOError:
            return False
        return True

    def wait(self, when_ns: int) -> None:
        """Sleep until then."""
        self.set(when_ns)
        select.select([self.fd], [], [])
        self.went_off()


class Work:
    """A stream's compute task under way: how much of it is left, at a speed that may change meanwhile.

    `slowdown` is how many times as long it takes; infinity stops it.
    """

    def __init__(self, timer: Timer) -> None:
        self.timer = timer
        self.slowdown = 1.0
        self._left_ns = 0.0
        self._since_ns = 0
        self._under_way = False

    def begin(self, now_ns: int, work_ns: int) -> None:
        """Start a task that takes `work_ns` at full speed."""
        self._left_ns = work_ns
        self._under_way = True
        self._go_on(now_ns)

    def end(self) -> None:
        """It is done."""
        self._under_way = False

    def slow(self, now_ns: int, slowdown: float) -> None:
        """From now on it takes `slowdown` times as long."""
        if self._under_way:
            self._left_ns -= (now_ns - self._since_ns) / self.slowdown
        self.slowdown = slowdown
        if self._under_way:
            self._go_on(now_ns)

    def _go_on(self, now_ns: int) -> None:
        self._since_ns = now_ns
        if math.isinf(self.slowdown):
            self.timer.stop()
        else:
            self.timer.set(now_ns + round(self._left_ns * self.slowdown))


class Operation:
    """An operation in flight; `left` counts what it still waits for, `moved` the bytes so far."""

    __slots__ = (
        "after", "index", "kind", "left", "moved", "offset", "peer", "ready_ns", "size", "start_ns",
        "unlocks",
    )  # fmt: skip

    def __init__(self, index: int, peer: Peer, row: list[Any]) -> None:
        self.kind, _, self.offset, self.size, self.after, _ = row
        self.index = index
        self.peer = peer
        self.unlocks: list[Operation] = []
        self.left = self.moved = self.ready_ns = self.start_ns = 0


class Peer:
    """One direction of traffic with one other rank on one channel: a socket, and its operations in
    their order, those of `collective`. What is to be added is received `aside`."""

    __slots__ = ("aside", "collective", "head", "lowat", "operations", "pump", "rank", "sock")

    collective: Collective

    def __init__(self, rank: int, sock: socket.socket, pump: Callable[[Peer], None]) -> None:
        self.rank = rank
        self.sock = sock
        self.pump = pump
        self.operations: list[Operation] = []
        self.head = 0
        self.lowat = 1
        self.aside = memoryview(b"")

    def next(self) -> Operation | None:
        """The operation at the head, if nothing holds it back."""
        if self.head < len(self.operations) and not self.operations[self.head].left:
            return self.operations[self.head]
        return None

    def coming(self) -> Operation | None:
        """The receive at the head, if its bytes may be taken: those to be added may at any time."""
        if self.head == len(self.operations):
            return None
        operation = self.operations[self.head]
        return operation if operation.kind == "reduce" or not operation.left else None


Peers = dict[tuple[int, int], Peer]
"""By rank and channel."""


class Stream:
    """Tasks that are carried out one after another, in the order in which they became ready. Collectives
    of one stream have a buffer in common, and channels that no other stream has."""

    def __init__(self, size: int) -> None:
        self.waiting: list[int] = []
        self.data = memoryview(mmap.mmap(-1, max(size, mmap.PAGESIZE)))  # unwritten: no memory


class Collective:
    """The operations of one collective task, and the peers they go to and come from."""

    def __init__(
        self, task: int, rows: list[list[Any]], data: memoryview, out: Peers, into: Peers
    ) -> None:
        self.task = task
        self.data = data
        self.queues: dict[Peer, list[Operation]] = {}
        self.operations: list[Operation] = []
        for index, row in enumerate(rows):
            peer = (out if row[0] == "send" else into)[row[1], row[5]]
            self.operations.append(Operation(index, peer, row))
            self.queues.setdefault(peer, []).append(self.operations[-1])
        for operation in self.operations:
            for before in operation.after:
                self.operations[before].unlocks.append(operation)
        self.open = 0

    def enter(self, now_ns: int) -> None:
        """Arm every operation afresh."""
        self.open = len(self.operations)
        for operation in self.operations:
            operation.left = len(operation.after)
            operation.moved = 0
            operation.ready_ns = now_ns
        for peer, operations in self.queues.items():
            peer.collective = self
            peer.operations = operations
            peer.head = 0


class Replay:
    """The state of one rank. Holds sockets: call `close`."""

    def __init__(self, program: Program) -> None:
        self.rank: int = program["rank"]
        self.addresses: list[str] = program["addresses"]
        self.tasks: list[dict[str, Any]] = program["tasks"]
        self.congestion: str = program["congestion"]
        self.socket_buffer_bytes: int | None = program["socket_buffer_bytes"]
        self.pacing = _RATE.pack(round(program["pacing_Bps"]))
        self.verify: bool = program["verify"]
        self.slowdowns: list[float] = program.get("slowdowns", [])
        self.wrong = [0] * len(self.tasks)
        self.events = array("q")
        self.iteration = 0
        self.timer = Timer()
        self.poller = select.epoll()
        self.handlers: dict[int, Callable[[], None]] = {}
        self.out: Peers = {}
        self.into: Peers = {}
        self.collectives: dict[int, Collective] = {}
        size = program["buffer_bytes"]
        names = [task.get("stream", task["kind"]) for task in self.tasks]
        streams = {name: Stream(size) for name in dict.fromkeys(names)}
        self.streams = [streams[name] for name in names]
        self.numbers = [task.get("id", index) for index, task in enumerate(self.tasks)]
        self.dropped = memoryview(mmap.mmap(-1, max(size, mmap.PAGESIZE)))  # never written either
        self.frees: list[list[int]] = [[] for _ in self.tasks]
        for index, task in enumerate(self.tasks):
            for before in task["after"]:
                self.frees[before].append(index)
        self.works: dict[Stream, Work] = {}
        for stream, task in zip(self.streams, self.tasks, strict=True):
            if task["kind"] == "compute" and stream not in self.works:
                timer = Timer()
                self.works[stream] = Work(timer)
                self.handlers[timer.fd] = partial(self._compute_ends, stream)
                self.poller.register(timer.fd, select.EPOLLIN)
        self.left: list[int] = []
        self.open = 0
        self.began_ns: dict[int, int] = {}
        self.pumping: list[Peer] = []

    def close(self) -> None:
        """Close all connections."""
        for peer in (*self.out.values(), *self.into.values()):
            peer.sock.close()
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
                "kind": operation.kind,
                "peer": peer.rank,
                "op": operation.index,
                "bytes": operation.moved,
                "of": operation.size,
                "iteration": self.iteration,
            }
            for peer, operation in (
                *((peer, peer.coming()) for peer in self.into.values()),
                *((peer, peer.next()) for peer in self.out.values()),
            )
            if operation and peer.collective.open
        ]

    # -- connections: each ordered pair of ranks that exchange bytes has its own, one per channel

    def connect(self) -> None:
        """Open all connections: to those we send to, from those we receive from."""
        receives = self._sizes("copy", "reduce")
        listener = self._socket()
        listener.bind((self.addresses[self.rank], PORT))
        listener.listen(len(receives) + 1)
        for (rank, channel), largest in self._sizes("send").items():
            sock = self._dial(rank, channel, largest)
            self.out[rank, channel] = Peer(rank, sock, self._send)
        for _ in receives:
            sock, _address = listener.accept()
            rank, channel = _HELLO.unpack(sock.recv(_HELLO.size, socket.MSG_WAITALL))
            mark(sock, receives[rank, channel])
            self.into[rank, channel] = Peer(rank, sock, self._receive)
        listener.close()
        if self.verify:
            for key, size in self._sizes("reduce").items():
                self.into[key].aside = memoryview(bytearray(size))
        for peer in (*self.out.values(), *self.into.values()):
            peer.sock.setblocking(False)
            self.handlers[peer.sock.fileno()] = partial(peer.pump, peer)
            events = select.EPOLLIN | select.EPOLLOUT | select.EPOLLET
            self.poller.register(peer.sock.fileno(), events)
        for index, task in enumerate(self.tasks):
            if task["kind"] == "collective":
                data = self.streams[index].data
                self.collectives[index] = Collective(index, task["ops"], data, self.out, self.into)

    def _sizes(self, *kinds: str) -> dict[tuple[int, int], int]:
        """The largest operation of some kinds, by rank and channel."""
        sizes: dict[tuple[int, int], int] = {}
        for task in self.tasks:
            for kind, rank, _, size, _, channel in task.get("ops", ()):
                if kind in kinds:
                    sizes[rank, channel] = max(size, sizes.get((rank, channel), 0))
        return dict(sorted(sizes.items()))

    def _socket(self) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, self.congestion.encode())
        sock.setsockopt(socket.SOL_SOCKET, _SO_MAX_PACING_RATE, self.pacing)
        if self.socket_buffer_bytes:
            for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                sock.setsockopt(socket.SOL_SOCKET, option, self.socket_buffer_bytes)
        return sock

    def _dial(self, rank: int, channel: int, largest: int) -> socket.socket:
        """Connect, trying again while the other side is not listening yet."""
        while True:
            sock = self._socket()
            mark(sock, largest)
            try:
                sock.connect((self.addresses[rank], PORT))
            except ConnectionRefusedError:
                sock.close()
                time.sleep(0.001)
            else:
                sock.sendall(_HELLO.pack(self.rank, channel))
                return sock

    # -- one iteration: tasks start when what they name is done, one at a time per stream

    def iterate(self, iteration: int) -> None:
        """Run every task once; return when all are done."""
        self.iteration = iteration
        self.open = len(self.tasks)
        self.left = [len(task["after"]) for task in self.tasks]
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
            peer = self.pumping.pop()
            peer.pump(peer)

    def _ready(self, index: int) -> None:
        waiting = self.streams[index].waiting
        waiting.append(index)
        if len(waiting) == 1:
            self._begin(index)

    def _begin(self, index: int) -> None:
        now_ns = self.began_ns[index] = time.monotonic_ns()
        if self.tasks[index]["kind"] == "compute":
            slowdown = self.slowdowns[self.iteration] if self.slowdowns else 1.0
            work = self.works[self.streams[index]]
            work.begin(now_ns, round(self.tasks[index]["ns"] * slowdown))
            return
        collective = self.collectives[index]
        if self.verify:
            fill(collective.data, self.rank, self.iteration)
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
        index = collective.task
        if self.verify:
            results = self.tasks[index]["results"]
            self.wrong[index] += not right(collective.data, results, self.iteration)
        self._end(index, COLLECTIVE, self.tasks[index]["size_bytes"])

    def _end(self, index: int, kind: int, size: int) -> None:
        """The task at the head of its stream is done: note it, begin the next, free its dependents."""
        waiting = self.streams[index].waiting
        waiting.pop(0)
        start_ns = self.began_ns[index]
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

    # -- bytes

    def _send(self, peer: Peer) -> None:
        """Hand the operations at the head of a peer's queue to TCP until it takes no more."""
        while operation := peer.next():
            if not operation.moved:
                operation.start_ns = time.monotonic_ns()
            end = operation.offset + operation.size
            data = peer.collective.data
            try:
                while operation.moved < operation.size:
                    view = data[operation.offset + operation.moved : end]
                    operation.moved += peer.sock.send(view)
            except BlockingIOError:
                return
            self._operation_ends(peer, operation, SEND)

    def _receive(self, peer: Peer) -> None:
        """Take what has come for the operations at the head of a peer's queue."""
        while operation := peer.coming():
            while operation.moved < operation.size:
                if not self._take(peer, operation):
                    self._wake_after(
                        peer, operation.size - operation.moved if operation.moved else 1
                    )
                    return
            if operation.left:  # to be added, when nobody needs any more what it is added to
                return
            if self.verify and operation.kind == "reduce":
                add(peer.collective.data, peer.aside, operation.offset, operation.size)
            self._operation_ends(peer, operation, RECV)
        self._wake_after(peer, 1)

    def _take(self, peer: Peer, operation: Operation) -> bool:
        """Receive once. Unverified bytes are dropped in the kernel: nobody reads them."""
        left = operation.size - operation.moved
        try:
            if not self.verify:
                count = peer.sock.recv_into(self.dropped, left, socket.MSG_TRUNC)
            elif operation.kind == "reduce":
                count = peer.sock.recv_into(peer.aside[operation.moved :], left)
            else:
                data = peer.collective.data
                count = peer.sock.recv_into(data[operation.offset + operation.moved :], left)
        except BlockingIOError:
            return False
        if not count:
            raise ConnectionError(f"rank {peer.rank} closed its connection to rank {self.rank}")
        if not operation.moved:
            operation.start_ns = time.monotonic_ns()
        operation.moved += count
        return True

    def _wake_after(self, peer: Peer, count: int) -> None:
        """Ask to be woken when `count` bytes are there. More than are to come would be for ever."""
        if count != peer.lowat:
            peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)
            peer.lowat = count

    def _operation_ends(self, peer: Peer, operation: Operation, kind: int) -> None:
        now_ns = time.monotonic_ns()
        peer.head += 1
        self._note(
            peer.collective.task, operation.index, kind, peer.rank, operation.size,
            operation.ready_ns, operation.start_ns, now_ns,
        )  # fmt: skip
        for other in operation.unlocks:
            other.left -= 1
            if not other.left:
                other.ready_ns = now_ns
                self.pumping.append(other.peer)
        collective = peer.collective
        collective.open -= 1
        if not collective.open:
            self._collective_ends(collective)


def mark(sock: socket.socket, largest: int) -> None:
    """Mark a connection whose messages are all small as one that is waited for: routing may mind."""
    if largest <= SMALL_BYTES:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, EXPEDITED << 2)
