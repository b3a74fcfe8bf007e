"""A link of several members: which one a connection takes, what becomes of it when members fail."""

from collections import Counter

from scenario.plan import forwarding
from scenario.plan.hashing import FiveTuple
from scenario.plan.types import Plan, from_json
from tests.fabric.planned import plan_of

MEMBERS = 4
BODY = """
campuses:
  c1: {hosts: [{count: 2, accelerator: H100}]}
  c2: {hosts: [{count: 2, accelerator: H100}]}
  c3: {hosts: [{count: 1, accelerator: H100}]}
links:
  c1-c2: {between: [c1, c2], distance: 10mi, rate: 400G, member: 100G}
  c1-c3: {between: [c1, c3], distance: 20mi, rate: 400G}
  c2-c3: {between: [c2, c3], distance: 20mi, rate: 400G, member: 200G}
"""
PLAN = plan_of(BODY)
WAYS = forwarding.Forwarding(PLAN)


def connection(port: int, plan: Plan = PLAN) -> FiveTuple:
    source = next(host for host in plan.hosts if host.campus == "c1")
    sink = next(host for host in plan.hosts if host.campus == "c2")
    return FiveTuple(source.ip, sink.ip, port, 29500)


def crossed(port: int, dead: frozenset[str] = frozenset()) -> list[str]:
    """The long-haul wires that a connection takes."""
    names = {end.interface: wire.name for wire in PLAN.long_hauls() for end in wire.ends}
    return [
        names[end.interface]
        for end in WAYS.take(connection(port), dead=dead)
        if end.interface in names
    ]


def test_a_bundle_is_as_many_wires_of_an_equal_part_of_the_rate() -> None:
    members = PLAN.bundles()["c1-c2"]
    assert [wire.name for wire in members] == [f"c1-c2.{n}" for n in range(1, MEMBERS + 1)]
    assert {end.shape.rate_bps for wire in members for end in wire.ends} == {100e9}
    link = next(one for one in PLAN.links if one["name"] == "c1-c2")
    assert link["forward"]["rate_bps"] == 400e9
    assert from_json(PLAN.to_json()) == PLAN


def test_connections_spread_over_all_members_and_each_keeps_to_one() -> None:
    taken = Counter(crossed(port)[0] for port in range(20_000, 24_000))
    assert set(taken) == {f"c1-c2.{n}" for n in range(1, MEMBERS + 1)}
    squares = sum((count - 1000) ** 2 / 1000 for count in taken.values())
    assert squares < 16.27  # of chi-squared with 3 degrees of freedom, 1 in 1000 is larger
    assert crossed(20_000) == crossed(20_000)


def test_a_member_that_fails_moves_its_own_connections_to_the_others_and_no_more() -> None:
    (gone,) = (wire for wire in PLAN.long_hauls() if wire.name == "c1-c2.2")
    dead = frozenset({gone.a.interface})
    for port in range(20_000, 20_200):
        before, after = crossed(port), crossed(port, dead)
        assert after != ["c1-c2.2"]
        assert before in (after, ["c1-c2.2"])


def test_only_when_all_members_are_gone_does_the_backup_take_over() -> None:
    ends = [wire.a.interface for wire in PLAN.bundles()["c1-c2"]]
    assert all(len(crossed(port, frozenset(ends[:3]))) == 1 for port in range(20_000, 20_020))
    ways = {tuple(crossed(port, frozenset(ends))) for port in range(20_000, 20_100)}
    assert ways == {("c1-c3", "c2-c3.1"), ("c1-c3", "c2-c3.2")}


def test_probes_take_the_first_member_so_that_it_is_known_what_is_measured() -> None:
    at = {probe.campus: probe for probe in PLAN.probes}
    first = PLAN.bundles()["c1-c2"][0]
    for source, sink, end in (("c1", "c2", first.a), ("c2", "c1", first.b)):
        ways = list(WAYS.ways(at[source], at[sink]))
        assert [share for share, _ in ways] == [1.0]
        assert end in ways[0][1]


def test_without_protection_members_are_there_all_the_same() -> None:
    plan = plan_of(f"routing: {{policy: shortest-delay, protection: none}}\n{BODY}")
    found = forwarding.Forwarding(plan)
    taken = {found.take(connection(port, plan))[-3].interface for port in range(20_000, 20_100)}
    assert len(taken) == MEMBERS
