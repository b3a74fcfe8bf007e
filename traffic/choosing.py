"""`auto`: the algorithm that should be fastest on a fabric, by the α–β model.

Pure: the same plan and size always choose the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from longhaul.fabric.plan import TCP_IP_HEADERS, Plan
from traffic.collectives import Layout, Options, algorithms_of, make_schedule
from traffic.model import Model

BURSTING = ("direct", "parameter_server")
"""With these many send to one port at once, and the model knows nothing of the packets that are lost when
its queue is full: chosen only where all of it fits into the shortest queue."""
INNER = ("ring", "halving_doubling")
SETTLED = 3  # iterations after which who ends early also enters early
OUTER = ("ring", "halving_doubling", "tree")


@dataclass(frozen=True)
class Choice:
    """An algorithm with its options, and how long it should take."""

    algorithm: str
    options: Options
    predicted_s: float


def choose(
    plan: Plan, op: str, size_bytes: int, options: Options, compute_s: Sequence[float] | None = None
) -> Choice:
    """The fastest for carried `size_bytes` among all hosts of a plan, over and over, with so much compute
    on each host in between (default: none), from the last one's entry to the last one's end."""
    found = predictions(plan, op, size_bytes, options, compute_s)
    return min(found, key=lambda choice: choice.predicted_s)


def predictions(
    plan: Plan, op: str, size_bytes: int, options: Options, compute_s: Sequence[float] | None = None
) -> Iterator[Choice]:
    """How long each candidate should take; of equals the simplest comes first."""
    model = Model(plan)
    layout = Layout(tuple(host.campus for host in plan.hosts))
    compute_s = compute_s or [0.0] * layout.ranks
    room = _shortest_queue(plan)
    lossy = [name for name in BURSTING if _burst_packets(plan, name, size_bytes, options) > room]
    for algorithm, chosen in candidates(op, layout, options, lossy):
        schedule = make_schedule(op, algorithm, layout, size_bytes, chosen)
        yield Choice(algorithm, chosen, model.collective_s(schedule, compute_s, SETTLED))


def candidates(
    op: str, layout: Layout, options: Options, lossy: Sequence[str]
) -> Iterator[tuple[str, Options]]:
    """Algorithms that can be chosen, with the options that matter to them; `lossy` ones if need be."""
    names = algorithms_of(op)
    for algorithm in [name for name in names if name not in lossy] or names:
        if algorithm != "hierarchical":
            yield algorithm, options
        elif len(layout.groups()) > 1:
            for inner, outer in product(INNER, OUTER):
                yield algorithm, replace(options, inner=inner, outer=outer)


def _burst_packets(plan: Plan, algorithm: str, size_bytes: int, options: Options) -> int:
    """The most that may be sent to one port at once: from everybody, the share of one who sums."""
    ranks = len(plan.hosts)
    summing = ranks if algorithm == "direct" else options.servers
    segment_bytes = plan.mtu_bytes - TCP_IP_HEADERS
    return (ranks - 1) * math.ceil(size_bytes / summing / segment_bytes)


def _shortest_queue(plan: Plan) -> int:
    ends = [link.b for link in plan.links if link.kind == "host"]
    ends += [
        end for link in plan.links if link.kind in ("fabric", "long-haul") for end in link.ends
    ]
    return min((end.shape.limit_packets for end in ends), default=0)
