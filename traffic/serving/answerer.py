"""A replica that only answers: contexts of prompts that others have read come in, each with its first token.

Standard library alone.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from traffic.host.channel import Channel
from traffic.serving.batching import Sequence
from traffic.serving.line import CONTEXT, CONTEXT_PORT, Line
from traffic.serving.program import ReplicaProgram, read_replica
from traffic.serving.replica import BACKLOG, Replica, carry_out


def run(job: dict[str, Any], channel: Channel) -> None:
    """Carry out a job, as `traffic.serving.replica` does."""
    carry_out(Answerer(read_replica(Path(job["file"]))), job, channel)


class ContextCall:
    """What has come of the context that is coming in on a line."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._due = 0

    def take(self, data: bytes) -> list[Sequence]:
        """Add what has come; the contexts that are whole now, as requests whose prompt is read."""
        whole = []
        while data:
            data = data[self._begin(data) :]
            count = min(self._due, len(data))
            self._due -= count
            data = data[count:]
            if count and not self._due:
                whole.append(self._end())
        return whole

    def _begin(self, data: bytes) -> int:
        """How many bytes belong to a header."""
        count = min(CONTEXT.size - len(self._header), len(data))
        if count:
            self._header += data[:count]
            if len(self._header) == CONTEXT.size:
                self._due = CONTEXT.unpack(self._header)[3]
        return count

    def _end(self) -> Sequence:
        request, prompt, output, _ = CONTEXT.unpack(self._header)
        self._header.clear()
        sequence = Sequence(request, prompt, output)
        sequence.cached, sequence.produced = prompt, 1
        return sequence


class Answerer(Replica):
    """Contexts whose request has not come yet, and requests whose context has not."""

    def __init__(self, program: ReplicaProgram) -> None:
        super().__init__(program)
        self._contexts: dict[int, Sequence] = {}
        self._for_readers = self.transport.listen(program.address, CONTEXT_PORT, BACKLOG)

    def open(self) -> None:
        """Wait until everybody who reads has a line; then as all do."""
        for _ in range(self._program.readers):
            connection, _ = self._for_readers.accept()
            self._attend(Line(connection), partial(self._hear_context, ContextCall()))
            connection.settle()
        self._for_readers.close()
        super().open()

    def _take_in(self, sequence: Sequence) -> None:
        self._start(sequence.request)

    def _hear_context(self, call: ContextCall, data: bytes) -> None:
        for sequence in call.take(data):
            self._contexts[sequence.request] = sequence
            self._start(sequence.request)

    def _start(self, request: int) -> None:
        """Where request and context are there, the client gets the first token, and the batch the rest to do."""
        if request in self._calls and request in self._contexts:
            sequence = self._contexts.pop(request)
            self._give(sequence)
            if not sequence.done:
                self._batch.add(sequence)
