"""The life of a benchmark: the fabric of a topology, every algorithm at every size on it, and the table."""

from __future__ import annotations

from scenario.errors import WrongInput

from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis.findings.benchmark import write_results
from analysis.report.benchmark import write_benchmark_page
from scenario.loading import load_topology
from longhaul.planning import make_plan
from longhaul.runs.fitting import check_fits
from longhaul.runs.life import Inputs, Request, Watcher, carry_out, with_adapters
from traffic import benchmark as kind
from traffic.benchmark import Benchmark
from traffic.kind import place


class Unfit(WrongInput):
    """What was asked for does not exist, or not on these hosts; the text says what does."""


def bench(request: Request, wanted: Benchmark, hear: Callable[[dict[str, Any]], None]) -> Path:
    """Measure; returns the run folder, whose `bench.json` holds the table, and `report.html` shows it.

    Raises InvalidInput, Unfit, MachineError, FolderTaken.
    """
    return carry_out(request, read(request, wanted), Watcher(hear), (write_results, write_benchmark_page))


def read(request: Request, wanted: Benchmark) -> Inputs:
    """Read and plan. Raises InvalidInput, Unfit."""
    topology = load_topology(request.topology, request.overrides)
    plan = make_plan(with_adapters(topology, [wanted]), request.seed)
    placed = place(wanted, plan, {host.name for host in plan.hosts})
    try:
        prepared = kind.prepare(wanted, placed.plan, request.seed)
    except ValueError as error:
        raise Unfit(error) from None
    check_fits(topology, plan, (prepared,), request.memory_bytes)
    return Inputs(plan, (placed,), (prepared,), topology.files)
