"""`auto`: the algorithm that should be fastest on a fabric, by the α–β model.

Pure: the same plan and size always choose the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import TypeAlias

from scenario.plan.types import End
from traffic.collectives import Layout, Options, algorithms_of, make_schedule
from traffic.model.wires import Lane, Wires, largest_bytes
from traffic.schedule import Schedule

BURSTING = ("direct", "parameter_server")
"""With these all send to many at once, and the model knows nothing of the packets that are lost when a queue is full:
chosen only where none can be."""
Duration: TypeAlias = Callable[[Schedule], float]
INNER = ("ring", "halving_doubling")
OUTER = ("ring", "halving_doubling", "tree")


@dataclass(frozen=True)
class Choice:
    """An algorithm with its options, and how long it should take."""

    algorithm: str
    options: Options
    predicted_s: float


def choose(
    wires: Wires, op: str, size_bytes: int, options: Options, duration_s: Duration
) -> Choice:
    """The fastest for carried `size_bytes` among all hosts of some wires, where `duration_s` says how long
    a schedule should take."""
    found = predictions(wires, op, size_bytes, options, duration_s)
    return min(found, key=lambda choice: choice.predicted_s)


def predictions(
    wires: Wires, op: str, size_bytes: int, options: Options, duration_s: Duration
) -> Iterator[Choice]:
    """How long each candidate should take; of equals the simplest comes first. Those that burst past a
    queue are left out, if any other is there."""
    layout = Layout(tuple(host.campus for host in wires.plan.hosts))
    made = [
        (algorithm, chosen, make_schedule(op, algorithm, layout, size_bytes, chosen))
        for algorithm, chosen in candidates(op, layout, options)
    ]
    steady = [one for one in made if one[0] not in BURSTING or not overflows(wires, one[2])]
    for algorithm, chosen, schedule in steady or made:
        yield Choice(algorithm, chosen, duration_s(schedule))


def candidates(op: str, layout: Layout, options: Options) -> Iterator[tuple[str, Options]]:
    """All algorithms, with the options that matter to them."""
    for algorithm in algorithms_of(op):
        if algorithm != "hierarchical":
            yield algorithm, options
        elif len(layout.groups()) > 1:
            for inner, outer in product(INNER, OUTER):
                yield algorithm, replace(options, inner=inner, outer=outer)


def overflows(wires: Wires, schedule: Schedule) -> bool:
    """Whether what all ranks may send at once, at the start, is more packets than a queue on their ways
    holds."""
    packets: Counter[End] = Counter()
    for lane, size_bytes in _first(wires, schedule):
        count = -(-size_bytes // wires.framing.payload_bytes)
        packets.update(dict.fromkeys(wires.ends(lane)[1:], count))
    return any(count > end.shape.limit_packets for end, count in packets.items())


def _first(wires: Wires, schedule: Schedule) -> Iterator[tuple[Lane, int]]:
    """Every message that waits for nothing, by its lane and its bytes."""
    lanes = wires.lanes(largest_bytes([schedule]))
    for rank, ops in enumerate(schedule):
        for op in ops:
            if op.kind == "send" and not op.after:
                yield lanes[rank, op.peer, op.channel], op.size
