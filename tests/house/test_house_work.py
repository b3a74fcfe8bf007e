"""Work grows as what is asked for does: calls of functions, counted, of a size and of its double. No clock is read, so
the figures are the same on every machine. An exponent that is allowed is that of the answer's own size, and some."""

import cProfile
import json
import math
import pstats
from collections.abc import Callable
from functools import partial

import pytest

from longhaul.planning import make_plan
from scenario.loading import document_of, topology_of, workload_of
from scenario.plan.types import Plan
from scenario.types.topology import Training
from traffic.training import kind

HOST = {"count": 1, "name": "h", "accelerator": "H100"}
LINK = {"distance": "50mi", "rate": "400Gbit/s"}


def calls(work: Callable[[], object]) -> int:
    """How many functions are called, those written in C among them."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


def exponent(work: Callable[[int], object], size: int) -> float:
    """p, where work grows as size to the p. What is made once is made before."""
    work(size)
    return math.log2(calls(partial(work, 2 * size)) / calls(partial(work, size)))


def planned(
    ends: list[tuple[int, int]], link: dict[str, str] | None = None, hosts: int = 1, **more: object
) -> Plan:
    """A topology of links between numbered campuses, read and planned."""
    names = sorted({f"c{end}" for pair in ends for end in pair})
    links = {
        f"l{number}": LINK | (link or {}) | {"between": [f"c{a}", f"c{b}"]}
        for number, (a, b) in enumerate(ends)
    }
    campus = {"hosts": [HOST | {"count": hosts}]}
    written = {"longhaul": 1, "name": "large", "campuses": dict.fromkeys(names, campus)}
    text = json.dumps(written | {"links": links} | more)
    return make_plan(topology_of(document_of(text, "large.yaml")))


def hosts(count: int) -> Plan:
    return planned([(0, 1)], hosts=count)


def bundle(count: int) -> Plan:
    """Links side by side."""
    return planned([(0, 1)] * count)


def drift(steps: int) -> Plan:
    event = {"event": "drift", "link": "l0", "to-age": "25y", "at": "1s", "for": "1s"}
    return planned(
        [(0, 1)],
        {"age": "12y", "condition": "damp", "aging": "step"},
        timeline=[event | {"steps": steps}],
    )


def events(count: int) -> Plan:
    event = {"event": "link-down", "link": "l0", "for": "1ms"}
    return planned([(0, 1)], timeline=[event | {"at": f"{n}s"} for n in range(count)])


def ring(campuses: int) -> Plan:
    return planned([(n, (n + 1) % campuses) for n in range(campuses)])


def star(campuses: int) -> Plan:
    return planned([(0, n) for n in range(1, campuses)])


def buckets(count: int) -> object:
    written = {
        "longhaul": 1, "name": "ddp", "kind": "training", "batch": {"tokens": 1000},
        "model": {"parameters": 1e9, "dtype": "bf16"}, "iterations": 1,
        "strategy": {"kind": "ddp", "bucket": f"{2000 // count}MB", "first-bucket": "1MB"},
    }  # fmt: skip
    workload = workload_of(document_of(json.dumps(written), "ddp.yaml"))
    assert isinstance(workload, Training)
    return kind.prepare(workload, FOUR, seed=1)


FOUR = planned([(0, 1)], hosts=2)


@pytest.mark.parametrize(
    ("work", "size", "most"),
    [
        pytest.param(hosts, 100, 1.2, id="hosts"),
        pytest.param(bundle, 60, 1.2, id="links-side-by-side"),
        pytest.param(drift, 200, 1.2, id="steps-of-a-drift"),
        pytest.param(events, 100, 1.2, id="events"),
        pytest.param(buckets, 80, 1.2, id="buckets"),  # all small enough that TCP paces them
        pytest.param(star, 31, 2.0, id="campuses-of-a-star"),
        pytest.param(ring, 24, 2.6, id="campuses-of-a-ring"),
    ],
)
def test_work_grows_as_what_is_asked_for(
    work: Callable[[int], object], size: int, most: float
) -> None:
    assert exponent(work, size) < most


def test_what_is_quadratic_would_be_found() -> None:
    def pairs(count: int) -> None:
        for a in range(count):
            for b in range(count):
                max(a, b)

    assert exponent(pairs, 50) == pytest.approx(2, abs=0.1)
