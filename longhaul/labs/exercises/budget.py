"""Lab 9: the cheapest purchases that bring a cluster to 95 % of what money can buy. All sets are reckoned by the
model, the one that was chosen is run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from random import Random

from longhaul.api.asking import forecast
from longhaul.api.inputs import Topology, Workload, topology, workload
from longhaul.labs.attempt import Attempt, Marked
from longhaul.labs.draws import Drawn

ENOUGH = 0.95
TIE = 0.015
"""No set of purchases may come so near to `ENOUGH`."""


@dataclass(frozen=True)
class Purchase:
    """Something that money buys: what it sets in the topology."""

    path: str
    value: str


PURCHASES = {
    "fibre-c1-c2": Purchase("links.c1-c2.rate", "800Gbit/s"),
    "fibre-c2-c3": Purchase("links.c2-c3.rate", "800Gbit/s"),
    "shortcut-c1-c3": Purchase("links.c1-c3.distance", "100km"),
    "repair-host": Purchase("campuses.c1.hosts[0].exceptions", "{}"),
    "new-gpus-c3": Purchase("campuses.c3.hosts[0].accelerator", "H100"),
}


def cluster(drawn: Drawn) -> Topology:
    """Three campuses with several faults, as bad as was drawn."""
    chance = Random(int(drawn["faults"]))
    slow = {1: {"slowdown": round(1 + chance.choice((0.03, 0.15, 0.3, 0.5)), 2)}}
    rates = [chance.choice((100, 200, 400, 600)) for _ in range(2)]
    far_km = chance.choice((300, 1500, 4000))
    accelerator = chance.choice(("A100", "H100", "H200"))
    host = {"count": 2, "accelerator": "H100"}
    ends = (("c1", "c2", rates[0], 100), ("c2", "c3", rates[1], 100), ("c1", "c3", 800, far_km))
    return topology(
        "faulty",
        scale={"bytes": 5000},
        campuses={
            "c1": {"hosts": [host | {"exceptions": slow}]},
            "c2": {"hosts": [host]},
            "c3": {"hosts": [host | {"accelerator": accelerator}]},
        },
        links={
            f"{a}-{b}": {"between": [a, b], "distance": f"{km}km", "rate": f"{rate}Gbit/s"}
            for a, b, rate, km in ends
        },
    )


def prices(drawn: Drawn) -> dict[str, float]:
    """Millions of dollars, by purchase."""
    chance = Random(int(drawn["prices"]))
    return {name: chance.randrange(20, 100) / 10 for name in PURCHASES}


TRAINING: Workload = workload(
    "training", "training",
    model={"parameters": 2e9, "dtype": "bf16"}, batch={"tokens": "1Mi"}, iterations=4, warmup=2,
)  # fmt: skip


def mended(drawn: Drawn, bought: frozenset[str]) -> Topology:
    """The cluster with some purchases made."""
    return cluster(drawn).set({PURCHASES[one].path: PURCHASES[one].value for one in sorted(bought)})


@cache
def _reached(faults: int) -> dict[frozenset[str], float]:
    """By set of purchases, the share of the best speed that the model expects."""
    drawn: Drawn = {"faults": faults}
    sets = [frozenset(some) for count in range(6) for some in combinations(PURCHASES, count)]
    took_s = {one: forecast(mended(drawn, one), TRAINING)[0].iteration_s for one in sets}
    return {one: took_s[frozenset(PURCHASES)] / seconds for one, seconds in took_s.items()}


def cheapest(drawn: Drawn) -> float:
    """What the cheapest sufficient set costs."""
    enough = [one for one, share in _reached(int(drawn["faults"])).items() if share >= ENOUGH]
    return min(cost(drawn, one) for one in enough)


def cost(drawn: Drawn, bought: frozenset[str]) -> float:
    """Millions of dollars."""
    return round(sum(prices(drawn)[one] for one in bought), 1)


def fair(drawn: Drawn) -> bool:
    """Whether two or three purchases are needed, and no set is near the threshold."""
    reached = _reached(int(drawn["faults"]))
    fewest = min(len(one) for one, share in reached.items() if share >= ENOUGH)
    return 2 <= fewest <= 4 and all(abs(share - ENOUGH) > TIE for share in reached.values())


def mark(work: Attempt) -> Iterator[Marked]:
    """The ideal and the chosen set are run, and the price compared."""
    asked = f"an iteration at {ENOUGH:.0%} of the speed with all purchases, or better"
    listed = work.answers.get("buy")
    known = isinstance(listed, list) and set(map(str, listed)) <= PURCHASES.keys()
    if not known or not listed:
        said = f"buy: {listed!r}: a list of some of {', '.join(PURCHASES)}"
        yield Marked("fast", False, asked, said)
        yield Marked("cheapest", False, "the cheapest such set", said)
        return
    assert isinstance(listed, list)
    bought = frozenset(map(str, listed))
    best, own = (_iteration_s(work, one) for one in (frozenset(PURCHASES), bought))
    fast = best / own >= ENOUGH
    given = " ".join(sorted(bought))
    yield Marked(
        "fast",
        fast,
        asked,
        f"{own * 1e3:.1f} ms, with all {best * 1e3:.1f} ms: {best / own:.1%}",
        given,
    )
    price, least = cost(work.drawn, bought), cheapest(work.drawn)
    said = f"{price:g} million USD" + (
        "" if price <= least else ": there is a cheaper set that is fast enough"
    )
    yield Marked("cheapest", fast and price <= least, "the cheapest such set", said, given)


def _iteration_s(work: Attempt, bought: frozenset[str]) -> float:
    return work.run(mended(work.drawn, bought), TRAINING).training.iterations.p50_s


def prepare(folder: Path, drawn: Drawn) -> None:
    """The cluster, and what things cost."""
    (folder / "cluster.yaml").write_text(cluster(drawn).to_yaml())
    lines = [
        f"{name}: {{price: {price}, set: '{PURCHASES[name].path}={PURCHASES[name].value}'}}"
        for name, price in prices(drawn).items()
    ]
    (folder / "catalogue.yaml").write_text("# Prices in million USD.\n" + "\n".join(lines) + "\n")
