"""Lab 1: round trips held against the fabric's own check; the distance that costs a ring ten per cent, by
running it there."""

from __future__ import annotations

from collections.abc import Iterator

from longhaul.api.asking import forecast
from longhaul.api.inputs import Topology, Workload, topology, workload
from longhaul.labs.attempt import Attempt, Marked, unread
from longhaul.labs.calls import Answered, Call
from longhaul.labs.draws import Drawn

FILE = "answer.py"
RTT_WITHIN = 0.001
LOSS, LOSS_WITHIN = 0.10, 0.005
NEAR_M = 1.0
GB = 1e9
TRIPS_RATE = "100Gbit/s"
"""Of links whose round trip alone is asked for: the check of their goodput is long enough at that."""


def mark(work: Attempt) -> Iterator[Marked]:
    """Two functions, called for the student's own parameters and for others; one run for all of it, and one at
    no distance."""
    trips = [
        Call(FILE, "round_trip_s", {"distance_km": one["distance_km"], "medium": one["medium"]})
        for one in work.every
    ]
    rates = [_rate_bps(one) for one in work.every]
    lengths = [
        Call(FILE, "distance_km_of_ten_percent", {"rate_bps": rate, "size_bytes": GB})
        for rate in rates
    ]
    answers = work.called([*trips, *lengths])
    trip_answers, length_answers = answers[: len(trips)], answers[len(trips) :]
    km = length_answers[0].value if not unread(length_answers[0]) else None
    usable = km if km is not None and 1 <= km <= 10_000 else None
    measured = work.run(fabric(work.every, usable), RING)
    yield _trips(
        work,
        trip_answers,
        [one.measured or 0.0 for one in measured.fidelity if one.quantity == "rtt"],
    )
    yield _ten_percent(work, length_answers, usable)


def _rate_bps(drawn: Drawn) -> float:
    return float(drawn["rate_Gbps"]) * 1e9


def fabric(every: tuple[Drawn, ...], ring_km: float | None) -> Topology:
    """A ring of two hosts, so far apart; and a link for each of the drawn distances, in a line behind them."""
    host = {"hosts": [{"count": 1, "accelerator": "H100"}]}
    campuses = {f"c{number}": host for number in range(1, len(every) + 3)}
    rate = f"{every[0]['rate_Gbps']}Gbit/s"
    links = {"c1-c2": _link(1, ring_km or NEAR_M / 1000, "fibre", rate)}
    for number, one in enumerate(every, start=2):
        links[f"c{number}-c{number + 1}"] = _link(
            number, float(one["distance_km"]), str(one["medium"]), TRIPS_RATE
        )
    return topology("light", scale={"bytes": 200}, campuses=campuses, links=links)


def _link(number: int, km: float, medium: str, rate: str) -> dict[str, object]:
    ends = [f"c{number}", f"c{number + 1}"]
    return {"between": ends, "distance": f"{km!r}km", "medium": medium, "rate": rate}


RING: Workload = workload(
    "ring", "training",
    runs_on=["c1", "c2"], model={"parameters": 0.5e9, "dtype": "bf16"}, batch={"tokens": "1Ki"},
    iterations=3, warmup=2,
)  # fmt: skip
"""All-reduces of 1 GB, with next to no compute."""


def _trips(work: Attempt, answers: list[Answered], measured: list[float]) -> Marked:
    """Round trips: the fidelity check has measured the drawn links (the first is the ring's)."""
    asked = f"{measured[1] * 1e3:.4f} ms ± {RTT_WITHIN:.1%} over your link, and as near for {len(measured) - 2} others"
    for number, (answer, found) in enumerate(zip(answers, measured[1:], strict=True)):
        if why := unread(answer):
            return Marked("round-trip", False, asked, why)
        if abs(answer.value / found - 1) > RTT_WITHIN:
            whose = "over your link" if number == 0 else f"with {work.every[number]}"
            return Marked("round-trip", False, asked, f"{answer.value * 1e3:.4f} ms {whose}")
    return Marked("round-trip", True, asked, f"{answers[0].value * 1e3:.4f} ms")


def _ten_percent(work: Attempt, answers: list[Answered], km: float | None) -> Marked:
    """The first answer by running the ring there and at no distance; the others by the model."""
    name = "ten-percent"
    asked = f"a ring that takes {LOSS:.0%} (± {LOSS_WITHIN:.1%}) longer than at no distance"
    for number, (answer, one) in enumerate(zip(answers, work.every, strict=True)):
        if why := unread(answer):
            return Marked(name, False, asked, why)
        if not 1 <= answer.value <= 10_000:
            return Marked(name, False, asked, f"{answer.value:g} km is not from 1 to 10,000")
        longer = _longer(work, answer.value) if number == 0 else _longer_by_model(one, answer.value)
        if abs(longer - LOSS) > LOSS_WITHIN:
            whose = "" if number == 0 else f" at {one['rate_Gbps']} Gbit/s"
            said = f"{longer:.1%} longer at your {answer.value:.1f} km{whose}"
            return Marked(name, False, asked, said, given=answers[0].value)
    return Marked(name, True, asked, f"yours, run at your {km:.1f} km, does", given=km)


def _longer(work: Attempt, km: float) -> float:
    near = work.run(fabric(work.every, None), RING).training.collective.p50_s
    return work.run(fabric(work.every, km), RING).training.collective.p50_s / near - 1


def _longer_by_model(one: Drawn, km: float) -> float:
    far, near = (
        forecast(fabric((one,), at), RING)[0].prediction["collective_s"] for at in (km, None)
    )
    return float(far / near - 1)
