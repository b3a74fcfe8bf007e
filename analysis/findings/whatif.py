"""What the run would have taken had nobody straggled: slowdown S = T / T_ideal, waste = 1 - 1/S.

In: a run. Out: `WhatIf`. As in the straggler study (Lin et al., OSDI'25), durations are replaced by
one ideal per type of operation and each iteration's graph of tasks is replayed. Compute: the mean over ranks and
iterations. Communication: the study takes the median; here it is the shortest transfer of that
collective in the run, since a lossy link makes the median itself a straggler.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from analysis.findings.retiming import Column, OperationGraph, Seconds
from analysis.findings.stalls import COLLECTIVE, iterations, with_groups
from analysis.run import Run
from analysis.tables import NS

DEFINITION = (
    "mean compute over ranks and iterations + shortest transfer of the collective in this run"
)


@dataclass(frozen=True)
class WhatIf:
    """Mean seconds per iteration, actual and ideal; `X_only`: only X keeps its actual durations.

    The ideal is the sum of `ideal_compute_s` and of `ideal_communication_s`, the communication that
    no compute covers.
    """

    actual_s: float
    ideal_s: float
    ideal_compute_s: float
    compute_only_s: float
    communication_only_s: float

    @property
    def ideal_communication_s(self) -> float:
        """What an ideal iteration takes beyond its compute."""
        return self.ideal_s - self.ideal_compute_s

    @property
    def slowdown(self) -> float:
        """S = T / T_ideal."""
        return self.actual_s / self.ideal_s

    @property
    def waste(self) -> float:
        """The share of GPU time lost to stragglers: 1 - 1/S."""
        return 1 - 1 / self.slowdown

    @property
    def slowdown_compute(self) -> float:
        """S_t of compute: uneven compute alone (the study's equation 2)."""
        return self.compute_only_s / self.ideal_s

    @property
    def slowdown_communication(self) -> float:
        """S_t of communication: uneven transfers alone."""
        return self.communication_only_s / self.ideal_s


@dataclass(frozen=True)
class Tasks:
    """The measured tasks, a row each: `rank`, `iteration`, `kind`, `takes`, `ideal` (ns); and their graph.

    A collective takes from its last rank's entry to this rank's end. Where a rank may be done with its part before
    the last has entered, that part has a second row, which waits for those whose messages it gets and for nobody else.
    """

    rows: pl.DataFrame
    graph: OperationGraph

    @cached_property
    def actual(self) -> Seconds:
        """What each task took."""
        return self.rows["takes"].to_numpy().astype(np.float64) * NS

    @cached_property
    def ideal(self) -> Seconds:
        """What each task takes if all of its type take equally long."""
        return self.rows["ideal"].to_numpy().astype(np.float64) * NS

    def iteration_s(self, durations: Seconds) -> float:
        """The mean iteration, if its tasks take so long and all ranks begin together."""
        ends = self.rows.select("iteration", end=pl.Series(self.graph.ends(durations)))
        last = ends.group_by("iteration", maintain_order=True).agg(pl.col("end").max())
        return float(last["end"].to_numpy().mean())

    def keeping(self, kept: Column) -> float:
        """The mean iteration, if only the tasks marked in `kept` have their actual durations."""
        return self.iteration_s(np.where(kept, self.actual, self.ideal))


def what_if(run: Run, ideal: Callable[[pl.Expr], pl.Expr] = pl.Expr.min) -> WhatIf:
    """Replay the measured iterations with equal durations; `ideal` picks one transfer out of many.

    `pl.Expr.median` gives the study's own choice.
    """
    tasks = make_tasks(run, ideal)
    computes = (tasks.rows["kind"] == "compute").to_numpy()
    one_rank = tasks.rows.filter(pl.col("kind") == "compute").unique(["rank", "task"])
    by_rank = one_rank.group_by("rank").agg(pl.col("ideal").sum())
    count = run.measured["iteration"].n_unique()
    return WhatIf(
        actual_s=float(iterations(run)["duration_ns"].sum()) * NS / count,
        ideal_s=tasks.iteration_s(tasks.ideal),
        ideal_compute_s=float(by_rank["ideal"].mean() or 0.0) * NS,  # type: ignore[arg-type]
        compute_only_s=tasks.keeping(computes),
        communication_only_s=tasks.keeping(~computes),
    )


def slowdown_by_rank(run: Run, found: WhatIf) -> pl.DataFrame:
    """Per rank S_w: this rank alone keeps its actual compute (the study's equation 4)."""
    tasks = make_tasks(run)
    computes = (tasks.rows["kind"] == "compute").to_numpy()
    owner = tasks.rows["rank"].to_numpy()
    ranks = run.ranks["rank"].to_list()
    kept = (tasks.keeping(computes & (owner == rank)) / found.ideal_s for rank in ranks)
    return pl.DataFrame({"rank": pl.Series(ranks, dtype=pl.Int32), "slowdown": list(kept)})


def make_tasks(run: Run, ideal: Callable[[pl.Expr], pl.Expr] = pl.Expr.min) -> Tasks:
    """The run's measured tasks and their graph; no other than the events is needed."""
    parts = _parts(run)
    before, after = _dependencies(parts)
    rows, before, after = _with_local_ends(parts, _sources(run, parts), before, after)
    alike = ["task", "group", "kind", "local"]
    rows = rows.with_columns(whole=pl.col("takes").max().over("iteration", *alike)).with_columns(
        ideal=pl.when(pl.col("kind") == "collective")
        .then(ideal(pl.col("whole")).over(alike) * _share().over(*alike, "rank"))
        .otherwise(pl.col("takes").mean().over("task", "kind"))
    )
    return Tasks(rows, OperationGraph(_group_numbers(rows), before, after))


def _share() -> pl.Expr:
    """How much of a collective's whole transfer a rank usually takes: some are done before the last."""
    return (pl.col("takes") / pl.col("whole")).fill_nan(1.0).mean()


def _parts(run: Run) -> pl.DataFrame:
    """Compute tasks and every rank's parts in collectives, by rank and iteration, and how long they take.

    `early`: whether the rank was ever done with this part before the last had entered.
    """
    events = run.measured.filter(pl.col("kind").is_in(["compute", "collective"]))
    communicates = pl.col("kind") == "collective"
    entered = pl.when(communicates).then(pl.col("start_ns").max().over(COLLECTIVE))
    takes = pl.col("end_ns") - pl.coalesce(entered, "start_ns")
    return (
        with_groups(events, run.measured)
        .with_columns(pl.col("group").fill_null(-1))
        .sort("rank", "iteration", "task")
        .with_columns(takes=takes.clip(lower_bound=0), local=pl.lit(value=False))
        .with_columns(
            early=communicates & (pl.col("takes") == 0).any().over("rank", "task", "kind")
        )
    )


def _sources(run: Run, parts: pl.DataFrame) -> pl.DataFrame:
    """Whose messages a part that may end early gets: `row`, that of its sender `source`, and when that one `entered`.

    Only senders that in every iteration entered before it ended: for what it gets, it must have waited for them.
    """
    first = run.measured.filter(pl.col("iteration") == pl.col("iteration").min())
    received = first.filter(pl.col("kind") == "recv").select("task", "rank", "peer").unique()
    own = parts.with_row_index("row").filter(pl.col("kind") == "collective")
    senders = own.select("iteration", "task", peer="rank", source="row", entered="start_ns")
    return (
        own.filter("early")
        .drop("peer")
        .join(received, on=["task", "rank"])
        .join(senders, on=["iteration", "task", "peer"])
        .filter((pl.col("entered") < pl.col("end_ns")).all().over("rank", "task", "peer"))
        .select("row", "source", "entered")
    )


def _with_local_ends(
    parts: pl.DataFrame, sources: pl.DataFrame, before: Column, after: Column
) -> tuple[pl.DataFrame, Column, Column]:
    """For every part that may end early, a row of its own: what follows it waits for this one.

    The part itself stays, as what the others of its group wait for. So all that waits for a group did end after
    its last entry, and all that waits for a sender after that one's, and no circle can come of it.
    """
    early = np.flatnonzero(parts["early"].to_numpy())
    twin = np.arange(parts.height)
    twin[early] = parts.height + np.arange(len(early))
    ties = pl.DataFrame({"before": twin[before], "after": after})
    waits = pl.concat(
        [
            pl.DataFrame({"row": early, "source": early}),
            sources.select(pl.col("row", "source").cast(pl.Int64)),
        ]
    )
    into = waits.join(ties, left_on="source", right_on="after")
    entered = sources.group_by("row").agg(pl.col("entered").max())
    own = (
        parts.with_row_index("row")[early]
        .join(entered, on="row", how="left", maintain_order="left")
        .with_columns(
            takes=pl.col("end_ns") - pl.max_horizontal("start_ns", "entered"),
            local=pl.lit(value=True),
        )
        .select(parts.columns)
    )
    waits_for = np.concatenate([twin[before], into["before"].to_numpy()])
    return pl.concat([parts, own]), waits_for, np.concatenate([after, twin[into["row"].to_numpy()]])


def _group_numbers(rows: pl.DataFrame) -> Column:
    """A number for each compute task, each collective, and each local end."""
    alone = pl.when((pl.col("kind") == "compute") | pl.col("local")).then(pl.col("rank"))
    keyed = rows.select("iteration", "task", "group", "kind", alone.fill_null(-1).alias("alone"))
    found: Column = keyed.select(pl.struct(pl.all()).rank("dense"))["iteration"].to_numpy()
    return found


def _dependencies(rows: pl.DataFrame) -> tuple[Column, Column]:
    """Which task waits for which, of the same rank and iteration: (before, after), as rows.

    One waits for another if in every iteration it became ready no earlier than that one ended. Ties
    that follow from others are left out.
    """
    sizes = rows.group_by("rank", "iteration", maintain_order=True).len()
    begins = np.cumsum(sizes["len"].to_numpy().astype(np.int64)) - sizes["len"].to_numpy()
    ready, end = rows["ready_ns"].to_numpy(), rows["end_ns"].to_numpy()
    edges = []
    for _, own in sizes.with_columns(begin=begins).group_by("rank", maintain_order=True):
        for (count,), alike in own.group_by("len", maintain_order=True):
            places = alike["begin"].to_numpy()[:, None] + np.arange(count)
            ties = _ties(ready[places], end[places])
            edges.append(np.stack([places[:, ties[0]].ravel(), places[:, ties[1]].ravel()]))
    both = np.concatenate(edges, axis=1)
    return both[0], both[1]


def _ties(ready: Column, end: Column) -> tuple[Column, Column]:
    """Pairs of tasks (before, after), from when they were ready and ended, an iteration a row."""
    waits = np.ones((ready.shape[1], ready.shape[1]), dtype=bool)
    for one_ready, one_end in zip(ready, end, strict=True):
        waits &= one_end[:, None] <= one_ready[None, :]
    np.fill_diagonal(waits, val=False)
    waits &= ~(waits & waits.T)  # two tasks of no length at one instant: neither waits
    follows = (waits.astype(np.float32) @ waits.astype(np.float32)) > 0
    before, after = np.nonzero(waits & ~follows)
    return before, after
