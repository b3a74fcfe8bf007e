"""When there is load: periods on and off, one after the other, without end. Standard library alone."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

_NS = 1_000_000_000
Periods = Iterator[tuple[int, int]]
"""How long there is load and how long then none, nanoseconds."""
FOR_EVER_NS = 2**62


def constant() -> Periods:
    """Load without a pause."""
    yield FOR_EVER_NS, 0


def on_off(busy_s: float, idle_s: float) -> Periods:
    """As long each time."""
    while True:
        yield round(busy_s * _NS), round(idle_s * _NS)


def pareto(busy_s: float, idle_s: float, shape: float, seed: str) -> Periods:
    """Pareto-distributed times of these means: x_m·U^(−1/shape), with x_m = mean·(shape − 1)/shape."""
    draw = random.Random(seed)
    while True:
        busy, idle = (
            (shape - 1) / shape * mean * draw.paretovariate(shape) for mean in (busy_s, idle_s)
        )
        yield max(round(busy * _NS), 1), max(round(idle * _NS), 1)


PATTERNS: dict[str, Callable[..., Periods]] = {
    "constant": constant,
    "on-off": on_off,
    "pareto": pareto,
}
