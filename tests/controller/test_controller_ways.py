"""The ways in the plan are what the switches' tables come to, under every policy; and say what analysis asks."""

import itertools
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings

from scenario.plan import forwarding, ways
from scenario.plan.types import Plan, PlannedHost
from scenario.plan.ways import PlannedWay, Ways
from tests.controller.networks import POLICY_NAMES, meshes
from tests.fabric.planned import SHIPPED, plan_of_file
from traffic.host import transport

LARGE = ways.SMALL_BYTES + 1
CLASSES = {0: LARGE, ways.EXPEDITED: ways.SMALL_BYTES}
"""The largest message of a connection by the DSCP that its packets carry."""


def walked(
    known: forwarding.Ways, source: PlannedHost, sink: PlannedHost, dscp: int
) -> dict[tuple[str, ...], float]:
    """The shares of the paths, as long-haul links, by the rules of the switches."""
    names = {end.interface: wire.name for wire in known.plan.long_hauls() for end in wire.ends}
    found: defaultdict[tuple[str, ...], float] = defaultdict(float)
    for share, ends in known.ways(source, sink, dscp):
        found[tuple(names[x.interface] for x in ends if x.interface in names)] += share
    return found


def planned(plan: Plan, source: PlannedHost, sink: PlannedHost, dscp: int) -> PlannedWay:
    """What the plan says of it: its class's way, or the one of all others."""
    own = [
        way
        for way in plan.ways
        if (way.source, way.sink) == (source.campus, sink.campus)
        and (not way.hosts or sink.name in way.hosts)
    ]
    (found,) = [way for way in own if way.dscp == dscp] or [way for way in own if way.dscp is None]
    return found


def agrees(plan: Plan) -> None:
    known, asked = forwarding.of(plan), Ways(plan.ways)
    for source, sink in itertools.permutations(plan.hosts, 2):
        if source.campus != sink.campus:
            for dscp, largest in CLASSES.items():
                told = planned(plan, source, sink, dscp)
                found = walked(known, source, sink, dscp)
                assert found == pytest.approx({path.links: path.share for path in told.paths})
                crossed = frozenset(itertools.chain(*found))
                assert asked.links(source.campus, sink.campus, sink.name, largest) == crossed


@given(meshes())
@settings(max_examples=40, deadline=None)
def test_the_ways_are_what_the_tables_come_to(plan: Plan) -> None:
    agrees(plan)


@pytest.mark.parametrize("policy", [*POLICY_NAMES, "none"])
def test_they_are_on_a_shipped_topology_under_every_policy(policy: str) -> None:
    (file,) = [path for path in SHIPPED if path.stem == "colossus"]
    agrees(plan_of_file(Path(file), f"routing={policy}"))


def test_inside_a_campus_no_link_is_crossed_nor_where_nothing_leads() -> None:
    asked = Ways([PlannedWay("a", "b", ())])
    assert asked.links("a", "a", "host", LARGE) == frozenset()
    assert asked.links("a", "nowhere", "host", LARGE) == frozenset()


def test_what_is_small_and_expedited_is_so_to_the_agents_too() -> None:
    assert (ways.EXPEDITED, ways.SMALL_BYTES) == (transport.EXPEDITED, transport.SMALL_BYTES)
