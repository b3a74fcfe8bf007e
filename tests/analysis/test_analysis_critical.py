"""The critical path: cases small enough to walk by hand, and that it always sums to the iteration."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.findings.critical import by_kind, critical_path, through
from analysis.findings.stalls import iterations
from analysis.run import Run, load_run
from tests.analysis.make_run import Link, Scenario, make_run, uniform
from tests.analysis.test_analysis_stalls import events, run_of


def links(run: Run) -> list[tuple[Any, ...]]:
    """Rows of kind, rank, peer, begin and end in seconds."""
    seconds = (pl.col("begin_ns") / 1e9, pl.col("end_ns") / 1e9)
    return critical_path(run).select("kind", "rank", "peer", *seconds).rows()


# Rank 0 computes 1 s, rank 1 3 s; then each sends the other a message: 1 to 0 takes 2 s.
EXCHANGE = events(
    (0, 0, 0, -1, "compute", -1, 0, 0, 1),
    (0, 0, 1, -1, "collective", -1, 1, 1, 5),
    (0, 0, 1, 0, "send", 1, 1, 1, 1.5),
    (0, 0, 1, 1, "recv", 1, 1, 4, 5),
    (1, 0, 0, -1, "compute", -1, 0, 0, 3),
    (1, 0, 1, -1, "collective", -1, 3, 3, 4),
    (1, 0, 1, 0, "send", 0, 3, 3, 3.5),
    (1, 0, 1, 1, "recv", 0, 3, 3, 4),
)


def test_the_path_leads_from_the_late_message_through_its_sender_to_the_slow_compute(
    tmp_path: Path,
) -> None:
    assert links(run_of(EXCHANGE, tmp_path, 2)) == [
        ("compute", 1, -1, 0, 3),
        ("wire", 0, 1, 3, 5),
    ]


def test_a_message_that_the_receiver_came_late_for_leads_to_the_receiver(tmp_path: Path) -> None:
    table = events(
        (0, 0, 0, -1, "compute", -1, 0, 0, 1),
        (0, 0, 1, -1, "collective", -1, 1, 1, 1.5),
        (0, 0, 1, 0, "send", 1, 1, 1, 1.5),
        (1, 0, 0, -1, "compute", -1, 0, 0, 3),
        (1, 0, 1, -1, "collective", -1, 3, 3, 4),
        (1, 0, 1, 0, "recv", 0, 3, 3, 4),
    )
    assert links(run_of(table, tmp_path, 2)) == [("compute", 1, -1, 0, 3), ("wire", 1, 0, 3, 4)]


def test_queueing_behind_an_earlier_message_is_sending_and_idling_is_waiting(
    tmp_path: Path,
) -> None:
    table = events(
        (0, 0, 0, -1, "compute", -1, 0, 0.5, 1),  # ready at 0, begun at 0.5
        (0, 0, 1, -1, "collective", -1, 1, 1, 6),
        (0, 0, 1, 0, "send", 1, 1, 4, 6),  # ready at 1, first byte at 4
        (1, 0, 0, -1, "compute", -1, 0, 0, 0.5),
        (1, 0, 1, -1, "collective", -1, 0.5, 0.5, 7),
        (1, 0, 1, 0, "recv", 0, 0.5, 5, 7),
    )
    assert links(run_of(table, tmp_path, 2)) == [
        ("wait", 0, -1, 0, 0.5),
        ("compute", 0, -1, 0.5, 1),
        ("send", 0, 1, 1, 4),
        ("wire", 1, 0, 4, 7),
    ]


def test_a_host_with_two_streams_of_compute_goes_on_from_the_one_that_ended_last(
    tmp_path: Path,
) -> None:
    """As in an imported trace, compute is numbered behind the messages, and a message ends on both sides
    when it has been received."""
    table = events(
        (0, 0, 0, -1, "collective", -1, 3, 3, 8),
        (0, 0, 0, 0, "send", 1, 3, 3, 4),
        (0, 0, 1, -1, "collective", -1, 6, 6, 9),
        (0, 0, 1, 0, "send", 1, 6, 6, 7),
        (0, 0, 2, -1, "compute", -1, 0, 0, 3),
        (0, 0, 3, -1, "compute", -1, 0, 0, 2),
        (0, 0, 4, -1, "compute", -1, 4, 4, 6),
        (1, 0, 0, -1, "collective", -1, 0, 0, 8),
        (1, 0, 0, 0, "recv", 0, 0, 7, 8),
        (1, 0, 1, -1, "collective", -1, 0, 0, 9),
        (1, 0, 1, 0, "recv", 0, 0, 8, 9),
    )
    assert links(run_of(table, tmp_path, 2)) == [
        ("compute", 0, -1, 0, 3),
        ("send", 0, 1, 3, 4),
        ("compute", 0, -1, 4, 6),
        ("wire", 1, 0, 6, 9),
    ]


def test_a_path_crosses_iterations_without_a_gap(tmp_path: Path) -> None:
    run = load_run(make_run(tmp_path / "run", uniform(3, slowdown={1: 1.5})))
    path = critical_path(run)
    assert path["begin_ns"].to_list()[1:] == path["end_ns"].to_list()[:-1]
    assert path["iteration"].unique().sort().to_list() == [1, 2, 3]


def sums_to_iterations(run: Run) -> None:
    path = critical_path(run)
    length = (pl.col("end_ns") - pl.col("begin_ns")).sum()
    sums = path.group_by("iteration").agg(length.alias("ns")).sort("iteration")
    assert sums["ns"].to_list() == iterations(run)["duration_ns"].to_list()
    assert path["begin_ns"].to_list()[1:] == path["end_ns"].to_list()[:-1]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    ranks=st.integers(2, 7),
    slowdown=st.dictionaries(st.integers(0, 6), st.floats(1, 3), max_size=3),
    held_up=st.dictionaries(
        st.tuples(st.integers(0, 6), st.integers(0, 3)), st.floats(0, 2), max_size=3
    ),
    messages=st.booleans(),
)
def test_the_path_of_an_iteration_sums_to_it(tmp_path: Path, **changes: Any) -> None:
    made = uniform(changes.pop("ranks"), jitter=0.1, **changes)
    sums_to_iterations(load_run(make_run(tmp_path / "run", made)))


def test_a_planted_straggler_is_where_the_path_computes(tmp_path: Path) -> None:
    run = load_run(make_run(tmp_path / "run", uniform(8, slowdown={5: 1.5})))
    first = through(run, critical_path(run))[0]
    assert (first.kind, first.where) == ("compute", "home-05")
    assert first.seconds == pytest.approx(1.5 * 0.42, rel=0.01)


def test_a_planted_slow_link_is_where_the_path_is_on_the_wire(tmp_path: Path) -> None:
    slow = Link("a", "b", 100e-6, 1e6)
    fast = Link("b", "c", 100e-6, 20e6), Link("a", "c", 100e-6, 20e6)
    hosts: dict[str, tuple[str, ...]] = dict.fromkeys("abc", ("GB200",) * 4)
    made = Scenario(hosts=hosts, links=(slow, *fast), jitter=0.0, iterations=4)
    run = load_run(make_run(tmp_path / "run", made))
    path = critical_path(run)
    wires = [one for one in through(run, path) if one.kind in {"wire", "send"}]
    assert wires[0].where == "a → b"
    kinds = by_kind(path)
    # 22 steps of 1.4 MB / 12 at 1 MB/s, one after another on the slow link.
    assert kinds["wire"] + kinds["send"] == pytest.approx(22 * 1.4 / 12, rel=0.02)


def test_a_run_without_messages_has_a_path_too(tmp_path: Path) -> None:
    run = load_run(make_run(tmp_path / "run", uniform(4, messages=False, slowdown={2: 2.0})))
    sums_to_iterations(run)
    assert by_kind(critical_path(run))["compute"] == pytest.approx(0.84, rel=1e-4)


def test_of_a_long_run_the_last_iterations_have_a_path(tmp_path: Path) -> None:
    run = load_run(make_run(tmp_path / "run", uniform(3, iterations=9)))
    found = critical_path(run, most=4)
    whole = critical_path(run)
    assert found["iteration"].unique().sort().to_list() == [5, 6, 7, 8]
    assert found.rows() == whole.filter(pl.col("iteration") >= 5).rows()
