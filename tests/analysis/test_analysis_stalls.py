"""Stalls, blame and slowdown on cases small enough to compute by hand, and on planted causes."""

import html
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from analysis.findings.blame import between_groups, blame_by_rank, blame_matrix
from analysis.findings.equals import unequal_shares
from analysis.findings.hops import between_campuses, pairs
from analysis.findings.hops import links as hops_links
from analysis.findings.latencies import latencies
from analysis.findings.stalls import by_rank, collectives, covered, iterations, lateness
from analysis.findings.summary import summarise, write_summary
from analysis.findings.whatif import make_tasks, what_if
from analysis.form.stalls import Rank
from analysis.messages import messages
from analysis.report.page import write_report
from analysis.run import Run, load_run
from analysis.tables import KINDS, SCHEMA
from analysis.terminal.training import print_summary
from tests.analysis.make_run import Link, Scenario, make_run, uniform


def events(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """Rows of (rank, iteration, task, op, kind, peer, ready, start, end), times in seconds."""
    table = [(*row[:6], 0, *(round(seconds * 1e9) for seconds in row[6:])) for row in rows]
    return pl.DataFrame(table, schema=pl.Schema(SCHEMA), orient="row")


def entries(*times: tuple[float, float]) -> pl.DataFrame:
    """One collective, rank i entering and ending at `times[i]` seconds."""
    return collectives(
        events(*((rank, 0, 1, -1, "collective", -1, s, s, e) for rank, (s, e) in enumerate(times)))
    )


def run_of(table: pl.DataFrame, tmp_path: Path, ranks: int) -> Run:
    """A run with these events in place of the made ones."""
    made = load_run(make_run(tmp_path / "run", uniform(ranks)))
    return replace(made, recorded=table, events=table, workload={**made.workload, "warmup": 0})


# Rank 1 computes for 3 s where rank 0 takes 1 s; the transfer takes 2 s, the second time 4 s.
TWO = events(
    (0, 0, 0, -1, "compute", -1, 0, 0, 1),
    (0, 0, 1, -1, "collective", -1, 1, 1, 5),
    (0, 1, 0, -1, "compute", -1, 5, 5, 6),
    (0, 1, 1, -1, "collective", -1, 6, 6, 12),
    (1, 0, 0, -1, "compute", -1, 0, 0, 3),
    (1, 0, 1, -1, "collective", -1, 3, 3, 5),
    (1, 1, 0, -1, "compute", -1, 5, 5, 8),
    (1, 1, 1, -1, "collective", -1, 8, 8, 12),
)


def test_sync_wait_is_up_to_the_last_entry_and_transfer_is_the_rest() -> None:
    found = collectives(TWO).sort("iteration", "rank")
    assert found["sync_wait_ns"].to_list() == [2e9, 0, 2e9, 0]
    assert found["transfer_ns"].to_list() == [2e9, 2e9, 4e9, 4e9]


def test_a_rank_done_before_the_last_entry_has_no_transfer() -> None:
    found = entries((0, 1), (3, 4))
    assert found["sync_wait_ns"].to_list() == [1e9, 0]
    assert found["transfer_ns"].to_list() == [0, 1e9]


# Rank 0 alone computes, 5 s; three others are there at once; the transfer takes 1 s.
ONE_COMPUTES = events(
    (0, 0, 1, -1, "compute", -1, 0, 0, 5),
    (0, 0, 0, -1, "collective", -1, 5, 5, 6),
    *((rank, 0, 0, -1, "collective", -1, 0, 0, 6) for rank in (1, 2, 3)),
)


def test_ranks_that_compute_nothing_wait_for_the_one_that_does(tmp_path: Path) -> None:
    stalls = summarise(run_of(ONE_COMPUTES, tmp_path, 4)).stalls
    assert [rank.sync_wait_s for rank in stalls.by_rank] == [0, 5, 5, 5]
    assert [rank.compute_s for rank in stalls.by_rank] == [5, 0, 0, 0]
    assert [rank.blamed_s for rank in stalls.by_rank] == [15, 0, 0, 0]
    assert stalls.compute_wait_s == stalls.sync_wait_s == 15 / 4


def test_a_run_without_any_compute_is_told_all_the_same(tmp_path: Path) -> None:
    only = ONE_COMPUTES.filter(pl.col("kind") == "collective")
    found = summarise(run_of(only, tmp_path, 4))
    assert found.stalls.compute_s == 0
    assert [rank.sync_wait_s for rank in found.stalls.by_rank] == [0, 5, 5, 5]
    assert "waiting" in found.headline


def test_a_rank_that_does_nothing_is_idle_all_the_time(tmp_path: Path) -> None:
    found = summarise(run_of(ONE_COMPUTES, tmp_path, 5)).stalls.by_rank[4]
    assert (found.idle_s, found.whole_s, found.blamed_s) == (6, 6, 0)


def test_iterations_sum_to_the_whole_time(tmp_path: Path) -> None:
    found = iterations(run_of(TWO, tmp_path, 2))
    assert found["duration_ns"].to_list() == [5e9, 7e9]


def test_slowdown_is_actual_over_mean_compute_and_shortest_transfer(tmp_path: Path) -> None:
    found = what_if(run_of(TWO, tmp_path, 2))
    assert found.actual_s == 6
    assert (found.ideal_compute_s, found.ideal_communication_s) == (2, 2)
    assert found.slowdown == 1.5
    assert found.waste == pytest.approx(1 / 3)
    assert found.slowdown_compute == (3 + 2) / 4
    assert found.slowdown_communication == (2 + 3) / 4


def test_the_median_transfer_gives_the_straggler_studys_own_ideal(tmp_path: Path) -> None:
    assert what_if(run_of(TWO, tmp_path, 2), pl.Expr.median).ideal_communication_s == 3


def test_exposed_communication_is_what_compute_does_not_cover() -> None:
    found = covered(
        events(
            (0, 0, 0, -1, "compute", -1, 0, 0, 4),
            (0, 0, 1, -1, "collective", -1, 3, 3, 6),  # 1 s hidden, 2 s exposed
            (0, 0, 2, -1, "collective", -1, 5, 5, 7),  # overlaps the other: 1 s more
            (0, 0, 3, -1, "compute", -1, 8, 8, 9),  # after 1 s of nothing
        )
    )
    assert found.row(0) == (0, 5e9, 0, 3e9, 1e9, 9e9)


def test_collectives_that_overlap_are_waited_for_and_moved_once(tmp_path: Path) -> None:
    """From 1 to 2 s both wait for rank 1; from 2 to 4 s one moves, whatever the other does; to 5 s it waits."""
    found = by_rank(
        run_of(
            events(
                (0, 0, 0, -1, "compute", -1, 0, 0, 1),
                (0, 0, 1, -1, "collective", -1, 1, 1, 4),
                (0, 0, 2, -1, "collective", -1, 1, 1, 7),
                (1, 0, 1, -1, "collective", -1, 2, 2, 4),
                (1, 0, 2, -1, "collective", -1, 5, 5, 7),
            ),
            tmp_path,
            2,
        )
    ).row(0, named=True)
    assert (found["sync_wait_s"], found["transfer_s"]) == (2, 4)
    assert found["exposed_communication_s"] == 6


def test_lateness_is_split_into_a_late_begin_and_slow_compute(tmp_path: Path) -> None:
    table = events(
        (0, 0, 0, -1, "compute", -1, 0, 0, 2),
        (0, 0, 1, -1, "collective", -1, 2, 2, 9),
        (1, 0, 0, -1, "compute", -1, 4, 4, 5),
        (1, 0, 1, -1, "collective", -1, 5, 5, 9),
    )
    found = lateness(run_of(table, tmp_path, 2)).sort("rank")
    assert found["late_begin_s"].to_list() == [-2, 2]
    assert found["late_compute_s"].to_list() == [0.5, -0.5]
    assert found["compute_wait_s"].to_list() == [0, 1]


def test_blame_goes_wholly_to_a_lone_straggler() -> None:
    matrix = blame_matrix(entries((0, 9), (0, 9), (5, 9)), range(3))
    assert matrix.tolist() == [[0, 0, 5], [0, 0, 5], [0, 0, 0]]


def test_blame_is_shared_equally_while_several_are_missing() -> None:
    # Ranks 1 and 2 are both missing for 4 s, then rank 2 alone for 2 s.
    matrix = blame_matrix(entries((0, 9), (4, 9), (6, 9)), range(3))
    assert matrix.tolist() == [[0, 2, 4], [0, 0, 2], [0, 0, 0]]


def test_equally_late_ranks_share_equally() -> None:
    found = blame_by_rank(entries((0, 9), (4, 9), (4, 9)), range(3), iterations=1)
    assert found["blamed_s"].to_list() == [0, 2, 2]
    assert found["last_to_enter"].to_list() == [0, 1, 0]


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(1, 100)), min_size=1, max_size=8))
def test_blame_always_sums_to_the_sync_wait(times: list[tuple[int, int]]) -> None:
    waits = entries(*((start, start + lasts) for start, lasts in times))
    charged = blame_matrix(waits, range(len(times))).sum(axis=1)
    assert charged == pytest.approx((waits.sort("rank")["sync_wait_ns"] * 1e-9).to_numpy())


