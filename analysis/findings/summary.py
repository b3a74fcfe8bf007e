"""The answer of a run as plain data: `summary.json`, and one sentence at its head.

In: a finished run folder. Out: a dictionary in SI units; bandwidths and sizes are the real world's,
with the carried (scaled) ones beside them. Warm-up iterations are left out. The terminal and the
report show nothing else.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from analysis.findings import background, hops, incidents, oneway, serving
from analysis.findings.bandwidth import algbw, bus_factor
from analysis.findings.blame import between_groups, blame_by_rank, blame_matrix
from analysis.findings.costmodel import cost_model
from analysis.findings.critical import described
from analysis.findings.efficiency import efficiency
from analysis.findings.headline import headline
from analysis.findings.latencies import latencies, slowest_entries, slowest_messages
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
from analysis.run import Run, load_run, trains
from analysis.tables import NS, digest

Data = dict[str, Any]
MEANS = [
    "compute_s",
    "sync_wait_s",
    "compute_wait_s",
    "transfer_s",
    "exposed_communication_s",
    "hidden_communication_s",
    "idle_s",
]


def write_summary(run_dir: Path) -> Data:
    """Analyse a run folder, write its `summary.json`, and return what was written."""
    run_dir = Path(run_dir)
    beside = {"background": background.summarise(run_dir), "probes": oneway.summarise(run_dir)}
    summary = _summary(run_dir) | beside
    text = json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False)
    (run_dir / "summary.json").write_text(text + "\n", encoding="utf-8")
    return summary


def _summary(run_dir: Path) -> Data:
    if not trains(run_dir):
        return serving.summarise_service(run_dir)
    served = [serving.summarise(one) for one in serving.load_served(run_dir)]
    summary = summarise(load_run(run_dir))
    said = " ".join([summary["headline"], *(f"{serving.sentence(one)}." for one in served)])
    return summary | {"headline": said, "serving": served}


def summarise(run: Run) -> Data:
    """Everything that `summary.json` holds. Keys: docs/analysis.md."""
    iteration_times = tail(_seconds(iterations(run)["duration_ns"]))
    summary = {
        "name": run.manifest.get("name", run.path.name),
        "digest": digest(run.recorded),
        "seed": run.manifest.get("seed"),
        "time": run.manifest.get("time"),
        "machine": run.manifest.get("machine"),
        "world_size": run.world_size,
        "warmup": run.warmup,
        "iterations": iteration_times.as_dict(),
        "collective": _collective(run),
        "stalls": _stalls(run),
        "critical_path": described(run),
        "efficiency": efficiency(run, by_rank(run), iteration_times.mean_s),
        "timeline": [cost.as_dict() for cost in incidents.costs(run)],
        "tail": {
            "kinds": latencies(run),
            "slowest_messages": slowest_messages(run),
            "slowest_collectives": slowest_entries(run),
        },
        "links": hops.between_campuses(run).to_dicts(),
        "prediction": _prediction(run),
        "cost_model": cost_model(run),
        "fidelity": run.fidelity,
        "faithful": faithful(run.fidelity),
    }
    return {"headline": headline(summary), **summary}


def faithful(fidelity: list[Data]) -> bool:
    """Whether everything that was checked is within its limit; nothing checked is not faithful."""
    return bool(fidelity) and all(check["ok"] for check in fidelity)


def _collective(run: Run) -> Data:
    """Size, time and bandwidth, of several kinds of collective those that move most; the time is from the
    last rank's entry to the last end. `wrong` is the number of results that were not the sum, None
    where they were not looked at."""
    workload = run.workload
    times = collective_times(run.measured)
    most = _moves_most(workload)
    if most:
        times = times.filter(pl.col("task").is_in(most["tasks"]))
    taken = tail(_seconds(times["transfer_ns"]))
    op = workload.get("op", "all_reduce")
    factor = bus_factor(op, most["ranks"] if most else run.world_size)
    carried = float(workload["size_bytes"])

    def bandwidths(size_bytes: float) -> Data:
        rate = algbw(size_bytes, taken.mean_s)
        return {"size_bytes": size_bytes, "algbw_Bps": rate, "busbw_Bps": rate * factor}

    return {
        "op": op,
        "algorithm": workload.get("algorithm", ""),
        **bandwidths(carried * run.scale),
        "carried": bandwidths(carried),
        "wrong": run.manifest.get("wrong"),
        **taken.as_dict(),
    }


def _moves_most(workload: Data) -> Data | None:
    """Of the collectives of an iteration, those that move most bytes; None where the plan lists none."""
    listed: list[Data] = workload.get("collectives", [])
    return max(listed, key=lambda one: one["size_bytes"] * len(one["tasks"]), default=None)


def _stalls(run: Run) -> Data:
    found = what_if(run)
    ranks = _blamed_ranks(run).join(slowdown_by_rank(run, found), on="rank", how="left")
    means = ranks.select(pl.col(MEANS).mean()).to_dicts()[0]
    return {
        **means,
        "slowdown": found.slowdown,
        "waste": found.waste,
        "slowdown_compute": found.slowdown_compute,
        "slowdown_communication": found.slowdown_communication,
        "ideal": {
            "iteration_s": found.ideal_s,
            "compute_s": found.ideal_compute_s,
            "communication_s": found.ideal_communication_s,
            "definition": DEFINITION,
        },
        "one_campus": _one_campus(run, found.actual_s),
        "by_accelerator": by_group(ranks, ["accelerator"]).to_dicts(),
        "by_campus": by_group(ranks, ["campus"]).to_dicts(),
        "by_group": by_group(ranks, ["accelerator", "campus"]).to_dicts(),
        "blame": _blame(run),
        "by_rank": ranks.to_dicts(),
    }


def _blamed_ranks(run: Run) -> pl.DataFrame:
    count = run.measured["iteration"].n_unique()
    blamed = blame_by_rank(collectives(run.measured), run.ranks["rank"].to_list(), count)
    late = lateness(run)
    return by_rank(run).join(blamed, on="rank").join(late, on="rank").sort("rank")


def _blame(run: Run) -> Data:
    """Rank-seconds per iteration that the ranks of one group (row) waited for those of another."""
    count = run.measured["iteration"].n_unique()
    matrix = blame_matrix(collectives(run.measured), run.ranks["rank"].to_list()) / count
    labels = run.ranks.select(pl.format("{} · {}", "accelerator", "campus")).to_series().to_list()
    names, rows = between_groups(matrix, labels)
    return {"groups": names, "waited_s": rows}


def _one_campus(run: Run, actual_s: float) -> Data | None:
    """Slowdown against the plan's ideal: one campus of uniform hardware; None where it has none."""
    ideal_s = run.prediction.get("ideal_iteration_s")
    if not ideal_s:
        return None
    return {"iteration_s": ideal_s, "slowdown": actual_s / ideal_s, "waste": 1 - ideal_s / actual_s}


def _prediction(run: Run) -> Data:
    """The alpha-beta prediction beside the measured p50; the error is relative."""
    predicted = run.prediction
    measured_s = tail(_seconds(collective_times(run.measured)["transfer_ns"])).p50_s
    collective_s = predicted.get("collective_s")
    return {
        "collective_s": collective_s,
        "textbook_s": predicted.get("textbook_s"),
        "measured_s": measured_s,
        "error": measured_s / collective_s - 1 if collective_s else None,
    }


def _seconds(nanoseconds: pl.Series) -> pl.Series:
    return nanoseconds.cast(pl.Float64) * NS
