"""Who asks what, and when: drawn from a workload's distributions, or as a trace has it. Pure.

Chance is the seed's alone. The requests of all clients come from one process and are dealt out to them
at random: thinned in this way a Poisson process stays one.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, takewhile
from statistics import NormalDist

from scenario.types.inference import Arrivals, Inference, Tokens


@dataclass(frozen=True)
class Request:
    """One request: `prompt` tokens arrive at a client (its index) and get `output` tokens back."""

    number: int
    client: int
    at_ns: int
    prompt: int
    output: int


def requests(workload: Inference, clients: int, seed: int) -> list[Request]:
    """All requests of a run, in the order of their arrival."""
    chance = random.Random(f"{seed}/{workload.name}")
    coming = islice(_coming(workload, chance), workload.requests)
    until_s = math.inf if workload.duration_s is None else workload.duration_s
    return [
        Request(number, int(chance.random() * clients), round(at_s * 1e9), prompt, output)
        for number, (at_s, prompt, output) in enumerate(
            takewhile(lambda row: row[0] < until_s, coming)
        )
    ]


def _coming(workload: Inference, chance: random.Random) -> Iterator[tuple[float, int, int]]:
    """(seconds, prompt tokens, output tokens), for ever or to the end of the trace."""
    if workload.prompt is None or workload.output is None:
        yield from workload.arrivals.recorded
        return
    for at_s in _times_s(workload.arrivals, chance):
        yield at_s, _tokens(workload.prompt, chance), _tokens(workload.output, chance)


def _times_s(arrivals: Arrivals, chance: random.Random) -> Iterator[float]:
    at_s = 0.0
    while True:
        at_s += _gap_s(arrivals, chance)
        yield at_s


def _gap_s(arrivals: Arrivals, chance: random.Random) -> float:
    """Seconds between two arrivals; gamma's shape is 1/cv², 1 for Poisson."""
    if arrivals.kind == "even":
        return 1 / arrivals.rate_hz
    if arrivals.kind == "poisson":
        return chance.expovariate(arrivals.rate_hz)
    shape = arrivals.cv**-2
    return chance.gammavariate(shape, 1 / (shape * arrivals.rate_hz))


def _tokens(tokens: Tokens, chance: random.Random) -> int:
    drawn = max(1, round(_DRAW[tokens.distribution](tokens, chance)))
    return min(drawn, tokens.most)


def _fixed(tokens: Tokens, _: random.Random) -> float:
    return tokens.mean


def _geometric(tokens: Tokens, chance: random.Random) -> float:
    """1, 2, …, each the last one with probability 1/mean; by inversion."""
    if tokens.mean <= 1:
        return 1
    return math.ceil(math.log(1 - chance.random()) / math.log(1 - 1 / tokens.mean))


def _log_normal(tokens: Tokens, chance: random.Random) -> float:
    variance = math.log(1 + tokens.cv**2)
    uniform = min(max(chance.random(), 1e-15), 1 - 1e-15)
    drawn = NormalDist(math.log(tokens.mean) - variance / 2, math.sqrt(variance)).inv_cdf(uniform)
    return math.exp(drawn)


_DRAW = {"fixed": _fixed, "geometric": _geometric, "log-normal": _log_normal}
