"""Lab 12: how far off prompts may be read until the first token is late, and where prompts should be read and
answered: by runs at the answers."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.form.summary import ServingSummary
from longhaul.api.inputs import Topology, Workload, topology, workload
from longhaul.labs.attempt import Attempt, Marked
from longhaul.labs.draws import Drawn

STEP_KM, FARTHEST_KM = 100, 15_000
NEAR, FAR = ("c1-h100-1", "c1-h100-2"), ("c2-h100-1", "c2-h100-2", "c2-h100-3", "c2-h100-4")
PLACES = {"near": (NEAR[:1], NEAR[1:]), "far": (FAR[:2], FAR[2:]), "split": (FAR, NEAR)}
"""Who reads prompts, and who answers."""
HAIR_S = 0.1e-3
"""A tenth of what a step in distance costs: so near to the objective, p99 may be said to keep it or not."""
AS_GOOD = 1.02
"""A placement whose p99 is within 2 % of the best one's is as good."""


def fabric(drawn: Drawn, km: float) -> Topology:
    """Two hosts beside the users, four across the river."""
    link = {"between": ["c1", "c2"], "distance": f"{km:g}km", "rate": f"{drawn['rate_Gbps']}Gbit/s"}
    return topology(
        "river",
        scale={"bytes": 1000},
        campuses={
            "c1": {"hosts": [{"count": len(NEAR), "accelerator": "H100"}]},
            "c2": {"hosts": [{"count": len(FAR), "accelerator": "H100"}]},
        },
        links={"c1-c2": link},
    )


def chat(drawn: Drawn, place: str) -> Workload:
    """Users at c1 ask; some hosts read their prompts, others answer."""
    readers, answerers = PLACES[place]
    return workload(
        "chat", "inference",
        runs_on=[*readers, *answerers], prefill_on=list(readers), clients=["c1"],
        model={"preset": "llama-3-70b"}, prompt={"mean": 1000}, output={"mean": 8},
        arrivals={"kind": "poisson", "rate": f"{drawn['requests_per_s']}/s"}, requests=500, warmup="4s",
    )  # fmt: skip


def p99_s(work: Attempt, km: float, place: str) -> float:
    """Of the time to the first token."""
    found = work.run(fabric(work.drawn, km), chat(work.drawn, place)).summary
    assert isinstance(found, ServingSummary)
    return found.serving[0].first_token.p99_s


def mark(work: Attempt) -> Iterator[Marked]:
    """Two runs at a distance, three placements."""
    yield _farthest(work)
    yield _placement(work)


def _farthest(work: Attempt) -> Marked:
    name = "farthest"
    limit_s = float(work.drawn["objective_ms"]) / 1e3
    asked = (
        f"read far off and answered near by, p99 of the first token is within {limit_s * 1e3:g} ms at your distance,"
        f" and not {STEP_KM} km farther off"
    )
    km = work.number("farthest-km")
    if km is None or not STEP_KM <= km <= FARTHEST_KM or km % STEP_KM:
        said = f"{work.answers.get('farthest-km')!r} is no multiple of {STEP_KM} from {STEP_KM} to {FARTHEST_KM}"
        return Marked(name, False, asked, said)
    here, beyond = (p99_s(work, at, "split") for at in (km, km + STEP_KM))
    said = f"{here * 1e3:.2f} ms at {km:g} km, {beyond * 1e3:.2f} ms at {km + STEP_KM:g} km"
    right = here <= limit_s + HAIR_S and beyond > limit_s - HAIR_S
    return Marked(name, right, asked, said, km)


def _placement(work: Attempt) -> Marked:
    name, km = "placement", float(work.drawn["distance_km"])
    asked = f"where p99 of the first token is least, the river being {km:g} km wide"
    given = work.answers.get("placement")
    if given not in PLACES:
        return Marked(name, False, asked, f"{given!r} is none of {', '.join(PLACES)}")
    found = {place: p99_s(work, km, place) for place in PLACES}
    right = found[str(given)] <= AS_GOOD * min(found.values())
    return Marked(name, right, asked, f"{given}: {found[str(given)] * 1e3:.1f} ms", given)
