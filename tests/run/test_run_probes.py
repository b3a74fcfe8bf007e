"""Probes beside a workload say what was asked of the links, and what happened to them."""

import json
from typing import Any

import polars as pl
import pytest

from .conftest import HERE, Done, Runs, longhaul

PROBES = ("--probe", "*", "--probe-interval", "1ms")
NS = 1e-9


@pytest.fixture(scope="module")
def done(runs: Runs) -> Done:
    """Over links that lose packets and differ by direction."""
    return runs("links", "verified", *PROBES, name="probed")


def ways(done: Done) -> dict[tuple[str, str], dict[str, Any]]:
    return {(one["link"], one["direction"]): one for one in done.summary["probes"]}


def table(done: Done) -> pl.DataFrame:
    return pl.read_parquet(done.folder / "probes.parquet")


@pytest.mark.slow
def test_every_link_is_probed_in_both_directions_at_the_interval_asked_for(done: Done) -> None:
    links = {link["name"] for link in json.loads((done.folder / "plan.json").read_text())["links"]}
    every = {(link, way) for link in links for way in ("forward", "backward")}
    # From c1 to c3 packets go over c2, as that is shorter: nobody takes that link forward.
    assert set(ways(done)) == every - {("c1-c3", "forward")}
    for _, own in table(done).group_by("link", "direction"):
        assert own["sequence"].to_list() == list(range(own.height))
        assert own.height > 10
        late_ns = own["sent_ns"] - own["sequence"] * 1_000_000
        assert 0 <= late_ns.min() <= late_ns.max() < 200  # looking at clocks, for every way


@pytest.mark.slow
def test_a_probe_that_meets_nobody_takes_what_the_plan_says(done: Done) -> None:
    found = table(done).with_columns(delay=(pl.col("received_ns") - pl.col("sent_ns")) * NS)
    for (link, direction), way in ways(done).items():
        own = found.filter(link=link, direction=direction)["delay"].drop_nulls()
        assert own.min() == pytest.approx(way["alone_s"], abs=50e-9)
        assert way["delay"]["p50_s"] >= own.min()


@pytest.mark.slow
def test_directions_that_differ_are_told_apart(done: Done) -> None:
    forward, backward = (ways(done)["c2-c3", way]["alone_s"] for way in ("forward", "backward"))
    frame_s = 8 * 62 / 2e9  # at 200 Gbit/s, a hundredth of which is carried, and at twice that
    assert backward - forward == pytest.approx(frame_s - frame_s / 2, abs=1e-9)


@pytest.mark.slow
def test_only_links_that_lose_packets_lose_probes(done: Done) -> None:
    for way in (("c2-c3", "forward"), ("c2-c3", "backward"), ("c1-c2", "backward")):
        assert ways(done)[way]["lost"] == 0


@pytest.mark.slow
def test_probes_say_their_load_and_hardly_matter(runs: Runs) -> None:
    """On links that lose nothing: where they do, any other packet means that others are lost."""
    clean = [f"links.{link}.forward.loss=0" for link in ("c1-c2", "c1-c3")]
    words = [word for one in clean for word in ("--set", one)]
    probed, alone = runs("links", "verified", *words, *PROBES), runs("links", "verified", *words)
    assert max(way["load"] for way in ways(probed).values()) < 0.001
    ratio = probed.summary["iterations"]["p50_s"] / alone.summary["iterations"]["p50_s"]
    assert ratio == pytest.approx(1, abs=0.005)


@pytest.mark.slow
def test_what_probes_saw_is_in_the_terminal_and_the_report(done: Done) -> None:
    assert "Probes of the long-haul links" in done.out
    assert "What probes saw" in (done.folder / "report.html").read_text()


@pytest.mark.slow
def test_the_same_seed_sees_the_same_probes(done: Done, runs: Runs) -> None:
    again = runs("links", "verified", *PROBES, "--seed", "1", name="again")
    assert table(again).equals(table(done))


@pytest.mark.slow
def test_probes_lost_in_a_cut_are_those_sent_while_it_lasted(runs: Runs) -> None:
    cut = "timeline=[{event: link-down, link: c1-c2, at: 205ms, for: 20ms}]"
    short = ("--set-workload", "iterations=2", "--probe", "c1-c2")
    seen = table(runs("eventful", "eventful-training", "--set", cut, *short))
    lost = seen.filter(pl.col("received_ns").is_null())
    for _, own in lost.group_by("direction"):
        assert own["sequence"].to_list() == [21, 22]  # of those that are sent every 10 ms
    assert lost.height == 4


def test_probes_alone_have_nothing_to_end_with() -> None:
    seen = longhaul("run", HERE / "links.yaml", "--workload", HERE / "probes.yaml")
    assert seen.status == 2
    assert "watch ends when all others have" in seen.complaint


def test_a_link_that_cannot_be_probed_is_named() -> None:
    seen = longhaul("run", HERE / "links.yaml", "--probe", "c1-c9")
    assert seen.status == 2
    assert "no long-haul link is called c1-c9; there are c1-c2, c2-c3, c1-c3" in seen.complaint
