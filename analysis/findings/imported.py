"""Traces of pipeline- and data-parallel training, as the straggler study publishes them: what stragglers cost.

In: a Parquet table with a row per operation: `dp_rank`, `stage`, `step`, `optype`, `seq_id`, `start_ts` and
`duration` (seconds), `mc`. Out: the slowdown S, and S of each type of operation, data-parallel rank and stage.
The dependencies are those of Megatron's 1F1B schedule without interleaving, as the study models them
[Lin et al., OSDI'25, section 3]. `python -m analysis imported TRACE` prints them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

from analysis.errors import RunError
from analysis.findings.retiming import Column, OperationGraph, Seconds
from analysis.tables import read_table

COMPUTE = ("forward-compute", "backward-compute")
FLOWS = ("forward-send", "forward-recv", "backward-send", "backward-recv")
DATA_PARALLEL = ("params-all-gather", "grads-reduce-scatter")
EMBEDDING, CLIP, LAYERNORM = (
    "embedding-grads-all-reduce",
    "optimizer-clip-main-grad",
    "layernorm-grads-all-reduce",
)
SEPARATE = "separate-grads-all-reduce"
MEDIAN = (*FLOWS, *DATA_PARALLEL, EMBEDDING, CLIP, LAYERNORM, SEPARATE)
"""Types whose ideal is the median; the mean of the others."""
KNOWN = (*COMPUTE, *MEDIAN, "gc", "optimizer")
COLUMNS = ("dp_rank", "stage", "step", "optype", "seq_id", "start_ts", "duration", "mc")
CLOCK_SKEW_S = 5e-5
"""How far clocks of hosts differ; a transfer that seems to end 10 ms before it begins is put to 0."""
_IMPOSSIBLE_S = -1e-2

Name = tuple[str, int, int]
"""An operation of a pipeline in one step: type, sequence number, stage."""


@dataclass(frozen=True)
class TraceSlowdowns:
    """S = T / T_ideal of the whole job, and with only some operations keeping their own durations."""

    job: float
    by_type: dict[str, float]
    by_dp_rank: dict[int, float]
    by_stage: dict[int, float]


@dataclass(frozen=True)
class TracedJob:
    """A trace and its graph; rows of `operations` are the graph's operations."""

    operations: pl.DataFrame
    graph: OperationGraph

    @cached_property
    def actual(self) -> Seconds:
        """What each operation takes: a transfer from its group's last start, compute as a whole."""
        found: Seconds = self.operations["takes"].to_numpy()
        return found

    @cached_property
    def ideal(self) -> Seconds:
        """The same with one duration for each type of operation."""
        takes = pl.col("takes")
        chosen = (
            pl.when(pl.col("optype").is_in(MEDIAN)).then(takes.median()).otherwise(takes.mean())
        )
        found: Seconds = self.operations.select(chosen.over("optype"))["takes"].to_numpy()
        return found

    def slowdown(self, keep: Column | None = None) -> float:
        """S, if only operations marked in `keep` have their own durations (None: all have)."""
        durations = self.actual if keep is None else np.where(keep, self.actual, self.ideal)
        return self._step_s(durations) / self._ideal_s

    @cached_property
    def _ideal_s(self) -> float:
        return self._step_s(self.ideal)

    def _step_s(self, durations: Seconds) -> float:
        """The mean time of a step."""
        ends = self.operations.select("step", end=pl.Series(self.graph.ends(durations)))
        return float(ends.group_by("step").agg(pl.col("end").max())["end"].to_numpy().mean())


def slowdowns(job: TracedJob) -> TraceSlowdowns:
    """S of the job, and of each type (sends and receives of a direction together), rank and stage."""
    kinds = job.operations["optype"].to_numpy()
    directions = [_direction(str(kind)) for kind in kinds]

    def each(column: Sequence[object]) -> Iterator[tuple[object, float]]:
        values = np.array(column)
        for value in np.unique(values):
            yield value, job.slowdown(values == value)

    return TraceSlowdowns(
        job=job.slowdown(),
        by_type={str(kind): s for kind, s in each(directions)},
        by_dp_rank={int(str(rank)): s for rank, s in each(job.operations["dp_rank"].to_list())},
        by_stage={int(str(stage)): s for stage, s in each(job.operations["stage"].to_list())},
    )


