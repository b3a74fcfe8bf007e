"""A gateway inside its host: sends each request to a replica at the instant at which it arrives, and
notes when every token is back.

The load is open: a request goes out when it is due, however many are unanswered, and its latency counts
from then [Schroeder et al., Open Versus Closed, NSDI 2006]. Standard library alone.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from traffic.host.channel import Channel
from traffic.host.transport import Connection
from traffic.host.transports import opened
from traffic.serving.balancing import POLICIES
from traffic.serving.line import ANSWERER, ARRIVED, GOT, HEADER, PORT, SENT, Line
from traffic.serving.loop import Loop
from traffic.serving.program import Called, Due, GatewayProgram, read_gateway


def run(job: dict[str, Any], channel: Channel) -> None:
    """Carry out a job: open a line to each replica, say `ready`, send the requests, await the answers.

    `job` names two files: `file`, a GatewayProgram, and `events`, to be written. Replies `served` after each
    answer. SIGUSR1 makes it reply `waiting`, as `traffic.host.agent` does, with the request as iteration and
    the token as operation.
    """
    gateway = Gateway(read_gateway(Path(job["file"])), channel)
    try:
        gateway.open()
        channel.say({"state": "ready"})
        start_ns = int(channel.hear()["start_ns"])
        signal.signal(signal.SIGUSR1, lambda *_: channel.say({"waiting": gateway.waiting()}))
        gateway.loop.count(gateway.transport)
        gateway.serve(start_ns)
        gateway.loop.write(Path(job["events"]))
        channel.say({"state": "done"})
    finally:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        gateway.loop.close()


class Errand:
    """A line to a replica, and the answer that is coming in on it; `reader` is the errand to who reads the prompt,
    until the first token is there."""

    def __init__(self, line: Line, replica: int) -> None:
        self.line = line
        self.replica = replica
        self.request = self.tokens = self.got_bytes = 0
        self.reader: Errand | None = None


class Pool:
    """Replicas that do the same: which of them is next, how many requests each has, idle lines to them."""

    def __init__(self, called: Sequence[Called], routing: str) -> None:
        self.called = called
        self.idle: list[list[Errand]] = [[] for _ in called]
        self._policy = POLICIES[routing]([one.distance_ns for one in called]) if called else None
        self._outstanding = [0] * len(called)

    def choose(self) -> int:
        """The replica, by its index, for one more request."""
        assert self._policy
        index = self._policy.choose(self._outstanding)
        self._outstanding[index] += 1
        return index

    def release(self, errand: Errand) -> None:
        """One request less; its line is idle."""
        self.idle[errand.replica].append(errand)
        self._outstanding[errand.replica] -= 1


class Gateway:
    """The state of one gateway."""

    def __init__(self, program: GatewayProgram, channel: Channel) -> None:
        self.loop = Loop(self._send_due)
        self._channel = channel
        self._program = program
        self.transport = opened(program.transport)
        self._replicas = Pool(program.replicas, program.routing)
        self._readers = Pool(program.readers, program.routing)
        self._errands: list[Errand] = []
        self._requests = program.requests
        self._start_ns = self._next = self._served = 0

    def open(self) -> None:
        """A line to each replica, as soon as it listens."""
        for pool in (self._readers, self._replicas):
            for index, replica in enumerate(pool.called):
                connection = self.transport.connect(replica.address, PORT)
                connection.settle()
                pool.idle[index].append(self._errand(connection, index))

    def serve(self, start_ns: int) -> None:
        """Send every request when it is due; return when all are answered, and hang up."""
        self._start_ns = start_ns
        self._wind()
        while self._served < len(self._requests):
            self.loop.turn()
        for errand in self._errands:
            self.loop.leave(errand.line)

    def waiting(self) -> list[dict[str, Any]]:
        """The answers that have not come yet as a whole."""
        size = self._program.token_bytes
        return [
            {
                "kind": "recv",
                "peer": errand.replica,
                "iteration": errand.request,
                "op": errand.got_bytes // size,
                "bytes": errand.got_bytes,
                "of": size * errand.tokens,
            }
            for errand in self._errands
            if errand.got_bytes < size * errand.tokens
        ]

    def _wind(self) -> None:
        if self._next < len(self._requests):
            self.loop.timer.set(self._start_ns + self._requests[self._next].at_ns)

    def _send_due(self) -> None:
        now_ns = time.monotonic_ns() - self._start_ns
        while self._next < len(self._requests) and self._requests[self._next].at_ns <= now_ns:
            self._send(self._requests[self._next])
            self._next += 1
        self._wind()

    def _send(self, due: Due) -> None:
        self.loop.note(ARRIVED, due.number, due.prompt, self._start_ns + due.at_ns)
        errand = self._errand_in(self._replicas)
        errand.request, errand.tokens, errand.got_bytes = due.number, due.output, 0
        rank, body = self._replicas.called[errand.replica].rank, bytes(due.padding_bytes)
        if self._readers.called:
            errand.reader = self._errand_in(self._readers)
            rank = self._readers.called[errand.reader.replica].rank
            whom = ANSWERER.pack(errand.replica)
            errand.reader.line.send(_message(due, whom + body[len(whom) :]))
        self.loop.note(SENT, due.number, rank)
        errand.line.send(_message(due, body))

    def _errand_in(self, pool: Pool) -> Errand:
        """To the replica that is next: over an idle line, or one more, usable at once, as what is sent waits until
        it is connected."""
        index = pool.choose()
        if pool.idle[index]:
            return pool.idle[index].pop()
        connection = self.transport.connect_soon(pool.called[index].address, PORT)
        return self._errand(connection, index)

    def _errand(self, connection: Connection, index: int) -> Errand:
        errand = Errand(Line(connection), index)
        self._errands.append(errand)
        self.loop.attend(errand.line, partial(self._hear, errand))
        return errand

    def _hear(self, errand: Errand) -> None:
        errand.line.flush()
        while data := errand.line.receive():
            self._take(errand, len(data))
        if data is None:
            raise ConnectionError(f"replica {errand.replica} closed its connection")

    def _take(self, errand: Errand, count: int) -> None:
        """Note the tokens that are whole now."""
        size = self._program.token_bytes
        before, errand.got_bytes = errand.got_bytes, errand.got_bytes + count
        for token in range(before // size, errand.got_bytes // size):
            self.loop.note(GOT, errand.request, token)
        if errand.reader and errand.got_bytes >= size:
            self._readers.release(errand.reader)
            errand.reader = None
        if errand.got_bytes == size * errand.tokens:
            self._replicas.release(errand)
            self._served += 1
            self._channel.say({"served": self._served})


def _message(due: Due, body: bytes) -> bytes:
    """A request as it goes over a line."""
    return HEADER.pack(due.number, due.prompt, due.output, len(body)) + body
