"""A gateway inside its host: sends each request to a replica at the instant at which it arrives, and
notes when every token is back.

The load is open: a request goes out when it is due, however many are unanswered, and its latency counts
from then [Schroeder et al., Open Versus Closed, NSDI 2006]. Standard library alone.
"""

from __future__ import annotations

import json
import signal
import socket
import time
from functools import partial
from pathlib import Path
from typing import Any

from traffic.host.channel import Channel
from traffic.serving.balancing import POLICIES
from traffic.serving.line import ARRIVED, GOT, HEADER, PORT, SENT, Line, new_socket
from traffic.serving.loop import Loop

Program = dict[str, Any]
_RETRY_S = 0.001


def run(program: Program, channel: Channel) -> None:
    """Carry out a job: open a line to each replica, say `ready`, send the requests, await the answers.

    `program` names two files: `file`, with `replicas` (each with `rank`, `address`, `distance_ns`),
    `routing`, `requests` (rows of number, nanoseconds after the start, tokens of prompt and answer,
    bytes of the prompt as carried), `token_bytes` (as carried) and `congestion`; and `events`, to be
    written. Replies `served` after each answer. SIGUSR1 makes it reply `waiting`, as `traffic.host.agent`
    does, with the request as iteration and the token as operation.
    """
    program |= json.loads(Path(program["file"]).read_text())
    gateway = Gateway(program, channel)
    try:
        gateway.open()
        channel.say({"state": "ready"})
        start_ns = int(channel.hear()["start_ns"])
        signal.signal(signal.SIGUSR1, lambda *_: channel.say({"waiting": gateway.waiting()}))
        gateway.serve(start_ns)
        gateway.loop.write(Path(program["events"]))
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

    def __init__(self, program: Program, channel: Channel) -> None:
        self.loop = Loop(self._send_due)
        self._channel = channel
        self._program = program
        self._replicas: list[dict[str, Any]] = program["replicas"]
        distances_ns = [replica["distance_ns"] for replica in self._replicas]
        self._policy = POLICIES[program["routing"]](distances_ns)
        self._outstanding = [0] * len(self._replicas)
        self._idle: list[list[Errand]] = [[] for _ in self._replicas]
        self._errands: list[Errand] = []
        self._requests: list[list[int]] = program["requests"]
        self._start_ns = self._next = self._served = 0

    def open(self) -> None:
        """A line to each replica, as soon as it listens."""
        for index, replica in enumerate(self._replicas):
            while True:
                sock = new_socket(self._program["congestion"])
                try:
                    sock.connect((replica["address"], PORT))
                except ConnectionRefusedError:
                    sock.close()
                    time.sleep(_RETRY_S)
                else:
                    self._idle[index].append(self._errand(sock, index))
                    break

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
        size = self._program["token_bytes"]
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
            self.loop.timer.set(self._start_ns + self._requests[self._next][1])

    def _send_due(self) -> None:
        now_ns = time.monotonic_ns() - self._start_ns
        while self._next < len(self._requests) and self._requests[self._next][1] <= now_ns:
            self._send(*self._requests[self._next])
            self._next += 1
        self._wind()

    def _send(self, request: int, at_ns: int, prompt: int, output: int, prompt_bytes: int) -> None:
        self.loop.note(ARRIVED, request, prompt, self._start_ns + at_ns)
        index = self._policy.choose(self._outstanding)
        self._outstanding[index] += 1
        errand = self._idle[index].pop() if self._idle[index] else self._another(index)
        errand.request, errand.tokens, errand.got_bytes = request, output, 0
        self.loop.note(SENT, request, self._replicas[index]["rank"])
        header = HEADER.pack(request, prompt, output, prompt_bytes)
        errand.line.send(header + bytes(prompt_bytes))

    def _another(self, index: int) -> Errand:
        """One more line to a replica, usable at once: what is sent waits until it is connected."""
        sock = new_socket(self._program["congestion"])
        sock.setblocking(False)
        sock.connect_ex((self._replicas[index]["address"], PORT))
        return self._errand(sock, index)

    def _errand(self, sock: socket.socket, index: int) -> Errand:
        errand = Errand(Line(sock), index)
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
        size = self._program["token_bytes"]
        before, errand.got_bytes = errand.got_bytes, errand.got_bytes + count
        for token in range(before // size, errand.got_bytes // size):
            self.loop.note(GOT, errand.request, token)
        if errand.got_bytes == size * errand.tokens:
            self._idle[errand.replica].append(errand)
            self._outstanding[errand.replica] -= 1
            self._served += 1
            self._channel.say({"served": self._served})
