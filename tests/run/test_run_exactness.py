"""Runs are a function of files and seed, and as exact as they say."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from longhaul.machine.dispatch import carry_out, choose
from longhaul.runs.life import Request, make_job, prepare, read
from longhaul.runs.workloads import DEFAULT, Chosen
from scenario.plan.types import TCP_IP_HEADERS, from_json
from tests.run.conftest import HERE, ROOT, Done, Runs

# --- the same, always ----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def first(runs: Runs) -> Done:
    """A run over links that lose packets, on the CPU that longhaul chooses."""
    return runs("links", "verified")


@pytest.fixture
def busy() -> Iterator[int]:
    """A CPU that a program computes on without end."""
    cpu = min(os.sched_getaffinity(0))
    loop = subprocess.Popen(
        ["taskset", "-c", str(cpu), sys.executable, "-c", "while True: pass"],
        stdin=subprocess.DEVNULL,
    )
    try:
        yield cpu
        assert loop.poll() is None
    finally:
        loop.kill()
        loop.wait()


@pytest.mark.slow
def test_a_run_on_a_busy_cpu_into_a_folder_of_another_name_is_the_same_run(
    first: Done, runs: Runs, busy: int
) -> None:
    again = runs("links", "verified", "--cpu", str(busy), name="a-folder-with-a-much-longer-name")
    assert again.summary["digest"] == first.summary["digest"]
    assert again.summary == first.summary
    assert _bytes(again, "events.parquet") == _bytes(first, "events.parquet")
    assert _bytes(again, "telemetry.parquet") == _bytes(first, "telemetry.parquet")


@pytest.mark.slow
def test_a_run_on_every_cpu_is_the_same_run(first: Done, runs: Runs) -> None:
    cpu = max(os.sched_getaffinity(0))
    again = runs("links", "verified", "--cpu", str(cpu), name="b")
    assert again.summary["digest"] == first.summary["digest"]
    assert _bytes(again, "plan.json") == _bytes(first, "plan.json")
    assert _bytes(again, "fidelity.json") == _bytes(first, "fidelity.json")


@pytest.mark.slow
def test_another_seed_loses_other_packets(first: Done, runs: Runs) -> None:
    other = runs("links", "verified", "--seed", "2")
    assert other.summary["digest"] != first.summary["digest"]
    assert _losses(other) != _losses(first)


def _bytes(done: Done, name: str) -> bytes:
    return (done.folder / name).read_bytes()


def _losses(done: Done) -> list[float]:
    return [x["measured"] for x in done.summary["fidelity"] if x["quantity"] == "loss"]


def test_a_manifest_names_all_that_the_run_is_a_function_of(first: Done) -> None:
    manifest = json.loads((first.folder / "manifest.json").read_text())
    inputs = {Path(name).name: digest for name, digest in manifest["inputs"].items()}
    for name in ("links.yaml", "verified.yaml"):
        told = subprocess.run(
            ["sha256sum", HERE / name], stdout=subprocess.PIPE, text=True, check=True
        )
        assert inputs[name] == told.stdout.split()[0]
    assert (manifest["seed"], manifest["time"], manifest["machine"]) == (1, "virtual", "uml")


def test_a_run_folder_is_complete_and_holds_nothing_that_only_carried_it(first: Done) -> None:
    whole = {"manifest.json", "plan.json", "fidelity.json", "events.parquet", "summary.json"}
    whole |= {"timeline.json", "telemetry.parquet", "flows.parquet", "report.html", "logs"}
    whole |= {"retransmissions.parquet"}
    assert {path.name for path in first.folder.iterdir()} == whole


# --- as asked ------------------------------------------------------------------------------------


def lines(done: Done, quantity: str) -> list[dict[str, Any]]:
    """The fidelity lines of a quantity, checked against the plan for being there at all."""
    found = [line for line in done.summary["fidelity"] if line["quantity"] == quantity]
    assert found
    return found


def test_every_round_trip_is_within_a_thousandth_and_ten_microseconds_of_the_delays(
    first: Done,
) -> None:
    plan = from_json(json.loads(_bytes(first, "plan.json")))
    links = {link.name: link for link in plan.long_hauls()}
    measured = {line["link"]: line["measured"] for line in lines(first, "rtt")}
    # The third link's round trip is longer than the detour over the other two: nobody takes it.
    assert set(measured) == {"c1-c2", "c2-c3"}
    for name, rtt_s in measured.items():
        delays_s = sum(end.shape.delay_s for end in links[name].ends)
        assert abs(rtt_s - delays_s) <= delays_s / 1000 + 10e-6


def test_goodput_is_within_a_hundredth_of_the_rate_in_each_direction(first: Done) -> None:
    carried = {
        "c1-c2 goodput c1→c2": 1e9,
        "c1-c2 goodput c2→c1": 1e9,
        "c2-c3 goodput c2→c3": 4e9,
        "c2-c3 goodput c3→c2": 2e9,
    }
    share = (9000 - TCP_IP_HEADERS) / 9014
    measured = {line["what"]: line["measured"] for line in lines(first, "goodput")}
    assert set(measured) == set(carried)
    for what, rate_bps in carried.items():
        assert measured[what] == pytest.approx(rate_bps / 8 * share, rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("scale", [320, 8])
def test_goodput_is_right_where_a_round_trip_takes_a_microsecond(runs: Runs, scale: int) -> None:
    done = runs("ring-one-campus", "verified", "--set", f"scale.bytes={scale}", "--set", "mtu=9000")
    nic_bps = 8 * 400e9 / scale  # 8 GPUs with a NIC each
    share = (9000 - TCP_IP_HEADERS) / 9014
    for line in lines(done, "goodput"):
        assert line["measured"] == pytest.approx(nic_bps / 8 * share, rel=0.01)
    assert done.summary["faithful"]


@pytest.mark.slow
def test_goodput_is_right_where_52_megabytes_are_under_way(runs: Runs) -> None:
    for line in lines(runs("fat", "verified"), "goodput"):
        assert abs(line["error"]) < 1e-3, line


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_loss_is_what_was_asked_as_nearly_as_its_count_can_tell(runs: Runs, seed: int) -> None:
    done = runs("links", "verified") if seed == 1 else runs("links", "verified", "--seed", "2")
    (line,) = lines(done, "loss")
    assert line["what"] == "c1-c2 loss c1→c2"
    assert line["asked"] == pytest.approx(0.01)
    # A hundred losses were to be expected: one time in ten thousand there are fewer than 64 or more than 141.
    assert line["limit"] <= 0.43
    assert abs(line["measured"] / 0.01 - 1) <= line["limit"]


def test_a_run_that_measures_what_was_asked_is_faithful(first: Done) -> None:
    assert first.summary["faithful"] is True
    assert all(line["ok"] for line in first.summary["fidelity"])


@pytest.mark.parametrize(
    ("topology", "workload"),
    [
        pytest.param("ring-one-campus", "middling", marks=pytest.mark.slow),
        pytest.param("ring-one-campus", "large", marks=pytest.mark.slow),
        pytest.param("ring-three-campuses", "large", marks=pytest.mark.slow),
    ],
)
def test_a_lossless_ring_takes_as_long_as_alpha_and_beta_say(
    runs: Runs, topology: str, workload: str
) -> None:
    found = runs(topology, workload).summary["prediction"]
    assert found["measured_s"] > 0
    assert abs(found["measured_s"] / found["collective_s"] - 1) <= 0.02


@pytest.mark.slow
def test_one_campus_alone_is_not_called_unfaithful(runs: Runs) -> None:
    done = runs("ring-one-campus", "middling")
    assert done.summary["faithful"] is not False
    assert "unfaithful" not in (done.out + done.summary["headline"]).lower()


# --- right ---------------------------------------------------------------------------------------


def test_every_sum_that_is_checked_is_right_though_packets_were_lost(first: Done) -> None:
    plan = json.loads(_bytes(first, "plan.json"))
    assert plan["workloads"][0]["verify"] is True
    assert first.summary["collective"]["wrong"] == 0


def test_a_wrong_sum_is_counted_on_every_rank_that_has_it(tmp_path: Path, kernel: Path) -> None:  # noqa: ARG001
    request = request_for(HERE / "links.yaml", HERE / "verified.yaml")
    inputs = read(request)
    prepare(tmp_path, inputs)
    path = tmp_path / "programs" / "verified" / "c2-h100-1.json"
    program = json.loads(path.read_text())
    reductions = [op for op in program["tasks"][1]["ops"] if op[0] == "reduce"]
    reductions[0][0] = "copy"  # rank 1 forgets to add once
    path.write_text(json.dumps(program))
    wrong = []
    carry_out(
        choose("uml", "virtual"), tmp_path, make_job(request, inputs),
        lambda message: wrong.append(message.get("wrong", 0)), 600.0,
    )  # fmt: skip
    about = inputs.prepared[0].about
    iterations = about["warmup"] + about["iterations"]
    assert sum(wrong) == 3 * iterations


def request_for(topology: Path, workload: Path = DEFAULT) -> Request:
    return Request(
        topology=topology, workloads=(Chosen(workload),), overrides=(), seed=1, time="virtual", machine="uml",
        out=None, cpu=None, patience_s=600.0, command=("longhaul", "run", os.fspath(ROOT)),
    )  # fmt: skip
