"""A cost model fitted to a run: α and β of each class of link, from its messages; and what it says of larger fabrics.

In: a run. Out: per class (inside a campus, between two campuses) the time of a message as α + β·bytes, and the time of
a ring all-reduce for any number of ranks and campuses at any distance, with its error where the run itself can be
predicted. α–β as in Thakur, Rabenseifner & Gropp 2005; a ring's steps are as slow as its slowest hop.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import polars as pl

from analysis.findings.stalls import collective_times
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


def ring_s(classes: Sequence[Fit], ranks: int, size_bytes: float) -> float:
    """A ring all-reduce of carried bytes over so many ranks, its hops of these classes.

    2(n − 1) steps of S/n bytes, each as slow as the slowest hop in the ring.
    """
    step_s = max(one.message_s(size_bytes / ranks) for one in classes)
    return 2 * (ranks - 1) * step_s


def cost_model(run: Run) -> CostModel:
    """The fits, what they say of this very run (with the error), and of larger ones.

    Empty fits where the run's messages say nothing. Predictions are of ring all-reduces only.
    """
    classes = fits(run)
    rings = run.workload.get("op") == "all_reduce" and run.workload.get("algorithm") == "ring"
    if not classes or not rings:
        return CostModel(classes=classes, check=None, scales=[])
    size = float(run.workload["size_bytes"])
    return CostModel(
        classes=classes,
        check=_check(run, classes, size),
        scales=[
            Projection(ranks=ranks, collective_s=ring_s(classes, ranks, size))
            for ranks in sorted({run.world_size, *SCALES})
            if ranks >= run.world_size
        ],
    )


def _check(run: Run, classes: Sequence[Fit], size_bytes: float) -> ModelCheck:
    times = collective_times(run.measured)["transfer_ns"].cast(pl.Float64).sort() * NS
    measured_s = nearest_rank(times, 0.5)
    predicted_s = ring_s(classes, run.world_size, size_bytes)
    return ModelCheck(
        predicted_s=predicted_s, measured_s=measured_s, error=predicted_s / measured_s - 1
    )


def _class(name: str, rows: pl.DataFrame, propagation_s: float) -> Fit:
    """From messages that were awaited: all of their way was on the wire. Where none was, they came one
    behind the other, and what is seen of each is its time on the slowest wire: β without α."""
    awaited = rows.filter(pl.col("peer_late_ns") > 0)
    if awaited.height:
        return _fit(name, awaited, propagation_s)
    behind = _fit(name, rows, 0.0)
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