def read_job(path: Path) -> TracedJob:
    """The job of a trace. Raises RunError where it is no such trace, or is interleaved."""
    table = read_table(path, *COLUMNS)
    if table.is_empty():
        raise RunError(f"{path}: holds no operations")
    if (table["mc"].fill_null(0) > 0).any():
        raise RunError(f"{path}: interleaved pipelines (`mc` above 0) are not modelled")
    unknown = sorted(set(table["optype"].cast(pl.String).unique()) - set(KNOWN))
    if unknown:
        raise RunError(f"{path}: operations that are not modelled: {', '.join(map(str, unknown))}")
    try:
        return make_job(table)
    except (KeyError, ValueError, TypeError, pl.exceptions.PolarsError) as error:
        raise RunError(f"{path}: operations that 1F1B does not have or lacks: {error}") from None


def make_job(table: pl.DataFrame) -> TracedJob:
    """The job of a table of operations."""
    kept = table.select(COLUMNS).with_columns(
        pl.col("optype").cast(pl.String), pl.col("start_ts", "duration").cast(pl.Float64)
    )
    operations = kept.sort("step", "dp_rank", "stage", "optype", "seq_id").with_columns(
        end_ts=pl.col("start_ts") + pl.col("duration")
    )
    pipeline = _Pipeline(operations)
    named = _numbered(operations, pipeline.names)
    edges = _repeated(named, pipeline.edges)
    group = _groups(named, pipeline)
    return TracedJob(
        _with_transfers(operations, group), OperationGraph(group, edges[:, 0], edges[:, 1])
    )


class _Pipeline:
    """The dependencies of one step in one pipeline; all steps and pipelines share them."""

    def __init__(self, operations: pl.DataFrame) -> None:
        first = operations.filter(
            (pl.col("step") == pl.col("step").min()) & (pl.col("dp_rank") == 0)
        )
        self.steps = operations["step"].n_unique()
        self.stages = int(operations["stage"].to_numpy().max()) + 1
        self.by_stage = [
            first.filter(pl.col("stage") == stage).sort("start_ts", "seq_id", "optype")
            for stage in range(self.stages)
        ]
        self.names: list[Name] = [
            (kind, seq, stage)
            for stage, table in enumerate(self.by_stage)
            for kind, seq in table.select("optype", "seq_id").iter_rows()
        ]
        self.edges: list[tuple[Name, Name]] = []
        self.flows: dict[tuple[str, int], list[Name]] = {}
        for stage in range(self.stages):
            self._stage(stage)
        self.pairs = list(self._pairs())

    def _stage(self, stage: int) -> None:
        """All that one stage waits for in itself."""
        computes = self._of(stage, COMPUTE)
        self._chain(computes)
        for kind in FLOWS:
            self._chain(self._of(stage, (kind,)))
            self._match(stage, kind)
        self._first_backward(stage, computes)
        gathers = self._of(stage, DATA_PARALLEL[:1])
        self._chain(self._of(stage, DATA_PARALLEL))
        forward = self._of(stage, COMPUTE[:1])
        self.edges += [(gathers[-1], forward[0])] if gathers and forward else []
        self._chain([self._last_compute(stage), *self._afterwards(stage)])

    def _of(self, stage: int, kinds: Sequence[str]) -> list[Name]:
        rows = self.by_stage[stage].filter(pl.col("optype").is_in(kinds))
        return [(kind, seq, stage) for kind, seq in rows.select("optype", "seq_id").iter_rows()]

    def _chain(self, names: Sequence[Name]) -> None:
        self.edges += pairwise(names)

    def _last_compute(self, stage: int) -> Name:
        rows = self.by_stage[stage].filter(pl.col("optype").is_in(COMPUTE))
        last = rows.row(int(rows["end_ts"].arg_max() or 0), named=True)
        return last["optype"], last["seq_id"], stage

    def _afterwards(self, stage: int) -> list[Name]:
        """What follows the last compute, one after another."""
        kinds = ("gc", LAYERNORM, EMBEDDING, DATA_PARALLEL[1], SEPARATE, CLIP, "optimizer")
        return [name for kind in kinds for name in sorted(self._of(stage, (kind,)))]

    def _match(self, stage: int, kind: str) -> None:
        """Ties sends to the compute before, and receives between two computes; what the profiler
        recorded outside the stretch of computing was never launched."""
        direction, _, action = kind.partition("-")
        table = self.by_stage[stage]
        computes = table.filter(pl.col("optype") == f"{direction}-compute")
        flows = table.filter(pl.col("optype") == kind)
        if action == "recv":
            latest = computes["start_ts"].to_numpy().max() + CLOCK_SKEW_S
            launched = flows.filter(pl.col("start_ts") <= latest)
        else:
            earliest = computes["end_ts"].to_numpy().min() - CLOCK_SKEW_S
            launched = flows.filter(pl.col("end_ts") >= earliest)
        skipped = 1 if action == "recv" and launched.height + 1 == computes.height else 0
        names = [(kind, int(seq), stage) for seq in launched["seq_id"]]
        for number, name in enumerate(names, start=skipped):
            self._tie(name, (f"{direction}-compute", number, stage), action)
        self.flows[kind, stage] = names if self._has_peer(stage, kind) else []

    def _tie(self, flow: Name, compute: Name, action: str) -> None:
        if action == "send":
            self.edges.append((compute, flow))
            return
        self.edges.append((flow, compute))
        if compute[1] > 0:
            self.edges.append(((compute[0], compute[1] - 1, compute[2]), flow))

    def _has_peer(self, stage: int, kind: str) -> bool:
        """The first and last stage have no neighbour on one side."""
        upwards = kind in {"forward-send", "backward-recv"}
        return stage + 1 < self.stages if upwards else stage > 0

    def _first_backward(self, stage: int, computes: Sequence[Name]) -> None:
        """The first backward transfers wait for the last forward but one before them."""
        first = next((i for i, name in enumerate(computes) if name[0] == COMPUTE[1]), 0)
        if first >= 2:
            for kind in FLOWS[2:]:
                if self._of(stage, (kind,)):
                    self.edges.append((computes[first - 2], (kind, 0, stage)))

    def _pairs(self) -> Iterator[tuple[Name, Name]]:
        """Each send with its receive, a stage further on or back."""
        for stage in range(self.stages - 1):
            here, there = stage, stage + 1
            yield from zip(
                self.flows["forward-send", here], self.flows["forward-recv", there], strict=True
            )
            yield from zip(
                self.flows["backward-send", there], self.flows["backward-recv", here], strict=True
            )


