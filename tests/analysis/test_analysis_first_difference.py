"""Where two runs part."""

from __future__ import annotations

import io
import json
from pathlib import Path

import polars as pl
from rich.console import Console

from analysis.run import load_run
from analysis.series.first_difference import Parting, parting
from analysis.tables import write_events
from analysis.terminal.parting import print_parting
from tests.analysis.make_run import make_run, uniform

MADE = uniform(4, iterations=6)


def part(path: Path, change: pl.Expr | None = None, **manifest: object) -> Parting:
    """Of a run and the same with its end times changed, and its manifest."""
    before, after = make_run(path / "a", MADE), make_run(path / "b", MADE)
    if change is not None:
        events = pl.read_parquet(after / "events.parquet").with_columns(end_ns=change)
        write_events(events.to_dict(), after / "events.parquet")
    said = json.loads((after / "manifest.json").read_text()) | manifest
    (after / "manifest.json").write_text(json.dumps(said))
    return parting(load_run(before), load_run(after))


def late(rank: int, iteration: int, by_ns: int) -> pl.Expr:
    there = (pl.col("rank") == rank) & (pl.col("iteration") >= iteration) & (pl.col("op") == -1)
    return pl.col("end_ns") + pl.when(there).then(by_ns).otherwise(0)


def shown(found: Parting) -> str:
    out = io.StringIO()
    print_parting(found, ("a", "b"), Console(file=out, width=80, highlight=False))
    return out.getvalue()


def test_equal_runs_do_not_part(tmp_path: Path) -> None:
    found = part(tmp_path)
    assert found.same
    assert not found.manifest
    assert f"all {found.events} events are the same" in shown(found)


def test_the_first_difference_is_the_first_on_the_clock(tmp_path: Path) -> None:
    found = part(tmp_path, late(rank=2, iteration=3, by_ns=1))
    assert found.first
    assert (found.first["rank"], found.first["iteration"]) == (2, 3)
    assert found.before
    assert found.after
    assert found.after["end_ns"] - found.before["end_ns"] == 1
    assert found.differing < found.events
    assert "rank 2, iteration 3" in shown(found)


def test_what_differs_in_the_manifests_is_named(tmp_path: Path) -> None:
    found = part(tmp_path, late(0, 0, 5), kernel="6.13", inputs={"elsewhere.yaml": "0" * 64})
    assert "kernel" in [name for name, _, _ in found.manifest]
    assert any("elsewhere.yaml" in name for name, _, _ in found.manifest)
    assert "kernel: " in shown(found)


def test_the_same_files_elsewhere_are_no_difference(tmp_path: Path) -> None:
    before = make_run(tmp_path / "x", MADE)
    inputs = json.loads((before / "manifest.json").read_text())["inputs"]
    moved = {f"elsewhere/{name}": digest for name, digest in inputs.items()}
    assert not part(tmp_path, inputs=moved).manifest
