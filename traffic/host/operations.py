"""A collective's operations inside a host: which may go on, and moving their bytes over a connection.

An operation waits for those it is `after`, and for those before it with the same peer on the same channel.
Whoever drives this is handed back each operation that has ended. Standard library alone.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from traffic.host.numbers import add, room
from traffic.host.program import CollectiveTask
from traffic.host.transport import Connection, HungUp
from traffic.schedule import Op

Key = tuple[int, int]
"""A peer's rank, and a channel."""


class Operation:
    """An operation in flight; `left` counts what it still waits for, `moved` the bytes so far."""

    __slots__ = (
        "index", "left", "moved", "offset", "peer", "ready_ns", "reduces", "size", "start_ns",
        "unlocks", "waits",
    )  # fmt: skip

    def __init__(self, index: int, peer: Peer, op: Op) -> None:
        self.reduces = op.kind == "reduce"
        self.offset = op.offset
        self.size = op.size
        self.waits = len(op.after)
        self.index = index
        self.peer = peer
        self.unlocks: list[Operation] = []
        self.left = self.moved = self.ready_ns = self.start_ns = 0


Ended = Callable[["Peer", Operation], None]


class Peer(ABC):
    """One direction of traffic with one other rank on one channel: a connection, and its operations in
    their order, those of `collective`."""

    __slots__ = ("_ended", "collective", "connection", "head", "operations", "rank")

    collective: Collective

    def __init__(self, rank: int, connection: Connection, ended: Ended) -> None:
        self.rank = rank
        self.connection = connection
        self.operations: list[Operation] = []
        self.head = 0
        self._ended = ended

    @abstractmethod
    def next(self) -> Operation | None:
        """The operation at the head, if nothing holds it back."""

    @abstractmethod
    def pump(self) -> None:
        """Move as many bytes as can be moved now."""

    def _ends(self, operation: Operation) -> None:
        self.head += 1
        self._ended(self, operation)


class Outgoing(Peer):
    """What goes to another rank."""

    __slots__ = ()

    def next(self) -> Operation | None:
        """The operation at the head, if nothing holds it back."""
        if self.head < len(self.operations) and not self.operations[self.head].left:
            return self.operations[self.head]
        return None

    def pump(self) -> None:
        """Hand over what the connection takes."""
        while operation := self.next():
            if not operation.moved:
                operation.start_ns = time.monotonic_ns()
            end = operation.offset + operation.size
            data = self.collective.data
            while operation.moved < operation.size:
                view = data[operation.offset + operation.moved : end]
                count = self.connection.send(view)
                if not count:
                    return
                operation.moved += count
            self._ends(operation)


class Incoming(Peer):
    """What comes from another rank, for nobody to read, unless it is `kept`: then what is to be added
    is received `aside`, where there is room for it."""

    __slots__ = ("aside", "kept")

    def __init__(self, rank: int, connection: Connection, ended: Ended, aside: int | None) -> None:
        super().__init__(rank, connection, ended)
        self.kept = aside is not None
        self.aside = room(aside) if aside else memoryview(b"")

    def next(self) -> Operation | None:
        """The operation at the head, if its bytes may be taken: those to be added may at any time."""
        if self.head == len(self.operations):
            return None
        operation = self.operations[self.head]
        return operation if operation.reduces or not operation.left else None

    def pump(self) -> None:
        """Take what has come."""
        while operation := self.next():
            while operation.moved < operation.size:
                count = self._take(operation)
                if not count:
                    left = operation.size - operation.moved
                    self.connection.wake_after(left if operation.moved else 1)
                    return
                if not operation.moved:
                    operation.start_ns = time.monotonic_ns()
                operation.moved += count
            if operation.left:  # to be added, when nobody needs any more what it is added to
                return
            if self.kept and operation.reduces:
                add(self.collective.data, self.aside, operation.offset, operation.size)
            self._ends(operation)
        self.connection.wake_after(1)

    def _take(self, operation: Operation) -> int:
        """Receive once."""
        try:
            if not self.kept:
                return self.connection.discard(operation.size - operation.moved)
            if operation.reduces:
                return self.connection.receive(self.aside[operation.moved : operation.size])
            start = operation.offset
            data = self.collective.data[start + operation.moved : start + operation.size]
            return self.connection.receive(data)
        except HungUp:
            raise HungUp(f"rank {self.rank} closed its connection") from None


class Collective:
    """The operations of one task, the `index`-th, and the peers they go to and come from. `data` is the
    buffer that they are about."""

    def __init__(
        self,
        index: int,
        task: CollectiveTask,
        data: memoryview,
        out: dict[Key, Outgoing],
        into: dict[Key, Incoming],
    ) -> None:
        self.index = index
        self.task = task
        self.data = data
        self.queues: dict[Peer, list[Operation]] = {}
        self.operations: list[Operation] = []
        for number, op in enumerate(task.ops):
            key = op.peer, op.channel
            peer = out[key] if op.kind == "send" else into[key]
            self.operations.append(Operation(number, peer, op))
            self.queues.setdefault(peer, []).append(self.operations[-1])
        for operation, op in zip(self.operations, task.ops, strict=True):
            for before in op.after:
                self.operations[before].unlocks.append(operation)
        self.open = 0

    def enter(self, now_ns: int) -> None:
        """Arm every operation afresh."""
        self.open = len(self.operations)
        for operation in self.operations:
            operation.left = operation.waits
            operation.moved = 0
            operation.ready_ns = now_ns
        for peer, operations in self.queues.items():
            peer.collective = self
            peer.operations = operations
            peer.head = 0