def _numbered(operations: pl.DataFrame, names: Sequence[Name]) -> dict[Name, Column]:
    """The rows of each operation of the pipeline, ordered by step and pipeline."""
    keyed = operations.with_row_index("row").select("optype", "seq_id", "stage", "row")
    found = keyed.group_by("optype", "seq_id", "stage", maintain_order=True).agg("row")
    rows = {(kind, seq, stage): np.array(row) for kind, seq, stage, row in found.iter_rows()}
    return {name: rows[name] for name in names}


def _repeated(named: dict[Name, Column], edges: Sequence[tuple[Name, Name]]) -> Column:
    """The pipeline's edges in every step and pipeline: rows of (before, after)."""
    pairs = [np.stack([named[before], named[after]], axis=1) for before, after in edges]
    return np.concatenate(pairs)


def _groups(named: dict[Name, Column], pipeline: _Pipeline) -> Column:
    """The group of each operation: the lowest row of those that transfer with it."""
    count = sum(map(len, named.values()))
    group = np.arange(count)
    for one, other in pipeline.pairs:
        group[named[other]] = group[named[one]]
    ends = [(EMBEDDING, 0, 0), (EMBEDDING, 0, pipeline.stages - 1)]
    if all(name in named for name in ends):
        group[named[ends[1]]] = group[named[ends[0]]]
    for name, rows in named.items():
        if name[0] in {*DATA_PARALLEL, SEPARATE, CLIP}:
            together = (CLIP, 0, 0) if name[0] == CLIP else name
            first = named[together].reshape(pipeline.steps, -1)[:, :1]
            group[rows] = np.repeat(first, len(rows) // pipeline.steps)
    return group


def _with_transfers(operations: pl.DataFrame, group: Column) -> pl.DataFrame:
    """`takes`: from the last start of the group to the operation's end."""
    takes = pl.col("end_ts") - pl.col("start_ts").max().over("group")
    possible = pl.when(takes <= _IMPOSSIBLE_S).then(0.0).otherwise(takes)
    return operations.with_columns(group=pl.Series(group)).with_columns(takes=possible)


def _direction(kind: str) -> str:
    return kind.split("-", maxsplit=1)[0] + "-pp-comm" if kind in FLOWS else kind