def test_blame_between_groups_keeps_the_sum() -> None:
    matrix = np.array([[0.0, 2.0, 4.0], [0.0, 0.0, 2.0], [0.0, 0.0, 0.0]])
    assert between_groups(matrix, ["b", "a", "a"]) == (["b", "a"], [[0.0, 6.0], [0.0, 2.0]])


def test_a_late_sender_is_not_held_against_the_link() -> None:
    # Rank 1 is ready at 0; rank 0 sends from 3 on; the last byte arrives at 5.
    found = messages(
        events(
            (0, 0, 1, 0, "send", 1, 3, 3, 4),
            (1, 0, 1, 0, "recv", 0, 0, 4, 5),
        )
    )
    assert found.select("peer_late_ns", "transfer_ns", "wait_ns").row(0) == (3e9, 2e9, 4e9)


def test_the_time_of_a_message_that_was_there_before_it_was_asked_for_is_all_of_its_way() -> None:
    # Sent from 0 to 1, there at 2; rank 1 asks for it at 4 and has it at 4.
    found = messages(
        events(
            (0, 0, 1, 0, "send", 1, 0, 0, 1),
            (1, 0, 1, 0, "recv", 0, 4, 4, 4),
        )
    )
    assert found.select("message_ns", "transfer_ns").row(0) == (4e9, 0)


