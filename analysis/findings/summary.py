"""The answer of a run: all findings together, and one sentence at their head.

In: a finished run folder. Out: a `Summary`, and `summary.json`. Warm-up iterations are left out. The terminal
and the report show nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec
import polars as pl

from analysis.findings import adapters, background, hops, network, oneway, serving
from analysis.findings.bandwidth import algbw, bus_factor
from analysis.findings.blame import between_groups, blame_by_rank, blame_matrix
from analysis.findings.collisions import collisions
from analysis.findings.costmodel import cost_model, is_ring
from analysis.findings.critical import described
from analysis.findings.efficiency import efficiency
from analysis.findings.headline import faithful, headline
from analysis.findings.latencies import latencies, slowest_entries, slowest_messages
from analysis.findings.pauses import paused
from analysis.findings.stalls import (
    by_group,
    by_rank,
    collective_times,
    collectives,
    iterations,
    lateness,
)
from analysis.findings.tail import tail
from analysis.findings.whatif import DEFINITION, slowdown_by_rank, what_if
from analysis.form.beside import Adapters
from analysis.form.files import write
from analysis.form.stalls import (
    AtCampus,
    Blame,
    Generation,
    GenerationAtCampus,
    Ideal,
    OneCampus,
    Rank,
    Stalls,
)
from analysis.form.summary import FILE, Summary, TrainingSummary
from analysis.form.training import Bandwidths, Collective, Prediction, Proportion, Tails
from analysis.run import Run, load_run, trains
from analysis.tables import NS, digest

T = TypeVar("T")
MEANS = [
    "compute_s",
    "sync_wait_s",
    "compute_wait_s",
    "transfer_s",
    "exposed_communication_s",
    "hidden_communication_s",
    "idle_s",
]


def write_summary(run_dir: Path) -> Summary:
    """Analyse a run folder, write its `summary.json`, and return what was written."""
    run_dir = Path(run_dir)
    training = trains(run_dir)
    found = summarise(load_run(run_dir)) if training else serving.summarise_service(run_dir)
    write(found, run_dir / FILE)
    return found


def summarise(run: Run) -> TrainingSummary:
    """Everything that `summary.json` of a run that trains holds."""
    iteration_times = tail(_seconds(iterations(run)["duration_ns"]))
    found = TrainingSummary(
        headline="",
        name=run.manifest.get("name", run.path.name),
        digest=digest(run.recorded),
        seed=run.manifest["seed"],
        time=run.manifest["time"],
        machine=run.manifest["machine"],
        world_size=run.world_size,
        warmup=run.warmup,
        iterations=iteration_times,
        collective=_collective(run),
        stalls=_stalls(run),
        critical_path=described(run),
        efficiency=efficiency(run, by_rank(run), iteration_times.mean_s),
        timeline=[cost.told(run.plan) for cost in network.happened(run)],
        tail=Tails(latencies(run), slowest_messages(run), slowest_entries(run)),
        links=hops.links(run),
        prediction=_prediction(run, iteration_times.mean_s),
        cost_model=cost_model(run),
        proportion=_proportion(run),
        collisions=collisions(run.workload),
        fidelity=run.fidelity,
        faithful=faithful(run.fidelity),
        serving=[serving.summarise(one) for one in serving.load_served(run.path)],
        background=background.summarise(run.path),
        probes=oneway.summarise(run.path),
        adapters=adapters.summarise(run.path),
        pauses=paused(run.path),
    )
    sentences = [headline(found), *(f"{serving.sentence(one)}." for one in found.serving)]
    return msgspec.structs.replace(found, headline=" ".join(sentences))


def _collective(run: Run) -> Collective:
    """Size, time and bandwidth, of several kinds of collective those that move most; the time is from the
    last rank's entry to the last end. `wrong` is the number of results that were not the sum, None
    where they were not looked at."""
    workload = run.workload
    most = _moves_most(workload)
    times = _times_of_most(run)
    taken = tail(_seconds(times["transfer_ns"]))
    op = workload.get("op", "all_reduce")
    factor = bus_factor(op, most["ranks"] if most else run.world_size)
    carried = _bandwidths(float(workload["size_bytes"]), taken.mean_s, factor)
    real = _bandwidths(carried.size_bytes * run.scale, taken.mean_s, factor)
    return Collective(
        **msgspec.structs.asdict(taken),
        **msgspec.structs.asdict(real),
        op=op,
        algorithm=workload.get("algorithm", ""),
        carried=carried,
        wrong=run.manifest.get("wrong"),
    )


def _bandwidths(size_bytes: float, time_s: float, factor: float) -> Bandwidths:
    rate = algbw(size_bytes, time_s)
    return Bandwidths(size_bytes=size_bytes, algbw_Bps=rate, busbw_Bps=rate * factor)


def _moves_most(workload: dict[str, Any]) -> dict[str, Any] | None:
    """Of the collectives of an iteration, those that move most bytes; None where the plan lists none."""
    listed: list[dict[str, Any]] = workload.get("collectives", [])
    return max(listed, key=lambda one: one["size_bytes"] * len(one["tasks"]), default=None)


def _stalls(run: Run) -> Stalls:
    found = what_if(run)
    ranks = _blamed_ranks(run).join(slowdown_by_rank(run, found), on="rank", how="left")
    return Stalls(
        **ranks.select(pl.col(MEANS).mean()).to_dicts()[0],
        slowdown=found.slowdown,
        waste=found.waste,
        slowdown_compute=found.slowdown_compute,
        slowdown_communication=found.slowdown_communication,
        ideal=Ideal(
            iteration_s=found.ideal_s,
            compute_s=found.ideal_compute_s,
            communication_s=found.ideal_communication_s,
            definition=DEFINITION,
        ),
        one_campus=_one_campus(run, found.actual_s),
        by_accelerator=_rows(by_group(ranks, ["accelerator"]), Generation),
        by_campus=_rows(by_group(ranks, ["campus"]), AtCampus),
        by_group=_rows(by_group(ranks, ["accelerator", "campus"]), GenerationAtCampus),
        blame=_blame(run),
        by_rank=_rows(ranks, Rank),
    )


def _rows(table: pl.DataFrame, kind: type[T]) -> list[T]:
    """A table's rows, typed."""
    return [msgspec.convert(row, kind) for row in table.iter_rows(named=True)]


