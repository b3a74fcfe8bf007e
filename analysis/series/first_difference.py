"""Where two runs part: what differs in their manifests, and the first event that is not the same in both.

In: two runs of what should be one thing. Out: a `Parting`. First is what happened first on the fabric's clock: what
differs later may follow from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from analysis.run import Run
from analysis.tables import ORDER, canonical, digest

IDENTITY = (*ORDER, "peer", "nth")
TIMES = ("ready_ns", "start_ns", "end_ns")
COMPARED = ("bytes", *TIMES)
HANGS_ON = ("longhaul", "code", "kernel", "kernel_patches", "seed", "time", "machine", "inputs", "overrides",
            "workload_overrides", "without")  # fmt: skip
"""What of a manifest the events follow from."""


@dataclass(frozen=True)
class Parting:
    """What differs in the manifests, as (name, before, after); how many events differ, of how many; and the first
    of them, with both its sides, None where one has no such event."""

    manifest: tuple[tuple[str, Any, Any], ...]
    differing: int
    events: int
    first: dict[str, Any] | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    @property
    def same(self) -> bool:
        """Is every event the same?"""
        return not self.differing


def parting(before: Run, after: Run) -> Parting:
    """Where two runs part."""
    manifest = tuple(_manifest(before.manifest, after.manifest))
    if digest(before.recorded) == digest(after.recorded):
        return Parting(manifest, 0, len(before.recorded), None, None, None)
    both = _numbered(before.recorded).join(
        _numbered(after.recorded),
        on=IDENTITY,
        how="full",
        coalesce=True,
        suffix="_after",
        nulls_equal=True,
    )
    differ = pl.any_horizontal(pl.col(n).ne_missing(pl.col(f"{n}_after")) for n in COMPARED)
    moments = [
        pl.when(pl.col(n).ne_missing(pl.col(f"{n}_after"))).then(pl.min_horizontal(n, f"{n}_after"))
        for n in TIMES
    ]
    found = both.filter(differ).with_columns(at=pl.min_horizontal(moments))
    first = found.sort(["at", *IDENTITY], nulls_last=True).row(0, named=True)
    return Parting(
        manifest,
        len(found),
        len(both),
        {name: first[name] for name in IDENTITY[:-1]},
        _side(first, ""),
        _side(first, "_after"),
    )


def _numbered(events: pl.DataFrame) -> pl.DataFrame:
    """Events of equal names (of several workloads) are told apart by their order."""
    names = IDENTITY[:-1]
    return canonical(events).with_columns(nth=pl.int_range(pl.len()).over(names))


def _side(row: dict[str, Any], suffix: str) -> dict[str, Any] | None:
    side = {name: row[name + suffix] for name in COMPARED}
    return side if any(value is not None for value in side.values()) else None


def _manifest(before: dict[str, Any], after: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in HANGS_ON:
        one, other = before.get(name), after.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _inputs(name, one, other)
        elif one != other:
            yield name, one, other


def _inputs(
    name: str, one: dict[str, Any], other: dict[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    """Files are told by their content: the same ones may stand elsewhere."""
    if sorted(one.values()) == sorted(other.values()):
        return
    for file in sorted({*one, *other}):
        if one.get(file) != other.get(file):
            yield f"{name}: {file}", one.get(file), other.get(file)