def test_no_message_is_faster_than_light(tmp_path: Path) -> None:
    run = load_run(make_run(tmp_path / "run", Scenario(iterations=3)))
    for tail in latencies(run):
        if "→" in tail.what and tail.what.split(" → ") == ["memphis", "whitehaven"]:
            assert tail.mean_s >= 78.8e-6
    assert all(row.message_p50_s >= 5e-6 for row in hops_links(run))


def test_a_message_that_follows_another_is_awaited_once_that_one_is_in() -> None:
    # Both receives are ready at 0, but share a stream: the second message can only come after 2.
    found = messages(
        events(
            (0, 0, 1, 0, "send", 1, 0, 0, 1),
            (0, 0, 1, 1, "send", 1, 0, 5, 6),
            (1, 0, 1, 0, "recv", 0, 0, 1, 2),
            (1, 0, 1, 1, "recv", 0, 0, 6, 7),
        )
    ).sort("nth")
    assert found["peer_late_ns"].to_list() == [0, 3e9]
    assert found["transfer_ns"].to_list() == [2e9, 2e9]


def test_the_nth_send_meets_the_nth_recv() -> None:
    found = messages(
        events(
            (0, 0, 1, 0, "send", 1, 0, 0, 1),
            (0, 0, 1, 1, "send", 1, 0, 1, 2),
            (1, 0, 1, 4, "recv", 0, 0, 1, 2),
            (1, 0, 1, 7, "recv", 0, 2, 3, 6),
        )
    ).sort("nth")
    assert found["transfer_ns"].to_list() == [2e9, 4e9]


