"""Replaying graphs: by hand, against a plain recursion, and traces of the straggler study's form."""

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import RunError
from analysis.findings.imported import make_job, read_job, slowdowns
from analysis.findings.retiming import CircularGraph, OperationGraph


def graph(groups: list[int], *edges: tuple[int, int]) -> OperationGraph:
    pairs = np.array(edges, dtype=np.int64).reshape(-1, 2)
    return OperationGraph(np.array(groups), pairs[:, 0], pairs[:, 1])


def test_an_operation_starts_when_all_that_it_waits_for_has_ended() -> None:
    found = graph([0, 1, 2], (0, 2), (1, 2)).ends(np.array([1.0, 5.0, 2.0]))
    assert found.tolist() == [1, 5, 7]


def test_a_group_transfers_once_its_last_member_has_started_each_for_its_own_time() -> None:
    # 0 and 1 compute; 2 and 3 are a collective after them.
    found = graph([0, 1, 2, 2], (0, 2), (1, 3)).ends(np.array([1.0, 5.0, 2.0, 3.0]))
    assert found.tolist() == [1, 5, 7, 8]


def test_operations_that_wait_for_each_other_are_told() -> None:
    with pytest.raises(CircularGraph, match="2 groups"):
        graph([0, 1, 2], (0, 1), (1, 2), (2, 1)).ends(np.ones(3))


