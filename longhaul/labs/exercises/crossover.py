"""Lab 3: α–β of two all-reduces by the published formulas; where they cross, by running both on either side of it."""

from __future__ import annotations

from collections.abc import Iterator
from math import log2

from longhaul.api.inputs import Topology, topology
from longhaul.labs.attempt import Attempt, Marked, unread
from longhaul.labs.calls import Answered, Call
from longhaul.labs.draws import Drawn
from scenario.types.topology import Collective
from traffic.benchmark import Benchmark

FILE = "answer.py"
WITHIN = 0.01
BESIDE = 1.6
"""So many times smaller and larger than the crossing both are run."""
SIZES = (1e5, 1e7, 1e9)
SCALE = 10
MOST_UNDER_WAY = 5e6


def ring_s(hosts: int, alpha_s: float, rate_bps: float, size_bytes: float) -> float:
    """2(n−1)α + 2(n−1)/n·Sβ [Patarasuk & Yuan 2009]"""
    return 2 * (hosts - 1) * (alpha_s + size_bytes / hosts * 8 / rate_bps)


def doubling_s(hosts: int, alpha_s: float, rate_bps: float, size_bytes: float) -> float:
    """lg n·(α + Sβ) [Thakur, Rabenseifner & Gropp 2005]"""
    return log2(hosts) * (alpha_s + size_bytes * 8 / rate_bps)


def crossing_bytes(hosts: int, alpha_s: float, rate_bps: float) -> float:
    """Where both are equal: each is a line in S."""
    at_0 = ring_s(hosts, alpha_s, rate_bps, 0) - doubling_s(hosts, alpha_s, rate_bps, 0)
    slope = doubling_s(hosts, 0, rate_bps, 1) - ring_s(hosts, 0, rate_bps, 1)
    return at_0 / slope


def fair(drawn: Drawn) -> bool:
    """Whether so little is under way on a cable that TCP's windows are open after the warm-up: looked at up to 5 MB."""
    delay_s, rate_bps = 2 * float(drawn["host_delay_us"]) * 1e-6, float(drawn["rate_Gbps"]) * 1e9
    return delay_s * rate_bps / 8 <= MOST_UNDER_WAY


def mark(work: Attempt) -> Iterator[Marked]:
    """Three functions, for the student's own parameters and for others; two sizes in one fabric."""
    wanted = [
        Call(FILE, name, _network(one) | {"size_bytes": size})
        for name in ("ring_s", "doubling_s")
        for one in work.every
        for size in SIZES
    ]
    wanted += [Call(FILE, "crossover_bytes", _network(one)) for one in work.every]
    answers = work.called(wanted)
    count = len(work.every) * len(SIZES)
    yield _formula("ring", wanted[:count], answers[:count], ring_s)
    yield _formula("doubling", wanted[count : 2 * count], answers[count : 2 * count], doubling_s)
    crossing = _formula("crossover", wanted[2 * count :], answers[2 * count :], crossing_bytes)
    yield crossing
    yield _both_sides(work, answers[2 * count])


def _network(drawn: Drawn) -> dict[str, float]:
    """What a function is told: hosts, α, rate."""
    return {
        "hosts": int(drawn["hosts"]),
        "alpha_s": 2 * float(drawn["host_delay_us"]) * 1e-6,
        "rate_bps": float(drawn["rate_Gbps"]) * 1e9,
    }


def _formula(task: str, wanted: list[Call], answers: list[Answered], due: object) -> Marked:
    """A function held against the formula."""
    assert callable(due)
    first = float(due(**wanted[0].arguments))
    asked = f"{_said(task, first)} ± {WITHIN:.0%} for {_words(wanted[0])}, and as near for {len(wanted) - 1} others"
    for call, answer in zip(wanted, answers, strict=True):
        if why := unread(answer):
            return Marked(task, False, asked, why)
        if abs(answer.value / due(**call.arguments) - 1) > WITHIN:
            return Marked(task, False, asked, f"{_said(task, answer.value)} for {_words(call)}")
    return Marked(task, True, asked, _said(task, answers[0].value))


def _said(task: str, value: float) -> str:
    return f"{value / 1e6:.4g} MB" if task == "crossover" else f"{value * 1e3:.4g} ms"


def _words(call: Call) -> str:
    return ", ".join(f"{name}={value:g}" for name, value in call.arguments.items())


def fabric(drawn: Drawn) -> Topology:
    """Hosts on one switch, each at the end of a long cable."""
    rate = f"{drawn['rate_Gbps']}Gbit/s"
    hosts = {"count": drawn["hosts"], "accelerator": "H100", "gpus": 1, "nics": 1, "nic": rate}
    one = {"kind": "single", "host-delay": f"{drawn['host_delay_us']}us"}
    return topology(
        "star", scale={"bytes": SCALE}, campuses={"c1": {"fabric": one, "hosts": [hosts]}}
    )


def _both_sides(work: Attempt, answer: Answered) -> Marked:
    """Below the crossing doubling must be faster in the fabric, above it the ring."""
    name, asked = (
        "both-sides",
        f"in the fabric: doubling is faster at 1/{BESIDE:g} of your size, the ring at {BESIDE:g} times",
    )
    if why := unread(answer):
        return Marked(name, False, asked, why)
    if not 1e4 <= answer.value <= 1e9:
        return Marked(name, False, asked, f"{answer.value:g} bytes are not from 1e4 to 1e9")
    sizes = (answer.value / BESIDE, answer.value * BESIDE)
    rows = work.bench(fabric(work.drawn), compared(("ring", "recursive_doubling"), sizes))
    small, large = (rows[at].p50_s / rows[at + 1].p50_s - 1 for at in (0, 2))
    said = f"there the ring takes {small:+.1%}, and {large:+.1%} of doubling's time more"
    return Marked(name, small > 0 > large, asked, said, given=answer.value)


def compared(
    algorithms: tuple[str, ...], sizes: tuple[float, ...], verify: bool = False
) -> Benchmark:
    """All-reduces of these sizes, by each algorithm in turn."""
    return Benchmark(
        name="bench", source="lab", algorithms=algorithms, sizes_bytes=sizes, iterations=3, warmup=1,
        collective=Collective(verify=verify),
    )  # fmt: skip