def test_a_planted_straggler_is_blamed_and_nobody_else(tmp_path: Path) -> None:
    run = load_run(make_run(tmp_path / "run", uniform(8, slowdown={5: 1.5}, jitter=0.001)))
    stalls = summarise(run).stalls
    shares = {rank.rank: rank.blamed_share for rank in stalls.by_rank}
    assert shares.pop(5) > 0.97
    assert max(shares.values()) < 0.01
    assert max(stalls.by_rank, key=lambda rank: rank.slowdown).rank == 5
    assert stalls.slowdown_communication < 1.01
    assert stalls.slowdown_compute > 1.2


def test_a_planted_slow_generation_is_blamed_as_a_group(tmp_path: Path) -> None:
    stalls = summarise(load_run(make_run(tmp_path / "run"))).stalls
    shares = {group.accelerator: group.blamed_share for group in stalls.by_accelerator}
    assert shares["H100"] + shares["H200"] > 0.9


def test_a_planted_slow_link_is_found_and_no_rank_is_blamed_for_its_compute(tmp_path: Path) -> None:
    slow = Link("a", "b", 100e-6, 1e6)
    fast = Link("b", "c", 100e-6, 20e6), Link("a", "c", 100e-6, 20e6)
    hosts: dict[str, tuple[str, ...]] = dict.fromkeys("abc", ("GB200",) * 4)
    made = Scenario(hosts=hosts, links=(slow, *fast), jitter=0.0, iterations=4)
    run = load_run(make_run(tmp_path / "run", made))
    worst = pairs(messages(run.measured), run.ranks).row(0, named=True)
    assert (worst["src_campus"], worst["dst_campus"]) == ("a", "b")
    links = between_campuses(run)
    assert links.row(0, named=True)["src_campus"] == "a"
    assert links["transfer_p50_s"][0] > 5 * links["transfer_p50_s"][1]
    stalls = summarise(run).stalls
    assert stalls.slowdown < 1.01, "a link that is slow all the time makes nobody straggle"
    assert stalls.compute_wait_s == pytest.approx(0, abs=1e-12)
    assert {rank.late_compute_s for rank in stalls.by_rank} == {0}
    assert "for no rank" in summarise(run).headline


def test_uniform_ranks_have_no_stalls_at_all(tmp_path: Path) -> None:
    stalls = summarise(load_run(make_run(tmp_path / "run", uniform(4)))).stalls
    assert (stalls.sync_wait_s, stalls.idle_s) == (0, 0)
    assert stalls.slowdown == pytest.approx(1, abs=1e-9)


def test_kinds_are_in_the_order_of_the_alphabet() -> None:
    assert list(KINDS) == sorted(KINDS), "the digest's codes sort as the words do"


# Gradients in two buckets: the first is summed while the second is still computed.
OVERLAP = events(
    *(
        row
        for rank, slow in ((0, 1.0), (1, 2.0))
        for row in (
            (rank, 0, 0, -1, "compute", -1, 0, 0, slow),
            (rank, 0, 1, -1, "collective", -1, slow, slow, 5),
            (rank, 0, 2, -1, "compute", -1, slow, slow, 2 * slow),
            (rank, 0, 3, -1, "collective", -1, 2 * slow, max(5, 2 * slow), 6),
        )
    )
)


