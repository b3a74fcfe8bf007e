"""Continuous batching on one replica, step by step: who is worked on, and how long a step takes.

A step gives every running request its next token and fills up with prompts, in chunks where they are
long, as vLLM's scheduler does [Yu et al., Orca, OSDI 2022; Agrawal et al., Sarathi-Serve, OSDI 2024].
Pure: no clock, no sockets. Standard library alone.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True)
class Speed:
    """What a replica's accelerators do with its model: `flops` and `memory_Bps` are achieved ones,
    `token_flop` is 2 x parameters, `kv_bytes` what attention reads per token of context."""

    flops: float
    memory_Bps: float
    token_flop: float
    weight_bytes: float
    kv_bytes: float

    def step_s(self, tokens: int, context: int) -> float:
        """Seconds of a step over `tokens`, with `context` tokens in the memory of its requests.

        The roofline: arithmetic, or reading all weights and contexts once, whichever takes longer
        [Williams et al. 2009; Pope et al., Efficiently Scaling Transformer Inference, 2022]. The
        arithmetic of attention itself is left out.
        """
        arithmetic_s = tokens * self.token_flop / self.flops
        return max(arithmetic_s, (self.weight_bytes + context * self.kv_bytes) / self.memory_Bps)


class Sequence:
    """One request at work: `cached` tokens of its prompt and answer are in memory, `produced` tokens
    of the answer are out."""

    __slots__ = ("cached", "output", "produced", "prompt", "request")

    def __init__(self, request: int, prompt: int, output: int) -> None:
        self.request, self.prompt, self.output = request, prompt, output
        self.cached = self.produced = 0

    @property
    def decodes(self) -> bool:
        """Whether its prompt is done, so that each step gives it one token."""
        return self.produced > 0

    @property
    def done(self) -> bool:
        """Whether its answer is complete."""
        return self.produced == self.output


class ContinuousBatch:
    """The requests of one replica: at most `most_requests` at work with at most `most_tokens` in a
    step, the others waiting in the order in which they came."""

    def __init__(self, speed: Speed, most_requests: int, most_tokens: int) -> None:
        self._speed = speed
        self._most_requests = most_requests
        self._most_tokens = most_tokens
        self._waiting: deque[Sequence] = deque()
        self._running: list[Sequence] = []
        self._step: list[tuple[Sequence, int]] = []

    def __len__(self) -> int:
        return len(self._waiting) + len(self._running)

    def add(self, sequence: Sequence) -> None:
        """Let a request wait for its turn."""
        self._waiting.append(sequence)

    def begin(self) -> float:
        """Begin a step; how many seconds it takes. There must be requests."""
        while self._waiting and len(self._running) < self._most_requests:
            self._running.append(self._waiting.popleft())
        self._step = [(sequence, 1) for sequence in self._running if sequence.decodes]
        room = self._most_tokens - len(self._step)
        for sequence in self._running:
            if room and not sequence.decodes:
                tokens = min(sequence.prompt - sequence.cached, room)
                self._step.append((sequence, tokens))
                room -= tokens
        context = sum(sequence.cached for sequence, _ in self._step)
        return self._speed.step_s(sum(tokens for _, tokens in self._step), context)

    def begun(self) -> list[Sequence]:
        """Those that the step under way is the first for."""
        return [sequence for sequence, _ in self._step if not sequence.cached]

    def end(self) -> list[Sequence]:
        """The step is over; those to whom it gave a token, in order."""
        for sequence, tokens in self._step:
            sequence.cached += tokens
        served = [sequence for sequence, _ in self._step if sequence.cached >= sequence.prompt]
        for sequence in served:
            sequence.produced += 1
        self._running = [sequence for sequence in self._running if not sequence.done]
        self._step = []
        return served