def _blamed_ranks(run: Run) -> pl.DataFrame:
    count = run.measured["iteration"].n_unique()
    blamed = blame_by_rank(collectives(run.measured), run.ranks["rank"].to_list(), count)
    found = by_rank(run).join(blamed, on="rank").join(lateness(run), on="rank", how="left")
    late = ["late_begin_s", "late_compute_s", "compute_wait_s"]
    return found.with_columns(pl.col(late).fill_null(0.0)).sort("rank")


def _blame(run: Run) -> Blame:
    """Rank-seconds per iteration that the ranks of one group (row) waited for those of another."""
    count = run.measured["iteration"].n_unique()
    matrix = blame_matrix(collectives(run.measured), run.ranks["rank"].to_list()) / count
    labels = run.ranks.select(pl.format("{} · {}", "accelerator", "campus")).to_series().to_list()
    names, rows = between_groups(matrix, labels)
    return Blame(groups=names, waited_s=rows)


def _one_campus(run: Run, actual_s: float) -> OneCampus | None:
    """Slowdown against the plan's ideal: one campus of uniform hardware; None where it has none."""
    ideal_s = run.prediction.get("ideal_iteration_s")
    if not ideal_s:
        return None
    return OneCampus(iteration_s=ideal_s, slowdown=actual_s / ideal_s, waste=1 - ideal_s / actual_s)


def _proportion(run: Run) -> Proportion | None:
    written = run.workload.get("proportion")
    return msgspec.convert(written, Proportion) if written else None


def _times_of_most(run: Run) -> pl.DataFrame:
    """Times of the collectives that move most bytes; of all where the plan lists none."""
    most, times = _moves_most(run.workload), collective_times(run.measured)
    return times.filter(pl.col("task").is_in(most["tasks"])) if most else times


def _prediction(run: Run, mean_s: float) -> Prediction:
    """The alpha-beta prediction beside the measured p50 of the same collectives, and beside the mean iteration; errors
    are relative."""
    predicted = run.prediction
    measured_s = tail(_seconds(_times_of_most(run)["transfer_ns"])).p50_s
    collective_s, iteration_s = predicted.get("collective_s"), predicted.get("iteration_s")
    beyond_s = measured_s - collective_s if collective_s else 0.0
    return Prediction(
        collective_s=collective_s,
        textbook_s=predicted.get("textbook_s") if is_ring(run.workload) else None,
        measured_s=measured_s,
        error=measured_s / collective_s - 1 if collective_s else None,
        omits=adapters.omitted(_counted(run), beyond_s, paused(run.path)) if collective_s else [],
        iteration_s=iteration_s,
        iteration_error=mean_s / iteration_s - 1 if iteration_s else None,
    )


def _counted(run: Run) -> Adapters | None:
    """By the adapters of the workload that trains, if they counted."""
    counted = {one.name: one for one in adapters.summarise(run.path)}
    return counted.get(run.workload.get("name", ""))


def _seconds(nanoseconds: pl.Series) -> pl.Series:
    return nanoseconds.cast(pl.Float64) * NS