def test_what_overlaps_is_replayed_with_its_overlap(tmp_path: Path) -> None:
    tasks = make_tasks(run_of(OVERLAP, tmp_path, 2))
    # The second collective was ready before the first had ended, so it does not wait for it.
    assert tasks.iteration_s(tasks.actual) == pytest.approx(5)
    # Equal compute, 1.5 s a bucket: 1.5 + 3 for the first collective; the second ends at 3 + 1.
    assert tasks.iteration_s(tasks.ideal) == pytest.approx(4.5)
    found = what_if(run_of(OVERLAP, tmp_path / "again", 2))
    assert found.ideal_compute_s == pytest.approx(3)
    assert found.ideal_communication_s == pytest.approx(1.5)


def test_a_sender_goes_on_before_its_message_is_received(tmp_path: Path) -> None:
    """Each of two ranks sends, then receives: had they to wait for what they sent, both would for ever."""
    crossing = events(
        (0, 0, 0, -1, "collective", -1, 0, 0, 1),
        (0, 0, 0, 0, "send", 1, 0, 0, 1),
        (0, 0, 1, -1, "collective", -1, 1, 1, 7),
        (0, 0, 1, 0, "recv", 1, 1, 6, 7),
        (1, 0, 0, -1, "collective", -1, 2, 2, 9),
        (1, 0, 0, 0, "recv", 0, 2, 8, 9),
        (1, 0, 1, -1, "collective", -1, 0, 0, 2),
        (1, 0, 1, 0, "send", 0, 0, 0, 2),
    )
    tasks = make_tasks(run_of(crossing, tmp_path, 2))
    assert tasks.iteration_s(tasks.actual) == pytest.approx(9)


def test_a_receiver_that_is_done_before_the_last_sender_comes_has_waited_for_its_own(
    tmp_path: Path,
) -> None:
    """Rank 0 computes 4 s, rank 1 takes 6 s; rank 2 gets rank 0's message alone and computes 5 s, rank 3 gets both."""
    table = events(
        (0, 0, 0, -1, "compute", -1, 0, 0, 4),
        (0, 0, 1, -1, "collective", -1, 4, 4, 4),
        *((0, 0, 1, op, "send", peer, 4, 4, 4) for op, peer in ((0, 2), (1, 3))),
        (1, 0, 0, -1, "compute", -1, 0, 0, 6),
        (1, 0, 1, -1, "collective", -1, 6, 6, 6),
        (1, 0, 1, 0, "send", 3, 6, 6, 6),
        (2, 0, 1, -1, "collective", -1, 0, 0, 5),
        (2, 0, 1, 0, "recv", 0, 0, 4.5, 5),
        (2, 0, 2, -1, "compute", -1, 5, 5, 10),
        (3, 0, 1, -1, "collective", -1, 0, 0, 7),
        *((3, 0, 1, op, "recv", peer, 0, 6.5, 7) for op, peer in ((0, 0), (1, 1))),
    )
    tasks = make_tasks(run_of(table, tmp_path, 4))
    assert tasks.iteration_s(tasks.actual) == pytest.approx(10)
    # Had both senders computed 5 s, rank 2 had had its message a second later.
    assert tasks.iteration_s(tasks.ideal) == pytest.approx(5 + 1 + 5)


def test_a_rank_that_is_done_before_the_others_is_no_gain(tmp_path: Path) -> None:
    """Of one transfer a part takes 1 s and a part 3 s, in every iteration: that is no loss, nor a gain."""
    table = events(
        *(
            row
            for number in (0, 1)
            for row in (
                (0, number, 0, -1, "collective", -1, 6 * number, 6 * number, 6 * number + 1),
                (0, number, 1, -1, "compute", -1, 6 * number + 1, 6 * number + 1, 6 * number + 6),
                (1, number, 0, -1, "collective", -1, 6 * number, 6 * number, 6 * number + 3),
            )
        )
    )
    assert what_if(run_of(table, tmp_path, 2)).slowdown == pytest.approx(1)


