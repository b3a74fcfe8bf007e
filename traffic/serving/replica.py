"""A replica inside its host: takes prompts, works on them in batches, and streams tokens back.

Each step of the batch is a sleep as long as the accelerators would compute. Orders may come
meanwhile: compute slower, or not at all. Standard library alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from traffic.host.channel import Channel
from traffic.host.timers import Work
from traffic.host.transport import Connection
from traffic.host.transports import opened
from traffic.serving.batching import ContinuousBatch, Sequence
from traffic.serving.line import BEGUN, HEADER, PORT, PRODUCED, READ, RECEIVED, Line
from traffic.serving.loop import Loop
from traffic.serving.program import ReplicaProgram, read_replica

BACKLOG = 1024


def run(job: dict[str, Any], channel: Channel) -> None:
    """Carry out a job: wait for all gateways, say `ready`, serve until they have hung up.

    `job` names two files: `file`, a ReplicaProgram, and `events`, to be written. Orders on `channel` are
    those of `traffic.host.agent`.
    """
    carry_out(Replica(read_replica(Path(job["file"]))), job, channel)


def carry_out(replica: Replica, job: dict[str, Any], channel: Channel) -> None:
    """The same with a replica of whatever kind."""
    try:
        replica.open()
        channel.say({"state": "ready"})
        channel.hear()
        replica.loop.count(replica.transport)
        replica.follow(channel.left())
        replica.loop.listen(channel.fileno(), lambda: replica.follow(channel.new()))
        replica.serve()
        replica.loop.write(Path(job["events"]))
        channel.say({"state": "done"})
    finally:
        replica.loop.close()


class ClientCall:
    """A line to a gateway, and what has come of the request on it."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.body = b""
        self._received = bytearray()

    def take(self, data: bytes) -> Sequence | None:
        """Add what has come; the request, once it is whole."""
        self._received += data
        if len(self._received) < HEADER.size:
            return None
        request, prompt, output, size = HEADER.unpack_from(self._received)
        if len(self._received) < HEADER.size + size:
            return None
        self.body = bytes(self._received[HEADER.size :])
        self._received.clear()
        return Sequence(request, prompt, output)


class Replica:
    """The state of one replica, which reads prompts and answers them."""

    def __init__(self, program: ReplicaProgram) -> None:
        self.loop = Loop(self._step_ends)
        self._program = program
        self.transport = opened(program.transport)
        self._batch = ContinuousBatch(program.speed, program.batch_requests, program.batch_tokens)
        self._work = Work(self.loop.timer)
        self._token = bytes(program.token_bytes)
        self._listener = self.transport.listen(program.address, PORT, BACKLOG)
        self._calls: dict[int, ClientCall] = {}
        self._open = 0
        self._busy = False

    def open(self) -> None:
        """Wait until every gateway has a line; later ones come as they are needed."""
        for _ in range(self._program.gateways):
            self._accept().settle()
        self.loop.listen(self._listener.fileno(), self._welcome)

    def serve(self) -> None:
        """Until the gateways have hung up."""
        while self._open:
            self.loop.turn()
        self._listener.close()

    def follow(self, orders: list[dict[str, Any]]) -> None:
        """Compute as many times as slowly as the last order says; None: not at all."""
        for order in orders:
            slowdown = order["slowdown"]
            self._work.slow(time.monotonic_ns(), math.inf if slowdown is None else slowdown)

    def _welcome(self) -> None:
        self._accept()

    def _accept(self) -> Connection:
        connection, _ = self._listener.accept()
        call = ClientCall(Line(connection))
        self._attend(call.line, partial(self._hear, call))
        return connection

    def _attend(self, line: Line, hear: Callable[[bytes], None]) -> None:
        """Hear all that comes on a line that somebody has called by, until they hang up."""
        self._open += 1
        self.loop.attend(line, partial(self._drain, line, hear))

    def _drain(self, line: Line, hear: Callable[[bytes], None]) -> None:
        line.flush()
        while data := line.receive():
            hear(data)
        if data is None:
            self.loop.leave(line)
            self._open -= 1
        self._begin()

    def _hear(self, call: ClientCall, data: bytes) -> None:
        sequence = call.take(data)
        if sequence:
            self._calls[sequence.request] = call
            self._take_in(sequence)

    def _take_in(self, sequence: Sequence) -> None:
        """A request is there as a whole."""
        self.loop.note(RECEIVED, sequence.request, self._program.rank)
        self._batch.add(sequence)

    def _begin(self) -> None:
        """Begin a step, unless one is under way or nobody waits."""
        if self._busy or not len(self._batch):
            return
        self._busy = True
        self._work.begin(time.monotonic_ns(), round(self._batch.begin() * 1e9))
        for sequence in self._batch.begun():
            self.loop.note(BEGUN, sequence.request, self._program.rank)

    def _step_ends(self) -> None:
        self._work.end()
        self._busy = False
        for sequence in self._batch.end():
            if sequence.produced == 1:
                self.loop.note(READ, sequence.request, self._program.rank)
            self._give(sequence)
        self._begin()

    def _give(self, sequence: Sequence) -> None:
        """A step, or whoever has read the prompt, has given it a token: send that to the client."""
        self.loop.note(PRODUCED, sequence.request, sequence.produced - 1)
        self._calls[sequence.request].line.send(self._token)
        if sequence.done:
            del self._calls[sequence.request]
