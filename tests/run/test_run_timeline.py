"""A timeline happens to a real fabric: at the times that were said, with the effects that were said.

`eventful.yaml` puts one event of each kind into an iteration of its own (1 s of compute, then about
0.1 s for the collective, whose bottleneck is the long haul).
"""

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from .conftest import HERE, Done, Runs, longhaul

SECOND = 1_000_000_000
A_FEW_NS = 30  # what looking at a clock takes, once or twice
COMPUTE_NS = SECOND
RECOVERY_NS = 10_000_000


@pytest.fixture(scope="module")
def done(runs: Runs) -> Done:
    return runs("eventful", "eventful-training")


def history(done: Done) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((done.folder / "timeline.json").read_text())
    return found


def lasted_ns(done: Done, kind: str, rank: int) -> list[int]:
    """Durations by iteration."""
    events = pl.read_parquet(done.folder / "events.parquet")
    chosen = events.filter((pl.col("kind") == kind) & (pl.col("rank") == rank))
    return (chosen.sort("iteration")["end_ns"] - chosen.sort("iteration")["start_ns"]).to_list()


def transfers_ns(done: Done) -> list[int]:
    """From the last rank's entry to the last rank's end, by iteration."""
    events = pl.read_parquet(done.folder / "events.parquet")
    collectives = events.filter(pl.col("kind") == "collective").group_by("iteration")
    spans = collectives.agg(pl.col("end_ns").max() - pl.col("start_ns").max()).sort("iteration")
    return spans["end_ns"].to_list()


def test_each_event_happens_at_its_own_nanosecond(done: Done) -> None:
    found = {event["name"]: event for event in history(done)}
    for name, begin_s, end_s in [
        ("throttle-1", 1.5, 1.7),
        ("crash-1", 2.8, 3.1),
        ("rate-step-1", 4.0, 5.0),
        ("controller-crash-1", 5.5, 5.7),
        ("link-down-1", 7.1, 7.12),
    ]:
        event = found[name]
        assert 0 <= event["begin_ns"] - begin_s * SECOND <= A_FEW_NS, name
        assert 0 <= event["end_ns"] - end_s * SECOND <= A_FEW_NS, name


def test_what_comes_after_the_workload_has_not_happened(done: Done) -> None:
    assert "link-down-3" not in {event["name"] for event in history(done)}


def test_a_throttled_gpu_computes_slower_for_just_as_long(done: Done) -> None:
    # 200 ms at half the speed do 100 ms of work: 100 ms are missing at the end.
    throttled, *_ = lasted_ns(done, "compute", 0)[1:2]
    assert abs(throttled - (COMPUTE_NS + 100_000_000)) <= A_FEW_NS


def test_a_crashed_host_goes_on_where_it_was_when_it_is_back(done: Done) -> None:
    crashed = lasted_ns(done, "compute", 1)[2]
    assert abs(crashed - (COMPUTE_NS + 300_000_000)) <= A_FEW_NS


def test_no_other_compute_is_touched(done: Done) -> None:
    for rank, touched in ((0, 1), (1, 2)):
        others = [ns for i, ns in enumerate(lasted_ns(done, "compute", rank)) if i != touched]
        assert all(abs(ns - COMPUTE_NS) <= A_FEW_NS for ns in others)


def test_at_half_the_rate_the_collective_takes_twice_as_long(done: Done) -> None:
    # From 4.716 s to 4.924 s: all of it within the second that the step lasts.
    transfers = transfers_ns(done)
    assert transfers[3] / transfers[6] == pytest.approx(2.0, rel=0.04)


def test_a_cut_of_20_ms_costs_20_ms_and_what_tcp_takes_to_notice(done: Done) -> None:
    transfers = transfers_ns(done)
    cost_ns = transfers[5] - transfers[6]
    assert 18_000_000 <= cost_ns <= 20_000_000 + RECOVERY_NS


def test_without_its_controller_the_fabric_carries_on(done: Done) -> None:
    transfers = transfers_ns(done)
    assert transfers[4] / transfers[6] == pytest.approx(1.0, rel=0.04)
    log = (done.folder / "logs" / "controller.log").read_text()
    assert log.count("instantiating app controller") == 2


@pytest.mark.slow
def test_the_same_seed_has_the_same_accidents(done: Done, runs: Runs) -> None:
    again = runs("eventful", "eventful-training", "--seed", "1", name="again")
    assert again.summary["digest"] == done.summary["digest"]
    assert history(again) == history(done)


@pytest.mark.slow
def test_another_seed_has_other_accidents_but_the_same_planned_events(
    done: Done, runs: Runs
) -> None:
    other = runs("eventful", "eventful-training", "--seed", "2")
    names = {"throttle-1", "crash-1", "rate-step-1", "controller-crash-1", "link-down-1"}

    def planned(of: Done) -> list[tuple[str, int]]:
        return [(e["name"], e["begin_ns"]) for e in history(of) if e["name"] in names]

    def by_chance(of: Done) -> list[int]:
        return [e["begin_ns"] for e in history(of) if e["name"] == "link-down-2"]

    assert planned(other) == planned(done)
    assert by_chance(other)
    assert by_chance(done)
    assert by_chance(other) != by_chance(done)


def test_the_events_are_told_in_the_summary_and_the_report(done: Done) -> None:
    assert "crash-1" in done.out
    assert "crash-1" in Path(done.folder / "report.html").read_text()


@pytest.mark.slow
def test_a_timeline_happens_to_somebodys_own_program_too(kernel: Path) -> None:  # noqa: ARG001
    ping = ("ping", "-i", "1", "-c", "11", "10.2.1.1")
    seen = longhaul("exec", HERE / "cut.yaml", "--hosts", "c1-*", "--", *ping)
    assert seen.status == 0, seen.complaint
    found = {
        int(n): float(ms) for n, ms in re.findall(r"icmp_seq=(\d+) ttl=64 time=(\S+)", seen.out)
    }
    # One echo a second, the first at once: those of 3 s, 4 s and 5 s are lost.
    assert set(range(1, 12)) - set(found) == {4, 5, 6}
    around = {number for number, ms in found.items() if ms == pytest.approx(100, abs=0.1)}
    assert around == {9, 10}
    assert all(found[n] == pytest.approx(20, abs=0.1) for n in found.keys() - around)


def test_on_mininets_command_line_a_person_decides_what_happens(kernel: Path) -> None:  # noqa: ARG001
    ping = "c1-h100-1 ping -c 1 c2-h100-1"
    typed = (
        f"events\n{ping}\nhappen degrade-1\n{ping}\nevents\nmend degrade-1\n{ping}\nhappen what\n"
    )
    seen = longhaul("up", HERE / "cut.yaml", typed=typed)
    times_ms = [float(ms) for ms in re.findall(r"icmp_seq=1 ttl=64 time=(\S+) ms", seen.out)]
    before, meanwhile, after = times_ms
    assert meanwhile == pytest.approx(100, abs=0.1)
    assert [before, after] == pytest.approx([20, 20], abs=0.1)
    assert "off  degrade-1" in seen.out
    assert "on   degrade-1" in seen.out
    assert "the timeline has no event 'what'" in seen.out
