"""A replica without a network: requests arrive, and get their tokens when the batch says so."""

from collections.abc import Iterable
from dataclasses import dataclass

from traffic.serving.batching import ContinuousBatch, Sequence


@dataclass(frozen=True)
class Token:
    request: int
    number: int
    at_s: float


def serve(batch: ContinuousBatch, arrivals: Iterable[tuple[float, int, int]]) -> list[Token]:
    """Tokens in the order in which they come, of requests numbered in the order of their arrival."""
    coming = [
        (at_s, Sequence(n, prompt, output)) for n, (at_s, prompt, output) in enumerate(arrivals)
    ]
    coming.reverse()
    now_s, tokens = 0.0, []
    while coming or len(batch):
        if not len(batch):
            now_s = max(now_s, coming[-1][0])
        while coming and coming[-1][0] <= now_s:
            batch.add(coming.pop()[1])
        now_s += batch.begin()
        tokens += [Token(one.request, one.produced - 1, now_s) for one in batch.end()]
    return tokens
