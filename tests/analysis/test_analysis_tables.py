"""The event table: canonical order, its digest, and what is said about a broken run folder."""

import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis.errors import RunError
from analysis.run import load_run
from analysis.tables import KINDS, SCHEMA, canonical, digest, write_events
from tests.analysis.make_run import make_run, uniform

ONE = {
    "rank": [1], "iteration": [2], "task": [3], "op": [-1], "kind": ["compute"], "peer": [-1],
    "bytes": [0], "ready_ns": [5], "start_ns": [6], "end_ns": [7],
}  # fmt: skip


def many(rows: int = 1000) -> pl.DataFrame:
    """Events with repeated keys, so that ties matter."""
    random = np.random.default_rng(7)
    columns = {name: random.integers(0, 4, rows) for name in SCHEMA if name != "kind"}
    kinds = pl.Series("kind", [KINDS[i] for i in random.integers(0, 4, rows)], dtype=pl.Enum(KINDS))
    return pl.DataFrame({**columns, "kind": kinds}).select(
        pl.col(name).cast(dtype) for name, dtype in SCHEMA.items()
    )


def test_digest_of_one_event_is_sha256_of_its_little_endian_columns(tmp_path: Path) -> None:
    expected = hashlib.sha256(struct.pack("<iihiBiqqqq", 1, 2, 3, -1, 1, -1, 0, 5, 6, 7))
    assert digest(write_events(ONE, tmp_path / "e.parquet")) == expected.hexdigest()


def test_digest_does_not_depend_on_the_order_of_rows() -> None:
    events = many()
    assert digest(events) == digest(events.sample(fraction=1, shuffle=True, seed=3))


def test_digest_changes_with_one_nanosecond() -> None:
    events = many()
    later = events.with_columns(end_ns=pl.col("end_ns") + (pl.int_range(pl.len()) == 500))
    assert digest(events) != digest(later)


def test_canonical_order_is_rank_iteration_task_op_kind() -> None:
    ordered = canonical(many())
    keys = ordered.select("rank", "iteration", "task", "op", pl.col("kind").cast(pl.String)).rows()
    assert keys == sorted(keys)


def test_events_survive_the_disk(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run", uniform())
    run = load_run(path)
    again = pl.read_parquet(path / "events.parquet")
    assert run.events.equals(again)
    assert dict(run.events.schema) == {name: pl.Schema(SCHEMA)[name] for name in SCHEMA}


def test_the_same_scenario_twice_has_the_same_digest(tmp_path: Path) -> None:
    one, two = make_run(tmp_path / "a"), make_run(tmp_path / "b")
    assert digest(load_run(one).events) == digest(load_run(two).events)
    assert (one / "events.parquet").read_bytes() == (two / "events.parquet").read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"peer": None}, r"lack columns \['peer'\]"),
        ({"colour": [1]}, r"unknown columns \['colour'\]"),
        ({"kind": ["dance"]}, "do not fit their types"),
        ({"task": [1 << 20]}, "do not fit their types"),
    ],
)
def test_events_that_do_not_fit_are_refused(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    columns = {name: values for name, values in {**ONE, **change}.items() if values is not None}
    with pytest.raises(RunError, match=message):
        write_events(columns, tmp_path / "e.parquet")


@pytest.mark.parametrize(
    "missing", ["events.parquet", "plan.json", "manifest.json", "fidelity.json"]
)
def test_a_folder_that_lacks_a_file_is_no_finished_run(tmp_path: Path, missing: str) -> None:
    path = make_run(tmp_path / "run", uniform())
    (path / missing).unlink()
    with pytest.raises(RunError, match=f"{missing}.*not the folder of a finished run|no {missing}"):
        load_run(path)


def test_a_run_with_nothing_but_warm_up_is_refused(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run", uniform(iterations=1, warmup=1))
    with pytest.raises(RunError, match="no iteration after the 1 of the warm-up"):
        load_run(path)


@pytest.mark.parametrize(
    ("name", "key", "said"),
    [
        ("plan", "links", "missing required field links"),
        ("manifest", "seed", "manifest.json: lacks seed"),
    ],
)
def test_what_a_file_lacks_is_named(tmp_path: Path, name: str, key: str, said: str) -> None:
    path = make_run(tmp_path / "run", uniform())
    stored = json.loads((path / f"{name}.json").read_text())
    del stored[key]
    (path / f"{name}.json").write_text(json.dumps(stored))
    with pytest.raises(RunError, match=said):
        load_run(path)


def test_a_collective_may_carry_more_than_two_gigabytes(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run", uniform())
    stored = json.loads((path / "plan.json").read_text())
    large = {"op": "all_reduce", "algorithm": "ring", "ranks": 2, "size_bytes": 14 * 10**9}
    stored["workloads"][0]["collectives"] = [large | {"tasks": [1]}]
    (path / "plan.json").write_text(json.dumps(stored))
    assert load_run(path).workload["collectives"][0]["size_bytes"] == 14 * 10**9


def test_events_of_a_rank_that_the_plan_lacks_are_refused(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run", uniform())
    write_events({**ONE, "rank": [99]}, path / "events.parquet")
    with pytest.raises(RunError, match=r"ranks that the plan lacks: \[99\]"):
        load_run(path)
