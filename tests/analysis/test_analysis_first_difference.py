"""Where two runs part."""

from __future__ import annotations

import io
import json
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from analysis.errors import RunError
from analysis.series.first_difference import Parting, parting
from analysis.tables import SCHEMA, write_events
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
    return parting(before, after)


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
    assert f"all {found.total} events are the same" in shown(found)


def test_the_first_difference_is_the_first_on_the_clock(tmp_path: Path) -> None:
    found = part(tmp_path, late(rank=2, iteration=3, by_ns=1))
    assert found.first
    assert (found.first["rank"], found.first["iteration"]) == (2, 3)
    assert found.before
    assert found.after
    assert found.after["end_ns"] - found.before["end_ns"] == 1
    assert found.differing < found.total
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


def served(path: Path, *requests: tuple[int, int | None]) -> Path:
    """A run that answered requests, each with its number and the time of its last token."""
    path.mkdir(parents=True)
    (path / "manifest.json").write_text("{}")
    write_events({name: [] for name in SCHEMA}, path / "events.parquet")
    columns = {
        "workload": "chat",
        "request": [one for one, _ in requests],
        "last_ns": [at for _, at in requests],
    }
    pl.DataFrame(columns).write_parquet(path / "requests.parquet")
    return path


def test_requests_part_as_events_do(tmp_path: Path) -> None:
    before = served(tmp_path / "a", (0, 50), (1, 70), (2, 60))
    found = parting(before, served(tmp_path / "b", (0, 50), (1, 75), (2, 61)))
    assert (found.table, found.differing, found.total) == ("requests", 2, 3)
    assert found.first == {"workload": "chat", "request": 2}, "it ended first"
    assert (found.before, found.after) == ({"last_ns": 60}, {"last_ns": 61})
    assert "2 of 3 requests differ" in shown(found)
    assert parting(before, served(tmp_path / "c", (0, 50), (1, 70), (2, 60))).same


def test_a_request_that_one_run_lacks_is_a_difference(tmp_path: Path) -> None:
    before = served(tmp_path / "a", (0, 50), (1, 70))
    found = parting(before, served(tmp_path / "b", (0, 50)))
    assert (found.before, found.after) == ({"last_ns": 70}, None)
    (tmp_path / "b" / "requests.parquet").unlink()
    assert parting(before, tmp_path / "b").differing == 2
    assert "not there" in shown(found)


def test_what_is_no_finished_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not the folder of a finished run"):
        parting(tmp_path, tmp_path)
