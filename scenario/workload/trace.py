"""The language of traces: which one is replayed, how its ranks are put onto hosts, by which algorithms.

`longhaul import` writes such files. The trace itself lies in a file beside, which is not opened here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from scenario.text.diagnostics import nearest_file
from scenario.text.strict import Strict
from scenario.types.trace import TraceReplay
from scenario.workload.common import Where, WorkloadModel


class AlgorithmsModel(Strict):
    """By which algorithm each collective of a trace is carried out."""

    all_reduce: Literal[
        "ring", "tree", "recursive_doubling", "halving_doubling", "binomial", "pairwise", "direct",
        "parameter_server", "hierarchical",
    ] = "ring"  # fmt: skip
    """All-reduce."""
    reduce_scatter: Literal["ring", "halving_doubling", "pairwise", "direct"] = "ring"
    """Reduce-scatter."""
    all_gather: Literal["ring", "halving_doubling", "bruck", "pairwise", "direct"] = "ring"
    """All-gather."""
    broadcast: Literal["ring", "binomial"] = "ring"
    """Broadcast."""
    reduce: Literal["ring", "binomial"] = "ring"
    """Reduce."""
    all_to_all: Literal["pairwise", "direct"] = "pairwise"
    """All-to-all."""


class TraceModel(WorkloadModel):
    """A trace of real training, replayed: measured compute, dependencies, bytes of every collective."""

    kind: Literal["trace"]
    """The kind of workload."""
    file: str = Field(min_length=1, max_length=200)
    """The trace as `longhaul import` has written it, beside the workload's file or below."""
    ranks: int = Field(ge=1, le=100_000)
    """How many ranks the trace has."""
    ranks_per_host: int = Field(default=1, ge=1, le=1024)
    """How many of them, neighbours by number, live in one host; what they tell each other is free."""
    iterations: int = Field(default=1, ge=1, le=1_000_000)
    """How often the whole trace is replayed, the warm-up included."""
    warmup: int = Field(default=0, ge=0)
    """How many of the first times do not count."""
    algorithms: AlgorithmsModel = AlgorithmsModel()
    """By which algorithm each collective is carried out."""
    channels: int = Field(default=1, ge=1, le=64)
    """Connections per pair of hosts and group."""
    congestion: Literal["cubic", "reno", "bbr", "dctcp"] = "cubic"
    """Congestion control of the connections, as Linux has it."""
    verify: bool = False
    """Reduce real numbers and check the results on every host."""


def trace(written: TraceModel, where: Where) -> TraceReplay:
    """The workload. What makes no sense in it is complained about."""
    if written.warmup >= written.iterations:
        expected = f"fewer than the {written.iterations} iterations"
        where.add(("warmup",), "no iteration is left after the warm-up", expected)
    common = where.common(written)
    path = _beside(written.file, where)
    common["files"] = (*common["files"], str(path))
    return TraceReplay(
        **common,
        trace=path,
        ranks=written.ranks,
        ranks_per_host=written.ranks_per_host,
        iterations=written.iterations,
        warmup=written.warmup,
        algorithms=written.algorithms.model_dump() | {"barrier": "dissemination"},
        channels=written.channels,
        congestion=written.congestion,
        verify=written.verify,
    )


def _beside(name: str, where: Where) -> Path:
    """A file in the workload's folder or below. Complains about any other."""
    folder = where.files[-1].parent
    path = folder / name
    try:
        real = path.resolve()
        there = real.is_file()
    except (OSError, ValueError, RuntimeError):
        real, there = path, False
    if not real.is_relative_to(folder.resolve()):
        hint = "traces lie beside the workload's file, or below"
        where.add(("file",), "a file outside the folder of the workload", hint=hint)
    elif not there:
        where.add(("file",), "no such file", hint=nearest_file(path))
    return path
