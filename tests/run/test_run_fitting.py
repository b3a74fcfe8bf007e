"""What cannot fit into a guest is refused when planning, at its place, with a scale that does fit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from longhaul.runs.life import Request, read
from longhaul.runs.workloads import Chosen
from scenario.text.diagnostics import Diagnostic, InvalidInput
from tests.run.conftest import ROOT

TRAINING = """\
longhaul: 1
name: large
kind: training
model: {parameters: 7e9}
batch: {tokens: 4e6}
iterations: 1
collective: {verify: %s}
"""


def asked(folder: Path, scale: float, *, verify: bool, memory_bytes: int | None = None) -> Request:
    workload = folder / "large.yaml"
    workload.write_text(TRAINING % str(verify).lower())
    return Request(
        topology=ROOT / "topologies/two-hosts.yaml", workloads=(Chosen(workload),),
        overrides=(f"scale.bytes={scale}",), seed=1, time="virtual", machine="uml", out=None, cpu=None,
        patience_s=60.0, command=(), memory_bytes=memory_bytes,
    )  # fmt: skip


def refusal(request: Request) -> Diagnostic:
    with pytest.raises(InvalidInput) as caught:
        read(request)
    (told,) = caught.value.diagnostics
    return told


def test_a_model_that_is_verified_unscaled_is_refused_at_the_scale(tmp_path: Path) -> None:
    told = refusal(asked(tmp_path, 1, verify=True))
    assert (Path(told.file).name, told.line, told.path) == ("two-hosts.yaml", 9, "scale.bytes")
    # Two hosts keep 14 GB each, and half of that is what comes to be added.
    assert "42.00 GB" in told.message


def test_the_scale_that_is_named_fits(tmp_path: Path) -> None:
    told = refusal(asked(tmp_path, 1, verify=True))
    named = re.search(r"bytes: (\d+)", told.hint)
    assert named
    read(asked(tmp_path, int(named[1]), verify=True))
    refusal(asked(tmp_path, int(named[1]) * 0.9, verify=True))


def test_the_memory_that_is_named_fits(tmp_path: Path) -> None:
    told = refusal(asked(tmp_path, 20, verify=True))
    named = re.search(r"--memory ([\d.]+)GB", told.hint)
    assert named
    memory = int(float(named[1]) * 1e9)
    read(asked(tmp_path, 20, verify=True, memory_bytes=memory))
    refusal(asked(tmp_path, 20, verify=True, memory_bytes=int(memory * 0.9)))


def test_what_nobody_reads_takes_no_memory(tmp_path: Path) -> None:
    read(asked(tmp_path, 1, verify=False))
