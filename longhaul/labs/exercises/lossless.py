"""Lab 11: PFC's headroom by length and rate of the cable, held against longhaul's own and against a fabric that
must lose nothing with it, and something with half of it."""

from __future__ import annotations

from collections.abc import Iterator

from longhaul.api.inputs import Topology, Workload, topology, workload
from longhaul.api.results import Run
from longhaul.labs.attempt import Attempt, Marked, unread
from longhaul.labs.calls import Answered, Call
from longhaul.labs.draws import Drawn
from scenario.plan.headroom import PAUSE_FRAME_BYTES, headroom_bytes
from scenario.plan.types import ETHERNET_HEADER, Shape

FILE = "answer.py"
WITHIN = 0.01
MTU = 4200
FRAME = MTU + ETHERNET_HEADER
SECONDS_PER_KM = 1.468 / 299_792.458
XOFF_BYTES = 4e6
SCALE = 100
COARSE_FRAME = SCALE * (FRAME + PAUSE_FRAME_BYTES / 3)
"""Rates and buffers are a hundredth in the fabric, frames and pauses are not: each counts as a hundred."""


def shape(rate_bps: float, km: float) -> Shape:
    """A port at the end of a cable."""
    return Shape(rate_bps, km * SECONDS_PER_KM, 1)


def due(one: Drawn) -> float:
    """The headroom that longhaul computes for this cable."""
    end = shape(float(one["rate_Gbps"]) * 1e9, float(one["distance_km"]))
    return headroom_bytes(end, end, FRAME)


def mark(work: Attempt) -> Iterator[Marked]:
    """One function, for several cables; two runs with what it says for the student's own."""
    answers = work.called(
        [*(call(one, FRAME) for one in work.every), call(work.drawn, round(COARSE_FRAME))]
    )
    yield _formula(work, answers[:-1])
    last = answers[-1]
    own = last.value if not unread(last) and 1e4 <= last.value <= 1e9 else None
    yield _lossless(work, own)
    yield _needed(work, own)


def call(one: Drawn, frame_bytes: int) -> Call:
    """The student's headroom of a cable."""
    rate_bps, delay_s = float(one["rate_Gbps"]) * 1e9, float(one["distance_km"]) * SECONDS_PER_KM
    told = {"rate_bps": rate_bps, "delay_s": delay_s, "frame_bytes": frame_bytes}
    return Call(FILE, "headroom_bytes", told)


def _formula(work: Attempt, answers: list[Answered]) -> Marked:
    asked = f"the headroom of your cable and of {len(answers) - 1} others, ± {WITHIN:.0%}"
    for one, answer in zip(work.every, answers, strict=True):
        if why := unread(answer):
            return Marked("headroom", False, asked, why)
        if abs(answer.value / due(one) - 1) > WITHIN:
            said = (
                f"{answer.value / 1e6:.4f} MB at {one['distance_km']} km, {one['rate_Gbps']} Gbit/s"
            )
            return Marked("headroom", False, asked, said)
    return Marked("headroom", True, asked, f"{answers[0].value / 1e6:.4f} MB for yours")


def fabric(drawn: Drawn, headroom: float) -> Topology:
    """A fast host far away sends to a slow one; between them switches that pause rather than lose."""
    rate = f"{drawn['rate_Gbps']}Gbit/s"
    slow = f"{float(drawn['rate_Gbps']) / int(drawn['slower'])}Gbit/s"
    host = {"count": 1, "accelerator": "H100", "name": "h", "nics": 1}
    pausing = {"xoff": f"{XOFF_BYTES:.0f}B", "headroom": f"{headroom:.0f}B"}
    return topology(
        "lossless",
        scale={"bytes": SCALE},
        mtu=MTU,
        rdma={"congestion": "none"},
        switches={"pausing": {"buffer": "20GB", "pfc": pausing, "source": "assumed"}},
        campuses={
            "c1": {"switch": "pausing", "hosts": [host | {"nic": slow}]},
            "c2": {"switch": "pausing", "hosts": [host | {"nic": rate}]},
        },
        links={
            "c1-c2": {
                "between": ["c1", "c2"],
                "distance": f"{drawn['distance_km']}km",
                "rate": rate,
            }
        },
    )


def transfer(drawn: Drawn) -> Workload:
    """The far host's load to the slow one, several times what the cable holds."""
    size = 12 * due(drawn) / 2
    return workload(
        "transfer", "training",
        transport="roce", model={"parameters": round(size), "dtype": "bf16"}, batch={"tokens": "1Ki"},
        iterations=2, warmup=0,
    )  # fmt: skip


def resent(run: Run) -> int:
    """How often something was missed and sent again, by all adapters' word."""
    return sum(one.retransmissions + one.naks_received for one in run.training.adapters)


def _lossless(work: Attempt, headroom: float | None) -> Marked:
    asked = "with your headroom nothing is lost in the fabric"
    if headroom is None:
        return Marked("lossless", False, asked, "there is no headroom from 10 kB to 1 GB to try")
    found = resent(work.run(fabric(work.drawn, headroom), transfer(work.drawn)))
    return Marked("lossless", found == 0, asked, f"{found} losses")


def _needed(work: Attempt, headroom: float | None) -> Marked:
    asked = "with half of your headroom something is lost: it is not more than is needed by far"
    if headroom is None:
        return Marked("needed", False, asked, "there is no headroom from 10 kB to 1 GB to try")
    found = resent(work.run(fabric(work.drawn, headroom / 2), transfer(work.drawn)))
    return Marked("needed", found > 0, asked, f"{found} losses with half of it")
