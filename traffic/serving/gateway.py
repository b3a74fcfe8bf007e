"""A gateway inside its host: sends each request to a replica at the instant at which it arrives, and
notes when every token is back.

The load is open: a request goes out when it is due, however many are unanswered, and its latency counts
from then [Schroeder et al., Open Versus Closed, NSDI 2006]. Standard library alone.
"""

from __future__ import annotations

import signal
import time
from functools import partial
from pathlib import Path
from typing import Any

from traffic.host.channel import Channel
from traffic.host.transport import Connection
from traffic.host.transports import opened
from traffic.serving.balancing import POLICIES
from traffic.serving.line import ARRIVED, GOT, HEADER, PORT, SENT, Line
from traffic.serving.loop import Loop
from traffic.serving.program import Due, GatewayProgram, read_gateway


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
        gateway.serve(start_ns)
        gateway.loop.write(Path(job["events"]))
        channel.say({"state": "done"})
    finally:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        gateway.loop.close()


class Errand:
    """A line to a replica, and the answer that is coming in on it."""

    def __init__(self, line: Line, replica: int) -> None:
        self.line = line
        self.replica = replica
        self.request = self.tokens = self.got_bytes = 0


class Gateway:
    """The state of one gateway."""

    def __init__(self, program: GatewayProgram, channel: Channel) -> None:
        self.loop = Loop(self._send_due)
        self._channel = channel
        self._program = program
        self._transport = opened(program.transport)
        self._replicas = program.replicas
        self._policy = POLICIES[program.routing]([one.distance_ns for one in self._replicas])
        self._outstanding = [0] * len(self._replicas)
        self._idle: list[list[Errand]] = [[] for _ in self._replicas]
        self._errands: list[Errand] = []
        self._requests = program.requests
        self._start_ns = self._next = self._served = 0

    def open(self) -> None:
        """A line to each replica, as soon as it listens."""
        for index, replica in enumerate(self._replicas):
            connection = self._transport.connect(replica.address, PORT)
            connection.settle()
            self._idle[index].append(self._errand(connection, index))

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
        index = self._policy.choose(self._outstanding)
        self._outstanding[index] += 1
        errand = self._idle[index].pop() if self._idle[index] else self._another(index)
        errand.request, errand.tokens, errand.got_bytes = due.number, due.output, 0
        self.loop.note(SENT, due.number, self._replicas[index].rank)
        header = HEADER.pack(due.number, due.prompt, due.output, due.padding_bytes)
        errand.line.send(header + bytes(due.padding_bytes))

    def _another(self, index: int) -> Errand:
        """One more line to a replica, usable at once: what is sent waits until it is connected."""
        connection = self._transport.connect_soon(self._replicas[index].address, PORT)
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
        if errand.got_bytes == size * errand.tokens:
            self._idle[errand.replica].append(errand)
            self._outstanding[errand.replica] -= 1
            self._served += 1
            self._channel.say({"served": self._served})
