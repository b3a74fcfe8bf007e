"""Factors: what each takes out of a topology, and nothing else."""

from pathlib import Path

import pytest

from scenario.factors import NEXT_DOOR_S, effective, factors, load_without
from scenario.loading import load_topology
from scenario.text.diagnostics import InvalidInput
from scenario.types.achieved import achieved_flops
from scenario.types.topology import Topology

COLOSSUS = Path("topologies/colossus.yaml")
ALL = ("distance", "aging", "hardware")


def without(*names: str) -> Topology:
    return load_without(COLOSSUS, (), names)


def test_without_nothing_is_the_topology_itself() -> None:
    assert without() == load_topology(COLOSSUS)


def test_without_distance_only_the_delay_of_links_differs() -> None:
    actual, other = without(), without("distance")
    assert {way.delay_s for link in other.links for way in (link.forward, link.backward)} == {
        NEXT_DOOR_S
    }
    assert [(link.forward.loss, link.forward.rate_bps) for link in other.links] == [
        (link.forward.loss, link.forward.rate_bps) for link in actual.links
    ]
    assert other.campuses == actual.campuses


def test_without_aging_links_are_as_fast_as_written_and_as_long_as_before() -> None:
    wet = [f"links.{name}.condition=waterlogged" for name in ("c1-c2", "c1-c3")]
    actual, other = load_topology(COLOSSUS, wet), load_without(COLOSSUS, wet, ["aging"])
    assert any(link.forward.rate_bps < 1.6e12 for link in actual.links)
    assert [(link.forward.rate_bps, link.age_s) for link in other.links] == [(1.6e12, 0)] * 3
    assert [link.forward.delay_s for link in other.links] == [
        link.forward.delay_s for link in actual.links
    ]


def test_without_mixed_hardware_all_hosts_are_alike_and_together_as_fast_as_before() -> None:
    actual, other = without(), without("hardware")
    before, after = (
        [host for campus in topology.campuses for host in campus.hosts]
        for topology in (actual, other)
    )
    per_gpu = {achieved_flops(host.accelerator.achieved, "bf16", 7e9) for host in after}
    assert len(per_gpu) == 1
    assert len({host.gpus for host in after}) == 1
    assert [(host.name, host.nic_bps) for host in after] == [
        (host.name, host.nic_bps) for host in before
    ]
    for size in (7e9, 70e9, 405e9):
        whole = [
            sum(
                h.gpus / h.slowdown * achieved_flops(h.accelerator.achieved, "bf16", size)
                for h in hosts
            )
            for hosts in (before, after)
        ]
        assert whole[1] == pytest.approx(whole[0])
    assert other.links == actual.links


def test_the_best_hardware_everywhere_is_another_factor_that_is_not_asked_for_by_itself() -> None:
    actual, other = without(), without("best-hardware")
    after = [host for campus in other.campuses for host in campus.hosts]
    assert {host.accelerator.name for host in after} == {"GB200"}
    assert len({(host.gpus, host.nic_bps, host.slowdown) for host in after}) == 1
    assert not factors(actual)["best-hardware"].usual


def test_the_order_of_factors_makes_no_difference() -> None:
    assert without(*ALL) == without(*reversed(ALL))


def test_a_factor_without_effect_is_left_out() -> None:
    overrides = [f"links.{name}.age=0y" for name in ("c1-c2", "c1-c3", "c2-c3")]
    found = effective(COLOSSUS, overrides, ALL)
    assert [one.name for one in found] == ["distance", "hardware"]


def test_an_unknown_factor_is_told_with_the_nearest_name() -> None:
    with pytest.raises(InvalidInput) as error:
        without("hardwear")
    assert "did you mean hardware?" in str(error.value)


def test_a_straggler_is_part_of_mixed_hardware() -> None:
    overrides = ["campuses.c2.hosts[0].slowdown=2"]
    other = load_without(COLOSSUS, overrides, ["hardware"])
    hosts = [host for campus in other.campuses for host in campus.hosts]
    assert {host.slowdown for host in hosts} == {1.0}
    assert achieved_flops(hosts[0].accelerator.achieved) < achieved_flops(
        next(c for c in without("hardware").campuses).hosts[0].accelerator.achieved
    )
