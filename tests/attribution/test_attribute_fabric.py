"""`longhaul attribute` in the real fabric: its shares, its cache, its way with what is wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import harmonic_mean
from typing import Any

import pytest

from longhaul.machine.kernel import cached_kernel

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ASKED = (
    "attribute",
    HERE / "far-and-mixed.yaml",
    "--workload",
    HERE / "brief.yaml",
    "--seeds",
    "1",
)
FACTORS = ("--factors", "distance,hardware")


def started(folder: Path, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "longhaul", *map(str, words)],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def longhaul(folder: Path, *words: object) -> tuple[int, str, str]:
    process = started(folder, *words)
    out, complaint = process.communicate(timeout=1800)
    return process.returncode, out, complaint


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which an interrupted attribution was taken up again and finished."""
    if not cached_kernel():
        pytest.skip("no virtual-time kernel: ./setup.sh kernel")
    folder = tmp_path_factory.mktemp("attribution")
    first = started(folder, *ASKED, *FACTORS, "--jobs", "1")
    deadline = time.monotonic() + 600
    while not done(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=600)
    assert 1 <= len(done(folder)) < 4
    assert not list(folder.glob("runs/*/attribution.json"))
    status, _, complaint = longhaul(folder, *ASKED, *FACTORS)
    assert status == 0, complaint
    return folder


def done(folder: Path) -> dict[Path, int]:
    """Finished runs, and when each was finished."""
    return {path: path.stat().st_mtime_ns for path in folder.glob("runs/trials/*/manifest.json")}


def found(folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(next(folder.glob("runs/*-1/attribution.json")).read_text())
    return data


@pytest.mark.slow
def test_each_combination_is_run_once_even_after_an_interruption(answered: Path) -> None:
    assert len(done(answered)) == 4
    without = [json.loads(path.read_text())["without"] for path in done(answered)]
    assert sorted(without) == [[], ["distance"], ["distance", "hardware"], ["hardware"]]


@pytest.mark.slow
def test_both_causes_cost_and_their_shares_sum_to_the_loss(answered: Path) -> None:
    data = found(answered)
    shares = {one["name"]: one["lost_s"] for one in data["causes"]}
    assert sum(shares.values()) == pytest.approx(data["lost_s"])
    assert data["lost_s"] == pytest.approx(data["actual_s"] - data["ideal_s"])
    # A ring of two over 4,000 km crosses it twice: 2 · 19.6 ms, all of it exposed. TCP spreads the three packets of
    # each message over a part of the round trip (it paces by window over round trip): 2.4 ms a message, in the events.
    assert shares["distance"] == pytest.approx(0.0392 + 2 * 2.4e-3, rel=0.05)
    actual = next(one["folder"] for one in data["runs"] if not one["without"])
    compute_s = json.loads((answered / actual / "plan.json").read_text())["workloads"][0][
        "compute_s"
    ]
    level_s = harmonic_mean(compute_s)  # as many FLOP/s as before, in two equal hosts
    assert shares["hardware"] == pytest.approx(max(compute_s) - level_s, rel=0.1)


@pytest.mark.slow
def test_asked_again_it_runs_nothing(answered: Path) -> None:
    before = done(answered)
    status, out, _ = longhaul(answered, *ASKED, *FACTORS)
    assert status == 0
    assert "distance" in out
    assert done(answered) == before


@pytest.mark.slow
def test_damaged_runs_are_told_of_and_run_again(answered: Path) -> None:
    """Cut off, garbage, another's: of four kept runs three."""
    before, whole = done(answered), found(answered)
    summaries = [path.with_name("summary.json") for path in sorted(before)]
    good = [path.read_bytes() for path in summaries]
    summaries[0].write_bytes(good[0][:1000])
    summaries[1].write_bytes(b"\x00garbage" * 100)
    summaries[2].write_bytes(good[3])
    out = answered / "again"
    status, _, complaint = longhaul(answered, *ASKED, *FACTORS, "--out", out)
    assert status == 0, complaint
    told = [line for line in complaint.splitlines() if "is damaged, and is run again" in line]
    assert len(told) == 3
    assert all(str(path.parent.name) in complaint for path in summaries[:3])
    assert [path.read_bytes() for path in summaries] == good  # the same runs, the same answers
    assert (
        done(answered)[summaries[3].with_name("manifest.json")]
        == before[summaries[3].with_name("manifest.json")]
    )
    assert json.loads((out / "attribution.json").read_text())["lost_s"] == whole["lost_s"]


@pytest.mark.slow
def test_remedies_are_ranked_by_what_they_buy_and_excused_by_name(answered: Path) -> None:
    out = answered / "mended"
    status, said, complaint = longhaul(answered, *ASKED, *FACTORS, "--mend", "--out", out)
    assert status == 0, complaint
    data = json.loads((out / "attribution.json").read_text())["remedies"]
    gained = [one["money"]["gained_usd"] for one in data if one["why_not"] is None]
    assert gained == sorted(gained, reverse=True)
    by_name = {one["name"]: one for one in data}
    assert by_name["new fibre"]["why_not"] == "it is so already"
    uniform = by_name["new GPUs"]
    assert uniform["saved_s"] > 0
    # 16 GPUs at 2.50 USD an hour, for the share of a day that they would no longer take.
    assert uniform["worth_per_day"]["currency"] == "USD"
    assert uniform["worth_per_day"]["amount"] == pytest.approx(16 * 2.5 * 24 * uniform["share"])
    # A cycle of DiLoCo has the tokens of 50 iterations, and crosses the long haul once.
    once_s = 6 * 5e7 * 2**16 / 2 / (8 * 6 * 8.03e9 * 10682)
    actual_s = found(answered)["actual_s"]
    mended_s = actual_s - by_name["DiLoCo"]["saved_s"]
    assert mended_s == pytest.approx(once_s + (actual_s - once_s) / 50, rel=0.05)
    # Eight B200s at 40,000 USD; the H100s that they replace bring three tenths of 25,000.
    assert uniform["money"]["capital_usd"] == pytest.approx(8 * (40e3 - 0.3 * 25e3))
    assert "gains, bn USD" in " ".join(said.split())
    assert "By money: " in said
    assert "What each remedy would buy" in (out / "attribution.html").read_text()


@pytest.mark.slow
def test_each_run_can_be_done_alone(answered: Path) -> None:
    words = ("run", HERE / "far-and-mixed.yaml", "--workload", HERE / "brief.yaml")
    out = answered / "alone"
    status, _, complaint = longhaul(answered, *words, "--without", "distance", "--out", out)
    assert status == 0, complaint
    digest = json.loads((out / "summary.json").read_text())["digest"]
    assert digest in {one["digest"] for one in found(answered)["runs"] if one["without"]}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--factors", "distance,agin"], "did you mean aging?"),
        (["--factors", "aging"], "none of aging makes a difference"),
        (["--seeds", "0"], "not a whole number from 1"),
        (["--factors", ","], "not a list of names"),
    ],
)
def test_what_is_wrong_is_said_plainly(tmp_path: Path, words: list[str], said: str) -> None:
    status, _, complaint = longhaul(tmp_path, *ASKED, *words)
    assert status == 2
    assert said in complaint
    assert "Traceback" not in complaint
