"""Lab 10: from which distance on DiLoCo beats DDP, by runs of both on either side; a notebook that runs, a
report in shape."""

from __future__ import annotations

import re
from collections.abc import Iterator

from longhaul.api.asking import forecast
from longhaul.api.inputs import Topology, Workload, topology, workload
from longhaul.labs.attempt import Attempt, Marked, unread
from longhaul.labs.calls import Call
from longhaul.labs.draws import Drawn
from longhaul.labs.guest import notebooks

STEP_KM = 100
NEAREST_KM, FARTHEST_KM = 200, 3000
REPORT, NOTEBOOK, VARIABLE = "report.md", "notebook.ipynb", "crossover_km"
HEADINGS = ("Question", "Measurements", "Conclusion")
WORDS = (150, 700)
LEAST_CELLS = 3


def fabric(drawn: Drawn, km: float) -> Topology:
    """Two campuses of some hosts, so far apart."""
    campus = {"hosts": [{"count": int(drawn["hosts"]), "accelerator": "H100"}]}
    link = {"between": ["c1", "c2"], "distance": f"{km:g}km", "rate": f"{drawn['rate_Gbps']}Gbit/s"}
    return topology(
        "far", scale={"bytes": 2000}, campuses={"c1": campus, "c2": campus}, links={"c1-c2": link}
    )


def ddp() -> Workload:
    """Every step sums gradients, in buckets, while the backward pass goes on."""
    strategy = {"kind": "ddp", "bucket": "250MB", "first-bucket": "250MB"}
    return workload(
        "ddp", "training",
        model={"parameters": 1e9, "dtype": "bf16"}, batch={"tokens": "1Mi"},
        strategy=strategy, iterations=5, warmup=2,
    )  # fmt: skip


def diloco(drawn: Drawn) -> Workload:
    """Campuses train by themselves, and average once in so many steps. An iteration is all of these."""
    return workload(
        "diloco", "training",
        model={"parameters": 1e9, "dtype": "bf16"}, batch={"tokens": "1Mi"},
        strategy={"kind": "diloco", "inner-steps": int(drawn["inner_steps"])},
        collective={"op": "all_reduce", "algorithm": "hierarchical"}, iterations=2, warmup=1,
    )  # fmt: skip


def fair(drawn: Drawn) -> bool:
    """Whether DDP wins near by and DiLoCo far off, by the model."""
    ahead = [_ahead_by_model(drawn, km) for km in (NEAREST_KM, FARTHEST_KM)]
    return ahead[0] < -0.001 and ahead[1] > 0.01


def _ahead_by_model(drawn: Drawn, km: float) -> float:
    """By how much of DDP's time DiLoCo is faster."""
    place = fabric(drawn, km)
    step = forecast(place, diloco(drawn))[0].iteration_s / int(drawn["inner_steps"])
    return 1 - step / forecast(place, ddp())[0].iteration_s


def mark(work: Attempt) -> Iterator[Marked]:
    """A distance, by four runs; a notebook, in a guest; a report, by its shape."""
    km = work.number("crossover-km")
    yield _crossover(work, km)
    yield _notebook(work, km)
    yield _report(work, km)


def ahead(work: Attempt, km: float) -> float:
    """By how much of DDP's time a step of DiLoCo is faster, in the fabric."""
    place = fabric(work.drawn, km)
    cycle = work.run(place, diloco(work.drawn)).training.iterations.p50_s
    step = work.run(place, ddp()).training.iterations.p50_s
    return 1 - cycle / int(work.drawn["inner_steps"]) / step


def _crossover(work: Attempt, km: float | None) -> Marked:
    name = "crossover"
    asked = f"DDP is faster {STEP_KM} km nearer than you say, DiLoCo {STEP_KM} km farther off"
    if km is None or not NEAREST_KM <= km <= FARTHEST_KM or km % STEP_KM:
        said = f"{work.answers.get('crossover-km')!r} is no multiple of {STEP_KM} from {NEAREST_KM} to {FARTHEST_KM}"
        return Marked(name, False, asked, said)
    near, far = (ahead(work, km + way) for way in (-STEP_KM, STEP_KM))
    said = f"DiLoCo is ahead by {near:+.2%} at {km - STEP_KM:g} km, by {far:+.2%} at {km + STEP_KM:g} km"
    return Marked(name, near < 0 < far, asked, said, km)


def _notebook(work: Attempt, km: float | None) -> Marked:
    name = "notebook"
    asked = f"{LEAST_CELLS} cells or more, which all run and end with {VARIABLE} as you say it"
    call = Call(str(notebooks.__file__), "carried_out", {"file": NOTEBOOK, "variable": VARIABLE})
    (answer,) = work.called([call])
    if why := unread(answer, dict):
        return Marked(name, False, asked, why)
    cells, value = answer.value.get("cells"), answer.value.get("value")
    enough = isinstance(cells, int) and cells >= LEAST_CELLS
    said = f"{cells} cells, {VARIABLE} = {value!r}"
    return Marked(name, km is not None and value == km and enough, asked, said)


def _report(work: Attempt, km: float | None) -> Marked:
    """Its shape alone: what it argues a person has to read."""
    name = "report"
    asked = (
        f"headings {', '.join(HEADINGS)}; {WORDS[0]} to {WORDS[1]} words; your distance, all three"
    )
    path = work.folder / REPORT
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    words = len(text.split())
    missing = [one for one in HEADINGS if not re.search(rf"^#+ *{one}", text, re.M | re.I)]
    missing += [one for one in ("DDP", "DiLoCo", "lease") if one.lower() not in text.lower()]
    missing += (
        [] if km is not None and re.search(rf"\b{km:.0f}\s*km", text) else ["your distance in km"]
    )
    said = f"{words} words" + (f"; missing: {', '.join(missing)}" if missing else "")
    return Marked(name, not missing and WORDS[0] <= words <= WORDS[1], asked, said)
