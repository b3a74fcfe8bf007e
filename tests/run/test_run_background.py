"""Background load runs beside a workload: as much as was said, when it was said, and in its way."""

from typing import Any

import polars as pl
import pytest

from .conftest import HERE, Done, Runs, longhaul

UDP = ("--workload", HERE / "background-udp.yaml")
TCP = ("--workload", HERE / "background-tcp.yaml")
SCALE = 100
FRAME, UDP_PAYLOAD = 9014, 8972


@pytest.fixture(scope="module")
def done(runs: Runs) -> Done:
    return runs("links", "verified", *UDP, *TCP, "--capture", "c2-prb", name="beside")


def loads(done: Done) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in done.summary["background"]}


def sent(done: Done, name: str) -> pl.DataFrame:
    counted = pl.read_parquet(done.folder / "background.parquet")
    return counted.filter(workload=name, side="sent").sort("begin_ns")


@pytest.mark.slow
def test_constant_load_has_the_rate_that_was_asked_for(done: Done) -> None:
    whole = sent(done, "neighbours")[1:-1]
    seconds = whole.height * 1e-3
    rate_bps = 8 * whole["bytes"].sum() * FRAME / UDP_PAYLOAD * SCALE / seconds
    assert rate_bps == pytest.approx(100e9, rel=0.01)
    assert loads(done)["neighbours"]["loss"] == 0  # 400 Gbit/s has room for it


@pytest.mark.slow
def test_load_in_turn_with_silence_is_silent_when_it_should_be(done: Done) -> None:
    busy = {begin_ns // 1_000_000 for begin_ns in sent(done, "backup")["begin_ns"]}
    assert busy
    assert all(millisecond % 20 < 10 for millisecond in busy)
    assert set(range(10)) <= busy


@pytest.mark.slow
def test_tcp_gets_no_more_than_the_link_carries(done: Done) -> None:
    backup = loads(done)["backup"]
    assert backup["offered_bps"] == 200e9
    assert backup["sent_bps"] < 0.6 * 200e9
    assert backup["received_bps"] == pytest.approx(backup["sent_bps"], rel=0.05)


@pytest.mark.slow
def test_the_workload_is_slower_for_it_and_still_right(runs: Runs) -> None:
    """Half of its narrowest link is taken; nothing else on that link is lost."""
    clean = [f"links.{link}.forward.loss=0" for link in ("c1-c2", "c1-c3")]
    words = [word for one in clean for word in ("--set", one)]
    half = ("from=c1", "to=c2", "rate=50Gbit/s")
    taken = [word for one in half for word in ("--set-workload", f"neighbours:{one}")]
    alone = runs("links", "verified", *words)
    beside = runs("links", "verified", *words, *UDP, *taken)
    slower = beside.summary["collective"]["p50_s"] / alone.summary["collective"]["p50_s"]
    assert 1.2 < slower < 2.2
    assert beside.summary["collective"]["wrong"] == 0


@pytest.mark.slow
def test_the_same_seed_has_the_same_load(done: Done, runs: Runs) -> None:
    again = runs("links", "verified", *UDP, *TCP, name="again-beside")
    assert again.summary["digest"] == done.summary["digest"]
    assert again.summary["background"] == done.summary["background"]


@pytest.mark.slow
def test_the_load_is_in_the_terminal_and_the_report(done: Done) -> None:
    assert "Background load" in done.out
    assert "neighbours" in (done.folder / "report.html").read_text()


def test_an_end_that_is_not_there_is_named() -> None:
    words = ("run", HERE / "links.yaml", "--workload", HERE / "verified.yaml", *UDP)
    seen = longhaul(*words, "--set-workload", "neighbours:to=c9")
    assert seen.status == 2
    assert "no campus with a long-haul link, and no host, is called c9" in seen.complaint