def test_a_replay_with_what_was_measured_gives_what_was_measured(tmp_path: Path) -> None:
    # A single rank: nobody begins early, so every end must be met to the nanosecond.
    made = make_run(tmp_path / "run", uniform(1, jitter=0.2, messages=False))
    tasks = make_tasks(load_run(made))
    begins = pl.col("ready_ns").min().over("iteration")
    expected = tasks.rows.select(pl.col("end_ns") - begins)["end_ns"] * 1e-9
    assert tasks.graph.ends(tasks.actual) == pytest.approx(expected.to_numpy(), abs=1e-9)


def test_ranks_that_talk_to_each_other_only_are_collectives_of_their_own() -> None:
    table = events(
        *((rank, 0, 1, -1, "collective", -1, rank, rank, 9) for rank in range(4)),
        *((rank, 0, 1, 0, "send", rank ^ 1, rank, rank, 9) for rank in range(4)),
    )
    found = collectives(table).sort("rank")
    assert found["group"].to_list() == [0, 0, 2, 2]
    assert found["sync_wait_ns"].to_list() == [1e9, 0, 1e9, 0]


def equals(*shares_and_begins: tuple[float, float], tmp_path: Path) -> list[Rank]:
    """Ranks that compute equally long, with these shares of the blame, let go at these times."""
    stalls = summarise(load_run(make_run(tmp_path / "equals", uniform(3)))).stalls
    return [
        msgspec.structs.replace(rank, compute_s=1.0, blamed_share=share, late_begin_s=begin)
        for rank, (share, begin) in zip(stalls.by_rank, shares_and_begins, strict=True)
    ]


def test_equally_slow_ranks_with_unequal_shares_are_explained(tmp_path: Path) -> None:
    said = unequal_shares(equals((0.2, 0.0), (0.5, 0.003), (0.3, 0.001), tmp_path=tmp_path))
    assert said is not None
    assert "home-01 (50 %) and home-00 (20 %)" in said
    assert "the 3 such ranks begin up to 3 ms apart" in said


def test_equal_shares_and_unequal_compute_are_not_explained(tmp_path: Path) -> None:
    alike = equals((0.333, 0.0), (0.334, 0.0), (0.333, 0.0), tmp_path=tmp_path)
    assert unequal_shares(alike) is None
    slower = [
        msgspec.structs.replace(rank, compute_s=1 + 0.1 * rank.rank, blamed_share=0.2 * rank.rank)
        for rank in alike
    ]
    assert unequal_shares(slower) is None


def test_three_that_are_slow_in_turn_are_explained_in_terminal_and_report(tmp_path: Path) -> None:
    """Each computes twice as long on average; the one that is never last has the least of the blame."""
    in_turn = {0: (2.0, 2.0), 1: (3.0, 1.0), 2: (2.5, 1.5)}
    slow = {(rank, i): factors[i % 2] for rank, factors in in_turn.items() for i in range(21)}
    folder = make_run(
        tmp_path / "run", replace(uniform(6), throttled=slow, jitter=0.0, iterations=21)
    )
    ranks = summarise(load_run(folder)).stalls.by_rank
    assert [rank.compute_s for rank in ranks[:3]] == pytest.approx([ranks[0].compute_s] * 3)
    assert min(ranks[0].blamed_share, ranks[1].blamed_share) > ranks[2].blamed_share + 0.05
    said = unequal_shares(ranks)
    assert said is not None
    assert f"{ranks[2].name} 0. Each" in said
    write_summary(folder)
    out = Console(width=80, record=True, file=io.StringIO())
    print_summary(folder, out)
    assert " ".join(said.split()) in " ".join(out.export_text().split())
    assert said in html.unescape(write_report(folder).read_text())
