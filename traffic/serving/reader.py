"""A replica that only reads prompts: it makes the first token, and hands it with the context to who answers.

The client has sent the request to both, as SGLang's router does; a context goes as a whole, when its prompt is read
[Zhong et al., DistServe, OSDI 2024]. Standard library alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from traffic.host.channel import Channel
from traffic.serving.batching import Sequence
from traffic.serving.line import ANSWERER, CONTEXT, CONTEXT_PORT, Line
from traffic.serving.program import ReplicaProgram, read_replica
from traffic.serving.replica import ClientCall, Replica, carry_out


def run(job: dict[str, Any], channel: Channel) -> None:
    """Carry out a job, as `traffic.serving.replica` does."""
    carry_out(Reader(read_replica(Path(job["file"]))), job, channel)


class Reader(Replica):
    """Whom a request is for, by its number, until the prompt is read; and a line to each of them."""

    def __init__(self, program: ReplicaProgram) -> None:
        super().__init__(program)
        self._answers: dict[int, tuple[int, int]] = {}
        self._answerers: list[Line] = []

    def open(self) -> None:
        """A line to each replica that answers, as soon as it listens; then as all do."""
        for address in self._program.answerers:
            connection = self.transport.connect(address, CONTEXT_PORT)
            connection.settle()
            line = Line(connection)
            self._answerers.append(line)
            self.loop.attend(line, line.flush)
        super().open()

    def serve(self) -> None:
        """Until the gateways have hung up."""
        super().serve()
        for line in self._answerers:
            self.loop.leave(line)

    def _hear(self, call: ClientCall, data: bytes) -> None:
        sequence = call.take(data)
        if sequence:
            (answerer,) = ANSWERER.unpack_from(call.body)
            self._answers[sequence.request] = answerer, sequence.output
            sequence.output = 1
            self._take_in(sequence)

    def _give(self, sequence: Sequence) -> None:
        answerer, output = self._answers.pop(sequence.request)
        size = max(1, round(sequence.prompt * self._program.context_token))
        header = CONTEXT.pack(sequence.request, sequence.prompt, output, size)
        self._answerers[answerer].send(header, size)
