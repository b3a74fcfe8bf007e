"""Lab 11: PFC's headroom by length and rate of the cable, held against longhaul's own and against a fabric that
must lose nothing with it, and something with half of it; and the ECN threshold with which DCQCN keeps an incast within
a buffer, while twice as much does not."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, inf

import polars as pl

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
BUFFER = "500MB"
"""Enough for all that is reserved; what a timeout is follows from it, as all of it may have to leave first."""
FRAME = MTU + ETHERNET_HEADER
WIRE_BYTES = 4154
"""A packet of RoCE with 4096 bytes."""
SECONDS_PER_KM = 1.468 / 299_792.458
XOFF_BYTES = 4e6
NOTIFIED_S = 50e-6
"""DCQCN's least time between two notifications of a flow."""
RAISED_S = 55e-6
"""So long after one a flow's rate rises again."""
ROUND_TRIP_S = 15e-6
"""Through one switch: cables, and frames on them."""
ALPHA = 8
PUSHED_BYTES = 160e6
"""What all senders of the incast send together."""
LEAST_SHARE = 0.65
"""Of its line the receiver must get so much."""
MARKS_WITHIN = 0.05
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


def overrun_bytes(one: Drawn) -> float:
    """What an incast sends into a buffer beyond n thresholds: (n−1)·r for a round trip and a notification's
    time; then all halve their rates in each such time, until together they are the line's."""
    senders, bytes_per_s = int(one["senders"]), float(one["incast_Gbps"]) * 1e9 / 8
    halved, surplus = senders / 2, 0.0
    while halved > 1:
        surplus, halved = surplus + halved - 1, halved / 2
    first_s = (senders - 1) * (ROUND_TRIP_S + NOTIFIED_S)
    return bytes_per_s * (first_s + surplus * NOTIFIED_S)


def threshold_bytes(one: Drawn) -> float:
    """The greatest ECN threshold with which the incast stays in the share of the buffer that a queue may take."""
    room = float(one["buffer_MB"]) * 1e6 * ALPHA / (1 + ALPHA)
    return (room - overrun_bytes(one)) / int(one["senders"])


def notified_s(one: Drawn) -> float:
    """From one notification of a flow to the next: it waits for one of its packets, and flows come in turn."""
    turn_s = int(one["senders"]) * WIRE_BYTES * 8 / (float(one["incast_Gbps"]) * 1e9)
    return ceil(NOTIFIED_S / turn_s) * turn_s


def fair(drawn: Drawn) -> bool:
    """Whether the threshold counts for more than what comes on top, as else twice of it might do as well; and
    notifications come before rates rise again, as else the formula is too small."""
    counts = int(drawn["senders"]) * threshold_bytes(drawn) > overrun_bytes(drawn)
    return counts and notified_s(drawn) < RAISED_S - 1e-6


def mark(work: Attempt) -> Iterator[Marked]:
    """Two functions, for several fabrics; two runs each with what they say for the student's own."""
    cables = [call(one, FRAME) for one in work.every]
    own = call(work.drawn, round(COARSE_FRAME))
    answers = work.called([*cables, own, *map(marks_call, work.every)])
    count = len(cables)
    yield _formula(work, answers[:count])
    headroom = _within(answers[count], 1e8)
    yield _lossless(work, headroom)
    yield _needed(work, headroom)
    yield _marks(work, answers[count + 1 :])
    yield _incast(work, _within(answers[count + 1], float(work.drawn["buffer_MB"]) * 1e6))


def _within(answer: Answered, most: float) -> float | None:
    """An answer that the fabric can be asked about."""
    return answer.value if not unread(answer) and 1e4 <= answer.value <= most else None


def marks_call(one: Drawn) -> Call:
    """The student's threshold for an incast."""
    told = {
        "senders": int(one["senders"]),
        "rate_bps": float(one["incast_Gbps"]) * 1e9,
        "buffer_bytes": float(one["buffer_MB"]) * 1e6,
        "round_trip_s": ROUND_TRIP_S,
    }
    return Call(FILE, "threshold_bytes", told)


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
        switches={"pausing": {"buffer": BUFFER, "pfc": pausing, "source": "assumed"}},
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
        return Marked("lossless", False, asked, "there is no headroom from 10 kB to 100 MB to try")
    found = resent(work.run(fabric(work.drawn, headroom), transfer(work.drawn)))
    return Marked("lossless", found == 0, asked, f"{found} losses")