@given(st.data())
def test_a_replay_agrees_with_a_plain_recursion(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    durations = np.array(data.draw(st.lists(st.integers(0, 9), min_size=count, max_size=count)))
    # Groups of neighbours, and edges from earlier groups to later ones only: never a circle.
    groups = np.cumsum(
        [0, *data.draw(st.lists(st.integers(0, 1), min_size=count - 1, max_size=count - 1))]
    )
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    edges = [(a, b) for a, b in data.draw(st.lists(pairs)) if groups[a] < groups[b]]

    @cache
    def start(i: int) -> int:
        return max((end(a) for a, b in edges if b == i), default=0)

    @cache
    def end(i: int) -> int:
        together = max(start(j) for j in range(count) if groups[j] == groups[i])
        return together + int(durations[i])

    found = graph(list(groups), *edges).ends(durations.astype(float))
    assert found.tolist() == [end(i) for i in range(count)]


def data_parallel(factors: tuple[float, ...], steps: int = 2) -> pl.DataFrame:
    """One stage, two microbatches: forward 1 s, backward 2 s, times the rank's factor; then 0.5 s of
    reduce-scatter, nothing of clipping, 0.5 s of the optimizer."""
    rows: list[dict[str, Any]] = []
    slowest = 6 * max(factors)
    for step in range(steps):
        for rank, factor in enumerate(factors):
            at = 0.0
            plan = [("forward-compute", 0, 1.0), ("backward-compute", 0, 2.0),
                    ("forward-compute", 1, 1.0), ("backward-compute", 1, 2.0)]  # fmt: skip
            for kind, seq, lasts in plan:
                rows.append(row(step, rank, kind, seq, at, lasts * factor))
                at += lasts * factor
            rows.append(row(step, rank, "grads-reduce-scatter", 0, at, slowest + 0.5 - at))
            rows.append(row(step, rank, "optimizer-clip-main-grad", 0, slowest + 0.5, 0.0))
            rows.append(row(step, rank, "optimizer", 0, slowest + 0.5, 0.5))
    return pl.DataFrame(rows)


def row(  # noqa: PLR0913, PLR0917 - the columns of a row
    step: int, rank: int, kind: str, seq: int, start: float, lasts: float
) -> dict[str, Any]:
    return {"dp_rank": rank, "stage": 0, "rank": rank, "step": step, "optype": kind, "seq_id": seq,
            "start_ts": start + 100 * step, "duration": lasts, "mc": 0, "mb_id": seq, "gmc": 0}  # fmt: skip


def test_a_slow_data_parallel_rank_has_the_slowdown_computed_by_hand() -> None:
    # T = 9 + 0.5 + 0.5; T_ideal = 6 · mean(1, 1.5) + 1 = 8.5.
    found = slowdowns(make_job(data_parallel((1.0, 1.5))))
    assert found.job == pytest.approx(10 / 8.5)
    assert found.by_dp_rank[1] == pytest.approx(10 / 8.5)
    # Rank 0 at its own speed does not hold up a rank at the mean speed.
    assert found.by_dp_rank[0] == pytest.approx(1)
    assert found.by_type["backward-compute"] == pytest.approx((2 * 1.25 + 2 * 3 + 1) / 8.5)
    assert found.by_type["grads-reduce-scatter"] == pytest.approx(1)


def test_separate_gradients_are_summed_before_clipping_and_are_a_straggler_as_any_other() -> None:
    # Steps of 0.5 and 1.5 s of it: T = 9 + 1 + 0.5, and T_ideal has the median, 1 s, in both.
    table = data_parallel((1.0, 1.5)).with_columns(
        optype=pl.col("optype").str.replace("grads-reduce-scatter", "separate-grads-all-reduce")
    )
    late = pl.when(pl.col("step") == 1).then(1.0).otherwise(0.0)
    summed = pl.col("optype") == "separate-grads-all-reduce"
    after = pl.col("optype").str.starts_with("optimizer")
    table = table.with_columns(
        duration=pl.col("duration") + pl.when(summed).then(late).otherwise(0.0),
        start_ts=pl.col("start_ts") + pl.when(after).then(late).otherwise(0.0),
    )
    found = slowdowns(make_job(table))
    assert found.job == pytest.approx((9 + 1 + 0.5) / (7.5 + 1 + 0.5))


def test_operations_that_are_not_modelled_are_refused_by_name(tmp_path: Path) -> None:
    table = data_parallel((1.0, 1.5)).with_columns(
        optype=pl.col("optype").str.replace("grads-reduce-scatter", "strange-all-reduce")
    )
    table.write_parquet(tmp_path / "t.parquet")
    with pytest.raises(RunError, match="not modelled: strange-all-reduce"):
        read_job(tmp_path / "t.parquet")


def two_stages(slow: float) -> pl.DataFrame:
    """Two stages, one microbatch: forward 1 s and backward 2 s on each (on the second, times `slow`);
    activations and gradients take 0.25 s between them."""
    forward, backward = slow, 2 * slow
    up, down = 1.25, 1.25 + forward + backward + 0.25
    end = down + 2
    rows = [
        staged(0, "forward-compute", 0.0, 1.0), staged(0, "forward-send", 1.0, 0.25),
        staged(1, "forward-recv", 0.0, 1.25), staged(1, "forward-compute", up, forward),
        staged(1, "backward-compute", up + forward, backward),
        staged(1, "backward-send", down - 0.25, 0.25), staged(0, "backward-recv", 1.0, down - 1.0),
        staged(0, "backward-compute", down, 2.0),
        staged(0, "optimizer-clip-main-grad", end, 0.0),
        staged(1, "optimizer-clip-main-grad", down - 0.25, end - down + 0.25),
        staged(0, "optimizer", end, 0.5), staged(1, "optimizer", end, 0.5),
    ]  # fmt: skip
    return pl.DataFrame(rows)


def staged(stage: int, kind: str, start: float, lasts: float) -> dict[str, Any]:
    return row(0, 0, kind, 0, start, lasts) | {"stage": stage, "rank": stage, "gmc": stage}


def test_a_pipeline_waits_for_its_transfers_and_a_slow_stage_evens_out() -> None:
    job = make_job(two_stages(3.0))
    assert job.graph.ends(job.actual).max() == pytest.approx(1 + 0.25 + 3 + 6 + 0.25 + 2 + 0.5)
    # With one microbatch the stages take turns: their mean sums to the same.
    found = slowdowns(job)
    assert found.job == pytest.approx(1)
    assert found.by_type["forward-pp-comm"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.drop("mc", "stage"), "lacks the columns stage, mc"),
        (lambda t: t.clear(), "holds no operations"),
        (lambda t: t.with_columns(mc=pl.lit(1)), "interleaved pipelines"),
        (lambda t: t.head(t.height - 3), "1F1B does not have or lacks"),
    ],
)
def test_what_is_no_such_trace_is_told(tmp_path: Path, change: Any, said: str) -> None:
    path = tmp_path / "trace.parquet"
    change(data_parallel((1.0, 1.5))).write_parquet(path)
    with pytest.raises(RunError, match=said):
        read_job(path)


def test_the_module_prints_the_slowdown_of_a_trace(tmp_path: Path) -> None:
    path = tmp_path / "trace.parquet"
    data_parallel((1.0, 1.5)).write_parquet(path)
    command: list[str | Path] = [sys.executable, "-m", "analysis", "imported", path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "S = 1.1765: 15.0% of the time wasted" in done.stdout
    wrong = [*command[:-1], tmp_path / "nothing"]
    told = subprocess.run(wrong, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert "not readable" in told.stderr
    assert "Traceback" not in told.stderr
