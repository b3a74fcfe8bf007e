"""The network under the timeline, what crosses its lanes, and rank by rank: what a page is given to draw."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from analysis.findings.critical import critical_path
from analysis.findings.stalls import iterations
from analysis.pictures import crossings, tracks
from analysis.pictures.crossings import message_rows, path_rows
from analysis.pictures.heat import rank_heat
from analysis.pictures.tracks import MOST_TRACKS, Tracks, network_tracks
from analysis.report.page import write_report
from analysis.run import Run, load_run
from tests.analysis.make_run import Link, Scenario, make_run, trained

LINKS = (Link("a", "b", 100e-6, 5e6), Link("b", "c", 100e-6, 5e6), Link("a", "c", 120e-6, 5e6))
HOSTS: dict[str, tuple[str, ...]] = dict.fromkeys("abc", ("GB200",) * 2)


def run_of(tmp_path: Path, **changes: Any) -> Run:
    plain: dict[str, Any] = {"hosts": HOSTS, "links": LINKS, "iterations": 5, "dropped": ()}
    return load_run(make_run(tmp_path / "run", Scenario(**plain | changes)))


def tracks_of(run: Run) -> Tracks:
    found = network_tracks(run, 1_000_000_000, 2_000_000_000)
    assert found is not None
    return found


def test_every_direction_of_every_link_has_a_track_on_the_axis_of_the_ranks(tmp_path: Path) -> None:
    found = tracks_of(run_of(tmp_path, dropped=(("a", "b", 1.5, 21), ("a", "b", 0.5, 7))))
    names = [track["name"] for track in found.tracks]
    assert names == ["a→b", "b→a", "a→c", "c→a", "b→c", "c→b"]  # by link, whatever the hash seed
    assert found.at_us[0] == 0
    assert found.at_us[-1] == 1_000_000
    (track,) = [track for track in found.tracks if track["name"] == "a→b"]
    at = found.at_us.index(500_000)
    assert track["dropped"] == [[at, 21]]  # what was dropped before is not within
    assert (track["queue"][at], track["limit"], track["used"][at]) == (100, 100, 500)
    assert track["pairs"] == [["a", "b"]]
    assert all(len(one["used"]) == len(found.at_us) for one in found.tracks)


def test_of_many_samples_some_become_one_and_no_drop_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(tmp_path, dropped=(("a", "b", 1.5, 21), ("a", "b", 1.51, 4)))
    whole = tracks_of(run)
    monkeypatch.setattr(tracks, "MOST_MOMENTS", 30)
    few = tracks_of(run)
    assert len(few.at_us) <= 30 < len(whole.at_us)
    assert few.at_us[-1] == whole.at_us[-1]
    for before, after in zip(whole.tracks, few.tracks, strict=True):
        assert sum(n for _, n in after["dropped"]) == sum(n for _, n in before["dropped"])
        assert max(after["queue"]) == max(before["queue"])


def test_of_many_links_those_that_dropped_are_drawn_and_the_note_says_how_many(
    tmp_path: Path,
) -> None:
    names = [f"n{i}" for i in range(7)]
    links = tuple(Link(a, b, 1e-4, 5e6) for i, a in enumerate(names) for b in names[i + 1 :])
    hosts: dict[str, tuple[str, ...]] = dict.fromkeys(names, ("GB200",))
    found = tracks_of(run_of(tmp_path, hosts=hosts, links=links, dropped=(("n6", "n5", 1.5, 1),)))
    assert len(found.tracks) == MOST_TRACKS
    assert "n6→n5" in [track["name"] for track in found.tracks]
    assert "16 of 42 directions are drawn" in found.note


def test_what_tcp_sent_again_and_probes_stand_beside_the_samples(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    again = {
        "since_ns": [1_100_000_000, 10**10], "t_ns": [1_110_000_000, 10**10 + 1],
        "host": ["a-01", "a-01"], "peer": ["b-00", "b-00"], "packets": [4, 9],
    }  # fmt: skip
    pl.DataFrame(again).write_parquet(run.path / "retransmissions.parquet")
    sent = [1_200_000_000, 1_300_000_000]
    probes = {
        "link": ["a-b"] * 2, "direction": ["backward"] * 2, "sent_ns": sent,
        "received_ns": [sent[0] + 150_000, None],
    }  # fmt: skip
    pl.DataFrame(probes).write_parquet(run.path / "probes.parquet")
    found = tracks_of(run)
    assert found.again == ((100_000, 110_000, 1, 2, 4),)
    delays = {track["name"]: track["delays"] for track in found.tracks}
    assert delays["b→a"] == [[200_000, 150_000], [300_000, -1]]
    assert delays["a→b"] == []


def test_messages_and_path_lie_within_their_iterations_and_path_sums_to_them(
    tmp_path: Path,
) -> None:
    run = run_of(tmp_path)
    rows = iterations(run).filter(pl.col("iteration").is_in([2, 3]))
    begin_ns, end_ns = int(rows["begin_ns"][0]), int(rows["end_ns"][-1])
    sent = message_rows(run, [2, 3], begin_ns)
    assert len(sent) == 2 * 6 * 10  # two iterations, six ranks, 2(n − 1) steps
    assert all(0 <= one[2] <= one[3] <= (end_ns - begin_ns) // 1000 for one in sent)
    path = path_rows(run, critical_path(run), [2, 3], begin_ns)
    assert sum(one[4] - one[3] for one in path) * 1000 == pytest.approx(
        end_ns - begin_ns, abs=1000 * len(path)
    )


def test_where_there_are_too_many_messages_the_slowest_iterations_keep_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(tmp_path, held_up={(1, 3): 0.5})
    monkeypatch.setattr(crossings, "MOST_MESSAGES", 60)
    begin_ns = int(iterations(run)["begin_ns"][0])
    kept = message_rows(run, [1, 2, 3, 4], begin_ns)
    slowest = run.messages.filter(pl.col("iteration") == 3)
    assert len(kept) == slowest.height == 60
    assert max(one[3] for one in kept) == (int(slowest["end_ns"].max()) - begin_ns) // 1000  # type: ignore[arg-type]


def test_rank_by_rank_a_row_sums_to_that_ranks_sync_wait(tmp_path: Path) -> None:
    run = run_of(tmp_path, slowdown={3: 2.0}, jitter=0.0)
    found = rank_heat(run)
    assert found is not None
    summary = trained(run.path)
    for rank, row in zip(summary.stalls.by_rank, found["waited"], strict=True):
        assert sum(row) / 1e6 == pytest.approx(rank.sync_wait_s, abs=1e-5)
    assert found["sent"][0][1] > 0
    assert found["sent"][0][2] == 0


def test_the_page_holds_all_of_it_and_marks_ranks_and_links_alike(tmp_path: Path) -> None:
    run = run_of(tmp_path, dropped=(("a", "b", 1.5, 21),))
    trained(run.path)
    page = write_report(run.path).read_text()
    for part in ("network", "crossings", "heat"):
        text = page.split(f'json" class="{part}">')[1].split("</script>")[0]
        assert json.loads(text)
    assert page.count('data-link="a-b"') == 2  # its arc, its row in the table
    assert page.count('data-rank="3"') == 3  # the host, most waited for, all ranks
