"""The fitted cost model: planted α and β are found, and what follows from them is by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from analysis.findings.costmodel import INSIDE, cost_model, fits
from analysis.form.training import CostModel
from analysis.run import load_run
from tests.analysis.make_run import Link, Scenario, make_run, uniform
from tests.analysis.test_analysis_stalls import events, run_of

HOSTS: dict[str, tuple[str, ...]] = {"a": ("GB200",) * 3, "b": ("GB200",) * 3}


def test_alpha_and_beta_of_planted_messages_are_found(tmp_path: Path) -> None:
    rows: list[tuple[Any, ...]] = [
        (rank, 0, 1, -1, "collective", -1, 0, 0, 99) for rank in range(2)
    ]
    at = 1.0
    for op, size in enumerate((1000, 5000, 20000)):
        lasts = 2e-3 + size * 1e-6
        rows.append((0, 0, 1, op, "send", 1, 0, at, at))
        rows.append((1, 0, 1, op, "recv", 0, 0, at, at + lasts))
        at += 1.0
    table = events(*rows)
    sizes = {0: 1000, 1: 5000, 2: 20000, -1: 0}
    table = table.with_columns(bytes=pl.col("op").replace_strict(sizes, return_dtype=pl.Int64))
    found = fits(run_of(table, tmp_path, 2))
    assert [one.name for one in found] == [INSIDE]
    assert found[0].alpha_s == pytest.approx(2e-3, rel=1e-4)
    assert found[0].beta_s_per_byte == pytest.approx(1e-6, rel=1e-4)
    assert (found[0].count, found[0].sizes) == (3, 3)


def test_with_one_size_the_delay_is_the_plans_and_the_rest_is_the_rate(tmp_path: Path) -> None:
    links = (Link("a", "b", 3e-3, 5e6), Link("b", "a", 3e-3, 5e6))
    made = Scenario(hosts=HOSTS, links=links, jitter=0.0, iterations=6)
    found = {one.name: one for one in fits(load_run(make_run(tmp_path / "run", made)))}
    assert found["a → b"].alpha_s == 3e-3
    assert found["a → b"].beta_s_per_byte == pytest.approx(1 / 5e6, rel=0.02)


def test_an_even_ring_is_predicted_and_the_error_is_said(tmp_path: Path) -> None:
    run = load_run(make_run(tmp_path / "run", uniform(8, jitter=0.001)))
    check = cost_model(run).check
    assert check
    assert abs(check.error) < 0.02
    assert check.error == check.measured_s / check.predicted_s - 1


def test_larger_clusters_are_predicted_from_their_own_size_up(tmp_path: Path) -> None:
    found = cost_model(load_run(make_run(tmp_path / "run", uniform(8, jitter=0.001))))
    ranks = [one.ranks for one in found.scales]
    assert ranks == [8, 24, 1000, 10000, 100000]
    assert np.all(np.diff([one.collective_s for one in found.scales]) > 0)


def test_a_run_without_messages_predicts_nothing(tmp_path: Path) -> None:
    found = cost_model(load_run(make_run(tmp_path / "run", uniform(3, messages=False))))
    assert found == CostModel(classes=[], check=None, scales=[])
