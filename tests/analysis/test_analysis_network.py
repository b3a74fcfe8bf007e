"""Queues that overflow and packets that are lost: charged where the iteration waited for them, and nowhere else."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from analysis.findings.again import FILE
from analysis.findings.network import costs, observed, samples
from analysis.report.page import write_report
from analysis.run import Run, load_run
from tests.analysis.make_run import Link, Scenario, happened, make_run, trained

HOSTS: dict[str, tuple[str, ...]] = {"a": ("GB200",) * 3, "b": ("GB200",) * 3, "c": ("GB200",) * 2}
LINKS = (
    Link("a", "b", 100e-6, 5e6),
    Link("b", "c", 100e-6, 5e6),
    Link("a", "c", 120e-6, 5e6),
)
STEP_S = 0.42
"""Compute of an iteration; the collective takes about 0.5 s more."""
A_TO_B = (2, 4)
"""Rank 2 is the last of a, 3 the first of b: its first message in iteration 4."""


def run_of(tmp_path: Path, **changes: Any) -> Run:
    plain: dict[str, Any] = {"hosts": HOSTS, "links": LINKS, "jitter": 0.0, "iterations": 11}
    return load_run(make_run(tmp_path / "run", Scenario(**plain | {"dropped": ()} | changes)))


def entered(tmp_path: Path, iteration: int, **changes: Any) -> float:
    """When an iteration's collective begins, seconds."""
    run = run_of(tmp_path / "quiet", **changes)
    before = run.events.filter(run.events["iteration"] == iteration - 1)
    return float(before["end_ns"].max()) / 1e9 + STEP_S  # type: ignore[arg-type]


def test_a_full_queue_is_charged_with_the_iteration_that_waited_for_it(tmp_path: Path) -> None:
    at = entered(tmp_path, 4)
    dropped = (("a", "b", at + 0.1, 21), ("b", "c", at + 0.1, 7))
    run = run_of(tmp_path, held_up={A_TO_B: 0.3}, dropped=dropped)
    found = {one.incident.name: one for one in costs(run)}
    guilty, other = found["a→b overflowed"], found["b→c overflowed"]
    assert guilty.cost_s == pytest.approx(0.3, rel=0.01)
    assert (guilty.touched, guilty.beyond, guilty.incident.links) == ((4,), 1, ("a-b",))
    assert guilty.incident.says == "21 packets dropped, up to 100 of 100 seen in the queue"
    assert other.cost_s == pytest.approx(0, abs=0.003)


def test_it_is_in_the_headline_the_table_and_the_page(tmp_path: Path) -> None:
    at = entered(tmp_path, 4)
    path = run_of(tmp_path, held_up={A_TO_B: 0.3}, dropped=(("a", "b", at + 0.1, 21),)).path
    summary = trained(path)
    assert "1 of 10 iterations took 300 ms longer: a→b's queue overflowed" in summary.headline
    assert [one.kind for one in summary.timeline] == ["overflow"]
    assert "a→b overflowed" in write_report(path).read_text()


def test_a_straggler_is_not_blamed_on_a_queue_that_overflows_at_the_same_time(
    tmp_path: Path,
) -> None:
    """Rank 3 receives what a sends to b, and computes twice as long in iteration 4."""
    at = entered(tmp_path, 4)
    dropped = (("a", "b", at + 0.05, 21), ("a", "b", at + STEP_S + 0.1, 21))
    path = run_of(tmp_path, throttled={(3, 4): 2.0}, dropped=dropped).path
    (found,) = costs(load_run(path))
    assert found.touched == (4,)
    assert found.cost_s == pytest.approx(0, abs=0.003)
    assert "overflowed" not in trained(path).headline


def test_drops_that_nobody_waited_for_cost_nothing(tmp_path: Path) -> None:
    (found,) = costs(run_of(tmp_path, dropped=(("a", "b", entered(tmp_path, 4), 3),)))
    assert (found.touched, found.cost_s) == ((4,), 0)


def test_a_link_drops_in_the_other_direction_than_the_late_message(tmp_path: Path) -> None:
    at = entered(tmp_path, 4)
    run = run_of(tmp_path, held_up={A_TO_B: 0.3}, dropped=(("b", "a", at + 0.1, 21),))
    assert costs(run)[0].cost_s == pytest.approx(0, abs=0.003)


def test_a_queue_that_dropped_acknowledgements_is_charged_with_what_tcp_then_sent_again(
    tmp_path: Path,
) -> None:
    """Rank 2 sends to 3 over a→b; what b→a drops holds that up, if 2 sent some of it again."""
    at = entered(tmp_path, 4)
    run = run_of(tmp_path, held_up={A_TO_B: 0.3}, dropped=(("b", "a", at + 0.1, 21),))
    sender, receiver = run.ranks["name"][2], run.ranks["name"][3]
    for peer, cost_s in ((run.ranks["name"][4], 0), (receiver, 0.3)):
        again = {"since_ns": at + 0.28, "t_ns": at + 0.29}
        pl.DataFrame(
            {name: [round(s * 1e9)] for name, s in again.items()}
            | {"host": [sender], "peer": [peer], "packets": [1]}
        ).write_parquet(run.path / FILE)
        (found,) = costs(run)
        assert found.incident.name == "b→a overflowed"
        assert found.cost_s == pytest.approx(cost_s, rel=0.01, abs=0.003)


def test_what_an_event_of_the_timeline_drops_is_that_events(tmp_path: Path) -> None:
    at = entered(tmp_path, 4)
    cut = happened("cut", at, at + 0.2, links=["a-b"])
    planted = {"held_up": {A_TO_B: 0.3}, "dropped": (("a", "b", at + 0.1, 21),)}
    assert observed(run_of(tmp_path, **planted, happened=(cut,))) == []
    elsewhere = happened("elsewhere", at, at + 0.2, links=["b-c"])
    assert observed(run_of(tmp_path / "b", **planted, happened=(elsewhere,))) != []


def test_what_a_link_loses_anyway_is_loss_and_more_is_an_overflowing_queue(tmp_path: Path) -> None:
    """A sample stands for 10 packets: at 5 % loss one drop is loss, 40 are not."""
    links = (Link("a", "b", 100e-6, 5e6, loss=0.05), *LINKS[1:])
    at = entered(tmp_path, 4, links=links)
    dropped = (("a", "b", at, 1), ("a", "b", at + 0.1, 40))
    run = run_of(tmp_path, links=links, dropped=dropped)
    assert [(port.name, one.kind) for port, one in observed(run)] == [
        ("a→b", "loss"),
        ("a→b", "overflow"),
    ]


def test_where_every_iteration_overflows_no_cost_is_made_up(tmp_path: Path) -> None:
    begins = [entered(tmp_path / str(number), number) for number in range(1, 11)]
    run = run_of(tmp_path, dropped=tuple(("a", "b", at + 0.1, 2) for at in begins))
    (found,) = costs(run)
    assert found.cost_s is None
    assert len(found.touched) == 10


def test_a_run_without_telemetry_says_nothing_of_queues(tmp_path: Path) -> None:
    run = run_of(tmp_path, dropped=None)
    assert samples(run.path) is None
    assert costs(run) == []
