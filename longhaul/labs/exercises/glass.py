"""Lab 6: the last year of an aging link at half its rate, by the aging model and the fabric; the year from which
stepping down is better than losing, by runs of both in that year and the one before."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from longhaul.api.inputs import Topology, Workload, topology, workload
from longhaul.labs.attempt import Attempt, Marked
from longhaul.labs.draws import Drawn
from longhaul.machine.dispatch import MachineError
from scenario.errors import WrongInput

OLDEST = 120
HALF = 0.5
RATE_Gbps = 400
WITHIN = 0.01
"""Two times that are nearer to one another than this are equal."""


def fair(drawn: Drawn) -> bool:
    """Whether the link has a last year at half its rate that is neither now nor beyond all years."""
    return 2 <= last_year(drawn) < OLDEST


def link(drawn: Drawn, age: int, condition: str, aging: str) -> Topology:
    """Two hosts and the link at an age."""
    campus = {"hosts": [{"count": 1, "accelerator": "H100"}]}
    between = {
        "between": ["c1", "c2"], "distance": f"{drawn['distance_km']}km", "rate": f"{RATE_Gbps}Gbit/s",
        "age": f"{age}y",
        "condition": condition, "margin": f"{drawn['margin_dB']}dB", "aging": aging,
    }  # fmt: skip
    return topology(
        "glass",
        scale={"bytes": 100},
        campuses={"c1": campus, "c2": campus},
        links={"c1-c2": between},
    )


def share(drawn: Drawn, age: int) -> float:
    """What is left of the rate at an age, stepping down; 0 where the link is down."""
    try:
        return link(drawn, age, str(drawn["condition"]), "step").elaborated.links[0].rate_share
    except WrongInput:
        return 0.0


def last_year(drawn: Drawn) -> int:
    """The last year at half the rate or better; rates only fall with age, so halving finds it."""
    good, bad = 0, OLDEST
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if share(drawn, middle) >= HALF else (good, middle)
    return good


def mark(work: Attempt) -> Iterator[Marked]:
    """A year by the model and the fabric, a year by four runs."""
    yield _last(work)
    yield _turn(work)


def _last(work: Attempt) -> Marked:
    name, asked = (
        "last-year",
        "the last whole year at half the rate or better, while the link steps down",
    )
    year = work.number("last-year")
    if year is None:
        return Marked(name, False, asked, f"{work.answers.get('last-year')!r} is no year")
    due = last_year(work.drawn)
    if year != due:
        return Marked(name, False, asked, f"not {year:g}", year, due)
    old = work.run(link(work.drawn, due, str(work.drawn["condition"]), "step"), RING)
    goodput = [one.measured or 0.0 for one in old.fidelity if one.quantity == "goodput"]
    carried = min(goodput) * 8 * 100 / (RATE_Gbps * 1e9)
    said = f"{year:g}: in the fabric it then carries {carried:.1%} of the new rate"
    return Marked(name, carried >= HALF * (1 - 2 * WITHIN), asked, said, year, due)


def _turn(work: Attempt) -> Marked:
    name = "turn"
    asked = "the first year in which a ring is faster over a link that steps down than over one that loses (damp)"
    year = work.number("stepping-from")
    if year is None or not 1 <= year < 60 or year != int(year):
        return Marked(
            name, False, asked, f"{work.answers.get('stepping-from')!r} is no year from 1 to 59"
        )
    told, gained = [], []
    for age in (int(year) - 1, int(year)):
        losing, stepping = (_ring_s(work, age, aging) for aging in ("loss", "step"))
        told.append(f"in year {age} {_said(losing)} losing, {_said(stepping)} stepping")
        gained.append(gain(losing, stepping))
    right = gained[0] < WITHIN and gained[1] > -WITHIN
    return Marked(name, right, asked, "; ".join(told), year)


def gain(losing_s: float, stepping_s: float) -> float:
    """The share of a ring's time that stepping saves; negative where it costs. Who never ends loses to who does."""
    if inf in (losing_s, stepping_s):
        return float(losing_s == inf) - float(stepping_s == inf)
    return 1 - stepping_s / losing_s


def _said(seconds: float) -> str:
    return "no end of it" if seconds == inf else f"{seconds * 1e3:.1f} ms"


def _ring_s(work: Attempt, age: int, aging: str) -> float:
    """The median all-reduce; where the link is down, or nothing gets through it, there is none."""
    try:
        return work.run(link(work.drawn, age, "damp", aging), RING).training.collective.p50_s
    except (WrongInput, MachineError):
        return inf


RING: Workload = workload(
    "ring", "training",
    model={"parameters": 2e9, "dtype": "bf16"}, batch={"tokens": "1Ki"}, iterations=5, warmup=1,
)  # fmt: skip
"""All-reduces of 4 GB, with next to no compute."""
