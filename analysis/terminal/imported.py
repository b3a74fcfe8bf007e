"""What stragglers cost a traced job, in the terminal. In: slowdowns. Out: a line each, the largest first."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.findings.imported import TraceSlowdowns


def print_slowdowns(found: TraceSlowdowns) -> None:
    """S of the job, and of each type of operation, stage and data-parallel rank."""
    print(f"S = {found.job:.4f}: {1 - 1 / found.job:.1%} of the time wasted")
    _print_each("type", found.by_type)
    _print_each("stage", found.by_stage)
    _print_each("data-parallel rank", found.by_dp_rank)


def _print_each(title: str, slowdowns: Mapping[str, float] | Mapping[int, float]) -> None:
    for name, value in sorted(slowdowns.items(), key=lambda one: -one[1]):
        print(f"{title} {name}: S = {value:.4f}")