def _needed(work: Attempt, headroom: float | None) -> Marked:
    asked = "with half of your headroom something is lost: it is not more than is needed by far"
    if headroom is None:
        return Marked("needed", False, asked, "there is no headroom from 10 kB to 100 MB to try")
    found = resent(work.run(fabric(work.drawn, headroom / 2), transfer(work.drawn)))
    return Marked("needed", found > 0, asked, f"{found} losses with half of it")


def _marks(work: Attempt, answers: list[Answered]) -> Marked:
    asked = f"the threshold of your incast and of {len(answers) - 1} others, ± {MARKS_WITHIN:.0%}"
    for one, answer in zip(work.every, answers, strict=True):
        if why := unread(answer):
            return Marked("marks", False, asked, why)
        if abs(answer.value / threshold_bytes(one) - 1) > MARKS_WITHIN:
            said = f"{answer.value / 1e3:.1f} kB for {one['senders']} senders at {one['incast_Gbps']} Gbit/s"
            return Marked("marks", False, asked, f"{said}, {one['buffer_MB']} MB")
    return Marked("marks", True, asked, f"{answers[0].value / 1e3:.1f} kB for yours")


def switch(drawn: Drawn, threshold: float) -> Topology:
    """Several hosts and one more on a switch that marks whatever arrives beyond a threshold."""
    marks = {"min": f"{threshold:.0f}B", "max": f"{threshold:.0f}B", "probability": "100%"}
    model = {"buffer": f"{drawn['buffer_MB']}MB", "alpha": ALPHA, "ecn": marks}
    host = {"accelerator": "H100", "name": "h", "gpus": 1, "nics": 1}
    hosts = [host | {"count": int(drawn["senders"]) + 1, "nic": f"{drawn['incast_Gbps']}Gbit/s"}]
    within = {"kind": "single", "host-delay": "2us"}
    return topology(
        "incast",
        mtu=MTU,
        rdma={"congestion": "dcqcn"},
        switches={"marking": model | {"source": "assumed"}},
        campuses={"c1": {"fabric": within, "switch": "marking", "hosts": hosts}},
    )


def push(drawn: Drawn) -> Workload:
    """All hosts send their gradients to the first one, at once; then it sends them the sum."""
    size = PUSHED_BYTES / int(drawn["senders"])
    return workload(
        "push", "training",
        transport="roce", model={"parameters": round(size / 2), "dtype": "bf16"}, batch={"tokens": "1Ki"},
        collective={"algorithm": "parameter_server"}, iterations=1, warmup=0,
    )  # fmt: skip


def received_s(run: Run) -> float:
    """How long it took until the first host had it all."""
    came = run.events.filter((pl.col("rank") == 0) & (pl.col("kind") == "recv"))
    took = came.select(pl.col("end_ns").max() - pl.col("start_ns").min()).collect().item()
    return int(took) / 1e9 if took else inf


def _incast(work: Attempt, threshold: float | None) -> Marked:
    asked = (
        f"with your threshold the incast loses nothing and fills {LEAST_SHARE:.0%} of the receiver's line, and with"
        " twice of it it loses something"
    )
    if threshold is None:
        said = "there is no threshold from 10 kB to the buffer's size to try"
        return Marked("incast", False, asked, said)
    once, twice = (
        work.run(switch(work.drawn, part * threshold), push(work.drawn)) for part in (1, 2)
    )
    line = float(work.drawn["incast_Gbps"]) * 1e9 / 8
    share = PUSHED_BYTES / received_s(once) / line
    said = (
        f"{resent(once)} losses, {share:.0%} of the line; with twice of it {resent(twice)} losses"
    )
    right = resent(once) == 0 and share >= LEAST_SHARE and resent(twice) > 0
    return Marked("incast", right, asked, said)
