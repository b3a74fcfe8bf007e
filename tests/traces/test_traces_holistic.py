"""Compute, overlap and exposed communication of a profile, held against Holistic Trace Analysis."""

import json
import os
import random
import subprocess
from pathlib import Path

import pytest

from longhaul.machine.kernel import cache_folder
from traffic.traces.account import measured
from traffic.traces.assembling import assemble
from traffic.traces.reading import read_all

from .making import Kineto

HTA = cache_folder() / "hta" / "bin" / "python"
WITHIN = 0.01


def profile(rank: int) -> Kineto:
    """Kernels, copies and collectives on three streams, beside each other, with gaps between."""
    chance = random.Random(rank)
    made = Kineto(rank, world=2)
    made.host("user_annotation", "ProfilerStep#3", 0, 5000)
    for stream, most in ((7, 30), (9, 12), (20, 8)):
        moment = 0.0
        for number in range(most):
            moment += chance.choice((0, 3, 17.5, 40))
            lasts = chance.choice((1, 12, 33.25))
            if stream == 20:
                made.all_reduce(stream, moment, moment, 4 * lasts, elements=100 * (number + 1))
                moment += 3 * lasts
            elif number % 5 == 4:
                made.copy("Memcpy HtoD (Pinned -> Device)", stream, moment, moment, lasts)
            else:
                made.kernel(f"gemm_{number % 3}", stream, moment, moment, lasts)
            moment += lasts
    return made


def holistic(files: list[Path]) -> list[list[float]]:
    """Of each rank: seconds of compute, percentage of communication covered by compute."""
    python = Path(os.environ.get("LONGHAUL_HTA_PYTHON", str(HTA)))
    if not python.exists():
        pytest.skip("no Holistic Trace Analysis: ./setup.sh hta")
    words = [python, Path(__file__).with_name("holistic.py"), *files]
    # It rounds to microseconds otherwise, each kernel by itself.
    environment = {**os.environ, "HTA_DISABLE_NS_ROUNDING": "1"}
    said = subprocess.run(
        words, check=False, capture_output=True, text=True, env=environment, timeout=300
    )
    assert said.returncode == 0, said.stderr
    found: list[list[float]] = json.loads(said.stdout.splitlines()[-1])
    return found


def test_compute_and_what_it_covers_are_as_holistic_trace_analysis_counts_them(
    tmp_path: Path,
) -> None:
    files = [profile(rank).save(tmp_path / f"rank{rank}.json") for rank in range(2)]
    theirs = holistic(files)
    ours = measured(assemble(read_all(files, None), None).trace)
    assert len(ours) == len(theirs) == 2
    for (compute_s, covered), found in zip(theirs, ours, strict=True):
        communication_s = found["communication_s"]
        exposed_s = communication_s * (1 - covered / 100)
        assert 1 < covered < 99  # there is something to tell apart
        assert found["compute_s"] == pytest.approx(compute_s, rel=WITHIN)
        assert found["exposed_communication_s"] == pytest.approx(exposed_s, rel=WITHIN)
        hidden = 1 - found["exposed_communication_s"] / communication_s
        assert hidden == pytest.approx(covered / 100, rel=WITHIN)
