"""A cost model fitted to a run: α and β of each class of link, from its messages; and what it says of larger fabrics.

In: a run. Out: per class (inside a campus, between two campuses) the time of a message as α + β·bytes, and the time of
a ring all-reduce for any number of ranks, campuses in the shares that they have (`analysis.findings.rings`, exact),
with its error where the run itself can be predicted: the same collective, of the same size, entered at the same times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import msgspec
import numpy as np
import polars as pl

from analysis.findings.rings import Hops, entered_s, ring_all_reduce_s
from analysis.findings.stalls import collectives
from analysis.findings.tail import nearest_rank
from analysis.form.training import CostModel, Fit, ModelCheck, Projection
from analysis.run import Run
from analysis.tables import NS

INSIDE = "inside a campus"
SCALES = (24, 1_000, 10_000, 100_000)
"""Ranks that a prediction is printed for."""


def fits(run: Run) -> list[Fit]:
    """Each class of link that the run used, inside campuses first, then pairs of campuses by name."""
    inside = pl.col("src_campus") == pl.col("dst_campus")
    own, between = run.messages.filter(inside), run.messages.filter(~inside)
    made = [_class(INSIDE, own, 0.0)] if own.height else []
    for (src, dst), rows in between.group_by("src_campus", "dst_campus", maintain_order=True):
        made.append(_class(f"{src} → {dst}", rows, _propagation_s(run, str(src), str(dst))))
    return sorted(made, key=lambda one: (one.name != INSIDE, one.name))


def ring(run: Run, classes: Sequence[Fit], ranks: int) -> list[Hops]:
    """The hops of a ring of so many ranks, campus by campus, each with its share of them as in the run."""
    campuses: list[str] = run.ranks.sort("rank")["campus"].to_list()
    by_name = {one.name: one for one in classes}
    slowest = max(classes, key=lambda one: (one.alpha_s, one.beta_s_per_byte))
    found = []
    runs = [(campus, len(list(members))) for campus, members in groupby(campuses)]
    for (campus, count), (after, _) in zip(runs, [*runs[1:], runs[0]], strict=True):
        inside = max(1, round(count * ranks / len(campuses))) - (campus != after)
        own, across = by_name.get(INSIDE, slowest), by_name.get(f"{campus} → {after}", slowest)
        found.append(Hops(inside, own.alpha_s, own.beta_s_per_byte))
        found.append(Hops(int(campus != after), across.alpha_s, across.beta_s_per_byte))
    return [hops for hops in found if hops.count]


def is_ring(workload: Mapping[str, Any]) -> bool:
    """Whether a workload's collective is a ring all-reduce, of which formulas are known."""
    return (workload.get("op"), workload.get("algorithm")) == ("all_reduce", "ring")


def cost_model(run: Run) -> CostModel:
    """The fits, what they say of this very run (with the error), and of larger ones.

    Empty fits where the run's messages say nothing. Predictions are of ring all-reduces only.
    """
    classes = fits(run)
    rings = is_ring(run.workload)
    if not classes or not rings or not _whole(run):
        return CostModel(classes=classes, check=None, scales=[])
    size = float(run.workload["size_bytes"])
    return CostModel(
        classes=classes,
        check=_check(run, classes, size),
        scales=[
            Projection(ranks=ranks, collective_s=ring_all_reduce_s(ring(run, classes, ranks), size))
            for ranks in sorted({run.world_size, *SCALES})
            if ranks >= run.world_size
        ],
    )


def _whole(run: Run) -> bool:
    """Whether a message is a rank's whole piece: over several channels, or in segments, it is not what the ring's
    formula sends."""
    largest = run.messages["bytes"].max()
    return int(largest or 0) * run.world_size >= 0.9 * float(run.workload["size_bytes"])  # type: ignore[arg-type]


def _check(run: Run, classes: Sequence[Fit], size_bytes: float) -> ModelCheck:
    """Of the collectives of that size alone, entered as the ranks usually did."""
    alike = collectives(run.measured).filter(pl.col("bytes") == pl.col("bytes").max())
    times = alike.group_by("iteration", "task").agg(
        pl.col("start_ns").max().alias("start"), pl.col("end_ns").max().alias("end")
    )
    measured_s = nearest_rank((times["end"] - times["start"]).cast(pl.Float64).sort() * NS, 0.5)
    late = pl.col("start_ns") - pl.col("start_ns").min().over("iteration", "task")
    usual = (
        alike.select("rank", late=late).group_by("rank").agg(pl.col("late").median()).sort("rank")
    )
    predicted_s = entered_s(
        ring(run, classes, run.world_size), size_bytes, (usual["late"] * NS).to_list()
    )
    return ModelCheck(
        predicted_s=predicted_s, measured_s=measured_s, error=measured_s / predicted_s - 1
    )


def _class(name: str, rows: pl.DataFrame, propagation_s: float) -> Fit:
    """From messages that were awaited, where most were: all of their way was on the wire. Where most came one behind
    the other, what is seen of each is its time on the slowest wire: β without α. The few that were awaited then are
    those after a pause, for which TCP's window has to grow again."""
    awaited = rows.filter(pl.col("peer_late_ns") > 0)
    if 2 * awaited.height >= rows.height:
        return _fit(name, awaited, propagation_s)
    behind = _fit(name, rows.filter(pl.col("peer_late_ns") <= 0), 0.0)
    return msgspec.structs.replace(behind, alpha_s=behind.alpha_s + propagation_s)


def _fit(name: str, rows: pl.DataFrame, propagation_s: float) -> Fit:
    """Through the median time of each size; one size alone gives a slope above the plan's delay."""
    usual = rows.group_by("bytes").agg(pl.col("transfer_ns").median()).sort("bytes")
    sizes = usual["bytes"].to_numpy().astype(np.float64)
    seconds = usual["transfer_ns"].to_numpy() * NS
    if len(sizes) == 1 or np.ptp(sizes) < 0.05 * sizes.max():
        beta = max(float(seconds.mean() - propagation_s), 0.0) / float(sizes.mean())
        return Fit(name, propagation_s, beta, rows.height, len(sizes))
    slope, intercept = np.polyfit(sizes, seconds, 1)
    return Fit(name, max(float(intercept), 0.0), float(slope), rows.height, len(sizes))


def _propagation_s(run: Run, src: str, dst: str) -> float:
    """The delay of the link from one campus to another, as planned; 0 where no link joins them."""
    for link in run.plan["links"]:
        for ends, way in (
            ((link["a"], link["b"]), "forward"),
            ((link["b"], link["a"]), "backward"),
        ):
            if ends == (src, dst):
                return float(link[way]["delay_s"])
    return 0.0
