"""Lab 2: a buffer that fills a long link, and half of it that does not; both by running one TCP connection over
it."""

from __future__ import annotations

from collections.abc import Iterator

from longhaul.api.inputs import Topology, topology
from longhaul.labs.attempt import Attempt, Marked
from longhaul.labs.draws import Drawn
from scenario.types.topology import Collective
from traffic.benchmark import Benchmark

FULL = 0.975
"""A link is full where it carries this share of what it carries without a loss."""
SECONDS = 8.0
"""Of one transfer at the link's rate: a few cycles of cubic's window."""
SCALE, MTU = 200, 1500
LEAST_PACKETS, MOST_PACKETS = 50, 110


def fair(drawn: Drawn) -> bool:
    """Whether the pipe holds so many packets as carried that windows move smoothly, and few enough that it is
    quick."""
    return LEAST_PACKETS <= pipe_bytes(drawn) / SCALE / MTU <= MOST_PACKETS


def pipe_bytes(drawn: Drawn) -> float:
    """The bandwidth-delay product."""
    return float(drawn["rate_Gbps"]) * 1e9 / 8 * 2 * float(drawn["distance_km"]) * 4.897e-6


def mark(work: Attempt) -> Iterator[Marked]:
    """The product by arithmetic, the buffer by two runs."""
    yield _product(work)
    queue_bytes = work.quantity("queue", "size")
    asked = f"with your buffer the link is full ({FULL:.1%} or more), with half of it not"
    if queue_bytes is None:
        return (yield from _unanswered("queue", asked, work))
    if not SCALE * MTU <= queue_bytes <= 1e9:
        yield from (
            Marked(name, False, asked, "a buffer has one packet or more, and less than 1 GB")
            for name in TASKS
        )
        return
    whole, half = (used(work, queue_bytes / part) for part in (1, 2))
    given = round(queue_bytes)
    yield Marked("fills", whole >= FULL, asked, f"with yours it carries {whole:.1%}", given=given)
    said = f"with yours it carries {whole:.1%}, with half of it {half:.1%}"
    yield Marked("smallest", whole >= FULL > half, asked, said, given=given)


TASKS = ("fills", "smallest")


def _unanswered(key: str, asked: str, work: Attempt) -> Iterator[Marked]:
    said = f"{key}: {work.answers.get(key)!r} is no size"
    yield from (Marked(name, False, asked, said) for name in TASKS)


def _product(work: Attempt) -> Marked:
    """The bandwidth-delay product, within one per cent."""
    asked = "the bytes that are under way when the link is full, ± 1 %"
    found = work.quantity("in-flight", "size")
    if found is None:
        return Marked("in-flight", False, asked, f"{work.answers.get('in-flight')!r} is no size")
    right = abs(found / pipe_bytes(work.drawn) - 1) <= 0.01
    return Marked("in-flight", right, asked, f"{found / 1e6:.3f} MB", found, pipe_bytes(work.drawn))


def fabric(drawn: Drawn, queue_bytes: float) -> Topology:
    """Two hosts; only the long link is slow, so that what waits does so in front of it."""
    campus = {
        "fabric": {"kind": "single", "border-rate": "3.2Tbit/s"},
        "hosts": [{"count": 1, "accelerator": "H100"}],
    }
    link = {
        "between": ["c1", "c2"], "distance": f"{drawn['distance_km']}km",
        "rate": f"{drawn['rate_Gbps']}Gbit/s", "queue": f"{queue_bytes:.0f}B",
    }  # fmt: skip
    return topology(
        "pipe",
        scale={"bytes": SCALE},
        mtu=MTU,
        campuses={"c1": campus, "c2": campus},
        links={"c1-c2": link},
    )


def used(work: Attempt, queue_bytes: float) -> float:
    """The share of the link that one connection fills: the model's time, which knows headers and no losses, over the
    measured."""
    size = float(work.drawn["rate_Gbps"]) * 1e9 / 8 * SECONDS
    wanted = Benchmark(
        name="bench", source="lab", algorithms=("binomial",), sizes_bytes=(size,), iterations=1,
        warmup=1, collective=Collective(op="broadcast"),
    )  # fmt: skip
    (row,) = work.bench(fabric(work.drawn, queue_bytes), wanted)
    return row.predicted_s / row.p50_s
