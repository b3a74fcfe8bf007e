"""Indices through our own interface: those of Ishigami's function are its analytic ones [Ishigami & Homma 1990]."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from analysis.studies import indices
from scenario.study.designs import design, problem
from scenario.types.study import Study, StudyPoint
from tests.study.test_study_language import MEASURE, read

A, B = 7.0, 0.1
PI = "3.14159265358979"
THREE = f"""\
vary:
  accelerators.H100.mfu: {{range: [-{PI}, {PI}]}}
  accelerators.H200.mfu: {{range: [-{PI}, {PI}]}}
  accelerators.GB200.mfu: {{range: [-{PI}, {PI}]}}
"""


def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str) -> Study:
    """A study of three things from -pi to pi; that no share of a peak is negative is of no interest here."""
    monkeypatch.setattr("scenario.study.trying.Trying._refused", lambda *_: None)
    return read(tmp_path, THREE + MEASURE + more)


def ishigami(point: StudyPoint) -> float:
    x, y, z = (value.number for value in point.values)
    return math.sin(x) + A * math.sin(y) ** 2 + B * z**4 * math.sin(x)


VARIANCE = A**2 / 8 + B * math.pi**4 / 5 + B**2 * math.pi**8 / 18 + 0.5
FIRST = {
    "accelerators.H100.mfu": 0.5 * (1 + B * math.pi**4 / 5) ** 2 / VARIANCE,
    "accelerators.H200.mfu": A**2 / 8 / VARIANCE,
    "accelerators.GB200.mfu": 0.0,
}
INTERACTION = B**2 * math.pi**8 * (1 / 18 - 1 / 50) / VARIANCE
"""Of the first and the third; no others interact."""


def test_sobol_indices_of_ishigami_are_the_analytic_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = asked(tmp_path, monkeypatch, "design: sobol\npoints: 32768\n")
    points = design(study).points
    assert len(points) == 4096 * 8
    found, pairs = indices.sobol(problem(study), [ishigami(point) for point in points])
    total = FIRST | {
        "accelerators.H100.mfu": FIRST["accelerators.H100.mfu"] + INTERACTION,
        "accelerators.GB200.mfu": INTERACTION,
    }
    for one in found:
        assert one.first == pytest.approx(FIRST[one.path], abs=0.01)
        assert one.total == pytest.approx(total[one.path], abs=0.01)
        assert abs(one.first - FIRST[one.path]) < 2 * one.first_interval + 1e-3
    strongest, *others = pairs
    assert {strongest.a, strongest.b} == {"accelerators.H100.mfu", "accelerators.GB200.mfu"}
    assert strongest.share == pytest.approx(INTERACTION, abs=0.02)
    assert all(abs(one.share) < 0.02 for one in others)


def test_morris_puts_the_things_in_ishigami_in_order_and_sees_what_interacts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = asked(tmp_path, monkeypatch, "design: morris\npoints: 4000\n")
    made = design(study)
    found = indices.morris(problem(study), made.chances, [ishigami(point) for point in made.points])
    by_path = {one.path: one for one in found}
    third = by_path["accelerators.GB200.mfu"]
    assert third.mu_star > 5 * third.mu_star_interval  # nothing alone, much with the first
    assert third.sigma > third.mu_star
    assert {one.path for one in found} == set(FIRST)


def test_a_figure_that_never_varies_has_no_indices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = asked(tmp_path, monkeypatch, "design: sobol\npoints: 64\n")
    assert indices.sobol(problem(study), [1.0] * 64) == ([], [])
    assert indices.morris(problem(study), [], []) == []
