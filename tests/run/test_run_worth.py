"""`longhaul worth`: the reported lease of the story, its turning prices, and what it rests on. No fabric is started."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from longhaul.cli import main

COLOSSUS = str(Path(__file__).parents[2] / "topologies" / "colossus.yaml")


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["worth", COLOSSUS, "--format", "json", *words]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_at_the_reported_rent_a_lease_is_worth_most_and_at_half_of_the_turning_rent_it_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert answer(capsys)["verdict"].startswith("Worth most: lease c1")
    low = answer(capsys, "--set", "economics.lease=1.0")
    assert low["verdict"].startswith("Worth most: proportional shares")


def test_the_real_cluster_is_weighed_and_not_the_emulated_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    as_is = answer(capsys)["options"][0]
    gpus = 7000 * (4 * 8 + 20 * 4)
    assert as_is["option"]["power_w"] == pytest.approx(7000 * (32 * 700 + 80 * 1200))
    assert as_is["site_w"] / gpus == pytest.approx(1.92 * as_is["option"]["power_w"] / gpus)


def test_an_accelerator_without_a_price_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    chip = "accelerators.X1={peak: 1PFLOP/s, mfu: 40%, hbm: 1TB/s, nic: 400G, nvlink: 1GB/s}"
    words = ["worth", COLOSSUS, "--set", chip, "--set", "campuses.c1.hosts[0].accelerator=X1"]
    assert main(words) == 2
    assert "set economics.gpus.X1" in capsys.readouterr().err
