"""The answer hangs on files and seed, and on nothing that happened in the guest before."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from analysis.tables import digest
from bench.guests import heard
from longhaul.machine import userland
from longhaul.machine.init import PAYLOAD
from longhaul.runs.life import Request, collect, make_job, prepare, read
from longhaul.runs.workloads import Chosen
from tests.run.conftest import HERE, ROOT, Runs, longhaul

OURS = "from controller.routed import Routed\nclass Same(Routed): pass\n"
"""Our own controller, as an application in a file."""
TWO_HOSTS = ROOT / "topologies/two-hosts.yaml"
BUSY_BEFORE = """\
import os
for number in range(1000):
    open(f"/tmp/{number}", "w").close()
for _ in range(50):
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
for _ in range(500):
    os.urandom(99)
"""


@pytest.mark.slow
def test_files_processes_and_draws_before_the_workload_do_not_reach_into_it(
    runs: Runs, tmp_path: Path
) -> None:
    busy = tmp_path / "application.py"
    busy.write_text(BUSY_BEFORE + OURS)
    expected = runs("spines", "verified").summary["digest"]
    assert runs("spines", "verified", "--controller", str(busy)).summary["digest"] == expected


@pytest.mark.slow
@pytest.mark.skipif(
    not userland.cached() or bool(userland.lacking()),
    reason="not both roots to compare: ./setup.sh root && ./setup.sh system",
)
def test_a_guests_own_software_and_this_machines_give_one_answer_when_routes_change(
    kernel: Path,  # noqa: ARG001
    tmp_path: Path,
) -> None:
    """Two versions of Open vSwitch and Python, in which threads that wake at one instant run in another order."""
    found = {}
    for root in ("own", "system"):
        done = longhaul("run", HERE / "returning.yaml", "--root", root, "--out", tmp_path / root)
        assert done.status == 0, done.complaint
        assert "generation 3" in (tmp_path / root / "logs/controller.log").read_text()
        found[root] = json.loads((tmp_path / root / "summary.json").read_text())["digest"]
    assert found["own"] == found["system"]


@pytest.mark.slow
def test_a_run_is_made_again_by_its_folder_and_is_the_same(runs: Runs, tmp_path: Path) -> None:
    first = runs("spines", "verified")
    again = longhaul("run", "--reproduce", first.folder, "--out", tmp_path / "again")
    assert again.status == 0, again.complaint
    assert "events are the same, to the nanosecond" in again.out


@pytest.mark.slow
def test_a_run_that_serves_is_made_again_as_well(runs: Runs, tmp_path: Path) -> None:
    first = runs("serving", "seldom")
    again = longhaul("run", "--reproduce", first.folder, "--out", tmp_path / "again")
    assert again.status == 0, again.complaint
    assert re.search(r"all \d+ requests and \d+ tokens are the same", again.out)


@pytest.mark.slow
def test_and_so_is_a_benchmark_over_the_transport_of_its_folder(
    kernel: Path,  # noqa: ARG001
    tmp_path: Path,
) -> None:
    words = ("--sizes", "1M,4M", "--iters", "1", "--warmup", "0", "--transport", "roce,tcp")
    first = longhaul("bench", TWO_HOSTS, *words, "--out", tmp_path / "first")
    assert first.status == 0, first.complaint
    for kind in ("roce", "tcp"):
        folder = tmp_path / f"first-{kind}"
        again = longhaul("run", "--reproduce", folder, "--out", tmp_path / f"again-{kind}")
        assert again.status == 0, again.out + again.complaint
        assert "are the same, to the nanosecond" in again.out


@pytest.mark.slow
def test_a_folder_whose_files_have_changed_is_not_made_again(runs: Runs, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(runs("spines", "verified").folder, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["inputs"] = dict.fromkeys(manifest["inputs"], "0" * 64)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    again = longhaul("run", "--reproduce", folder)
    assert again.status == 2
    assert "spines.yaml has changed since" in again.complaint


def events_digest(folder: Path, payload: str) -> str:
    """Of a run on one campus, where it is the hosts themselves that are measured before, by a payload."""
    request = Request(
        topology=ROOT / "topologies/one-campus.yaml", workloads=(Chosen(HERE / "verified.yaml"),), overrides=(),
        seed=1, time="virtual", machine="uml", out=None, cpu=None, patience_s=60.0, command=(),
    )  # fmt: skip
    inputs = read(request)
    folder.mkdir()
    prepare(folder, inputs)
    with closing(heard(folder, inputs.plan, make_job(request, inputs), payload)) as messages:
        assert "end" in [message.get("phase") for _, message in messages]
    collect(folder, inputs)
    return digest(pl.read_parquet(folder / "events.parquet"))


@pytest.mark.slow
def test_what_is_measured_before_the_workload_does_not_reach_into_it(
    kernel: Path,  # noqa: ARG001
    tmp_path: Path,
) -> None:
    """Neither how often, nor how long: switches have forgotten the packets of the measurement by then."""
    once = events_digest(tmp_path / "once", PAYLOAD)
    assert events_digest(tmp_path / "thrice", "tests.run.thrice") == once
