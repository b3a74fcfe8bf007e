"""What cannot fit into a guest is refused when planning, at its place, with a scale that does fit."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import longhaul as lh
from longhaul.machine.memory import for_fabric
from longhaul.runs.fitting import guest_bytes
from longhaul.runs.life import Request, read
from longhaul.runs.workloads import Chosen
from scenario.plan.types import filling_bytes
from scenario.text.diagnostics import Diagnostic, InvalidInput
from tests.run.conftest import ROOT, longhaul

TWO_HOSTS = ROOT / "topologies/two-hosts.yaml"
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
        topology=TWO_HOSTS, workloads=(Chosen(workload),),
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


@pytest.mark.slow
def test_the_scale_that_is_named_fits_in_the_guest_too(tmp_path: Path, kernel: Path) -> None:  # noqa: ARG001
    """Which has no memory left over then: whatever was kept beside what is counted would kill an agent."""
    named = re.search(r"bytes: (\d+)", refusal(asked(tmp_path, 1, verify=True)).hint)
    assert named
    words = ("--workload", tmp_path / "large.yaml", "--out", tmp_path / "run")
    scale = ("--set", f"scale.bytes={named[1]}")
    done = longhaul("run", TWO_HOSTS, *words, *scale, folder=tmp_path / "run")
    assert done.status == 0, done.complaint
    assert done.summary["collective"]["wrong"] == 0


def test_the_memory_that_is_named_fits(tmp_path: Path) -> None:
    told = refusal(asked(tmp_path, 20, verify=True))
    named = re.search(r"--memory ([\d.]+)GB", told.hint)
    assert named
    memory = int(float(named[1]) * 1e9)
    read(asked(tmp_path, 20, verify=True, memory_bytes=memory))
    refusal(asked(tmp_path, 20, verify=True, memory_bytes=int(memory * 0.9)))


def test_a_benchmark_that_is_checked_unscaled_is_refused_with_the_memory_it_needs() -> None:
    topology = lh.Topology.load(TWO_HOSTS, ["scale.bytes=1"])
    with pytest.raises(InvalidInput) as caught:
        lh.bench(topology, sizes_bytes=[8e9], verify=True)
    assert "--memory" in caught.value.diagnostics[0].hint


def test_a_guest_has_more_memory_where_more_is_on_its_links_and_no_less_elsewhere(
    tmp_path: Path,
) -> None:
    """A quarter of it is TCP's, which has four times what fills the links both ways."""
    plan = read(asked(tmp_path, 1, verify=False)).plan
    usual = for_fabric(len(plan.hosts) + len(plan.probes))
    assert guest_bytes(plan) == usual
    far = replace(
        asked(tmp_path, 1, verify=False), overrides=("scale.bytes=1", "links.c1-c2.distance=4000km")
    )
    plan = read(far).plan
    (link,) = plan.long_hauls()
    assert filling_bytes(link) > 20e6
    assert guest_bytes(plan) == pytest.approx(max(usual, 32 * filling_bytes(link)), rel=1e-3)
    assert guest_bytes(plan) > usual


def test_what_nobody_reads_takes_no_memory(tmp_path: Path) -> None:
    read(asked(tmp_path, 1, verify=False))
