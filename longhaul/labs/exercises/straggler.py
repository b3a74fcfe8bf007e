"""Lab 5: who is late, by a student's own analysis of a run's events: of the given run and of another with
another straggler.

The reference is what longhaul finds in the same runs.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from longhaul.api.inputs import Topology, Workload, topology, workload
from longhaul.api.results import Run
from longhaul.labs import catalogue
from longhaul.labs.attempt import Attempt, Marked, unread
from longhaul.labs.calls import Answered, Call
from longhaul.labs.draws import Drawn

FILE = "late.py"
WITHIN = 1e-6
HOSTS = 6
EVENTS = "events.parquet"


def fabric(drawn: Drawn) -> Topology:
    """Six alike hosts in two campuses; one of them computes more slowly."""
    late = int(drawn["straggler"])
    slow = {late % 3 + 1: {"slowdown": float(drawn["slowdown"])}}
    groups = [
        {"count": 3, "accelerator": "H100"} | ({"exceptions": slow} if late // 3 == at else {})
        for at in (0, 1)
    ]
    return topology(
        "late",
        scale={"bytes": 10_000},
        campuses={"c1": {"hosts": [groups[0]]}, "c2": {"hosts": [groups[1]]}},
        links={"c1-c2": {"between": ["c1", "c2"], "distance": "100km", "rate": "400Gbit/s"}},
    )


def training(drawn: Drawn) -> Workload:
    """Some steps of data-parallel training, every host a little slower at random."""
    return workload(
        "training", "training",
        model={"parameters": 1e9, "dtype": "bf16"}, batch={"tokens": "1Mi"},
        iterations=int(drawn["iterations"]), warmup=2,
        slowdowns={"distribution": "half-normal", "spread": "1%"},
    )  # fmt: skip


def prepare(folder: Path, drawn: Drawn) -> None:
    """The events of the student's run, and nothing that says who was slow."""
    work = Attempt(catalogue.lab("5"), folder, "", drawn)
    shutil.copyfile(_run(work, drawn).path / EVENTS, folder / EVENTS)


def _run(work: Attempt, drawn: Drawn) -> Run:
    return work.run(fabric(drawn), training(drawn))


def mark(work: Attempt) -> Iterator[Marked]:
    """Three functions on the events of two runs."""
    cases = (work.drawn, work.variants[0])
    runs = [_run(work, one) for one in cases]
    names = [f"events-{number}.parquet" for number in range(len(runs))]
    given = {name: run.path / EVENTS for name, run in zip(names, runs, strict=True)}
    calls = [
        Call(FILE, function, {"path": name, "warmup": 2})
        for function in ("straggler", "slowdown", "cost_rank_s")
        for name in names
    ]
    answers = work.called(calls, given)
    yield _who(cases, answers[:2])
    yield _number(
        "slowdown",
        [_slowdown(run, one) for run, one in zip(runs, cases, strict=True)],
        answers[2:4],
    )
    yield _number("cost", [_waited_s(run) for run in runs], answers[4:])


def _who(cases: tuple[Drawn, ...], answers: list[Answered]) -> Marked:
    asked = "the rank that the others wait for, in your run and in another"
    for number, (one, answer) in enumerate(zip(cases, answers, strict=True)):
        if why := unread(answer):
            return Marked("straggler", False, asked, why)
        if answer.value != one["straggler"]:
            return Marked(
                "straggler", False, asked, f"rank {answer.value:g} in {_which(number)}: no"
            )
    return Marked("straggler", True, asked, f"rank {answers[0].value}, and right in the other run")


def _which(number: int) -> str:
    return "another run" if number else "your run"


def _number(task: str, due: list[float], answers: list[Answered]) -> Marked:
    asked = f"the same as longhaul finds, to {WITHIN:g} of it, in your run and in another"
    for number, (reference, answer) in enumerate(zip(due, answers, strict=True)):
        if why := unread(answer):
            return Marked(task, False, asked, why)
        if abs(answer.value / reference - 1) > WITHIN:
            off = answer.value / reference - 1
            return Marked(
                task, False, asked, f"{answer.value:.9g} in {_which(number)} is off by {off:+.2g}"
            )
    return Marked(task, True, asked, f"{answers[0].value:.9g}")


def _measured(run: Run) -> pl.DataFrame:
    return run.events.filter(pl.col("iteration") >= 2).collect()


def _slowdown(run: Run, one: Drawn) -> float:
    """Mean compute of the straggler over that of all others, iterations of the warm-up left out."""
    compute = _measured(run).filter(pl.col("kind") == "compute")
    spent = compute.with_columns(spent=pl.col("end_ns") - pl.col("start_ns"))
    late = pl.col("rank") == one["straggler"]
    means = spent.select(
        late=pl.col("spent").filter(late).mean(), rest=pl.col("spent").filter(~late).mean()
    )
    return float(means["late"].item() / means["rest"].item())


def _waited_s(run: Run) -> float:
    """Rank-seconds between each rank's entry into the collective and the last rank's: of all measured iterations."""
    entries = _measured(run).filter(pl.col("kind") == "collective")
    last = pl.col("start_ns").max().over("iteration", "task")
    return float(entries.select((last - pl.col("start_ns")).sum()).item()) / 1e9
