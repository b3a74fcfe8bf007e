"""Tables of any testbed, under any policy: nothing loops, everybody is reached, and stays so when a
span is cut."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.policies.campuses import Arc
from controller.routes.trees import Trees
from scenario.plan import forwarding
from scenario.plan.types import Plan, PlannedWire
from tests.controller.networks import POLICY_NAMES, meshes
from tests.fabric.planned import SHIPPED, plan_of, plan_of_file, ways

CLASSES = (0, 46)


def everybody(plan: Plan) -> itertools.permutations:
    return itertools.permutations(plan.hosts + plan.probes, 2)


def connected(plan: Plan, without: str) -> bool:
    """Do the other spans still join all campuses?"""
    campus = {switch.name: switch.campus for switch in plan.switches}
    reached = {plan.switches[0].campus}
    for _ in plan.campuses:
        for link in plan.long_hauls():
            ends = {campus[end.node] for end in link.ends}
            if link.name != without and ends & reached:
                reached |= ends
    return len(reached) == len(plan.campuses)


@pytest.mark.slow
@given(meshes())
@settings(max_examples=40)
def test_everybody_reaches_everybody_whatever_way_a_hash_chooses(plan: Plan) -> None:
    for source, sink in everybody(plan):
        for dscp in CLASSES:
            for ends, mac in ways(plan, source, sink, dscp=dscp):
                assert mac == sink.mac
                campuses = [end.node for end in ends if end.node.endswith("-b")]
                assert len(set(campuses)) == len(campuses), "a border is crossed once"


@given(meshes(), st.data())
@settings(max_examples=10)
def test_switches_alone_get_everything_through_when_a_span_is_cut(
    plan: Plan, data: st.DataObject
) -> None:
    span = data.draw(st.sampled_from(list(plan.long_hauls())))
    dead = frozenset({span.a.interface})
    if not connected(plan, span.name):
        return
    for source, sink in everybody(plan):
        for dscp in CLASSES:
            assert {mac for _, mac in ways(plan, source, sink, dead, dscp)} == {sink.mac}


@given(meshes(), st.data())
@settings(max_examples=20)
def test_nothing_loops_whichever_spans_are_cut_together(plan: Plan, data: st.DataObject) -> None:
    cut = data.draw(st.lists(st.sampled_from(list(plan.long_hauls())), max_size=3))
    dead = frozenset(span.a.interface for span in cut)
    for source, sink in everybody(plan):
        try:
            arrived = [mac for _, mac in ways(plan, source, sink, dead)]
        except LookupError:
            continue  # dropped, which is right where nothing leads on
        assert set(arrived) == {sink.mac}


@pytest.mark.slow
@given(meshes())
@settings(max_examples=30)
def test_the_walk_that_the_model_takes_is_what_the_tables_say(plan: Plan) -> None:
    known = forwarding.of(plan)
    for source, sink in everybody(plan):
        for dscp in CLASSES:
            told = list(known.ways(source, sink, dscp))
            assert sum(share for share, _ in told) == pytest.approx(1)
            found = [tuple(ends) for ends, _ in ways(plan, source, sink, dscp=dscp)]
            assert sorted(map(str, found)) == sorted(str(ends) for _, ends in told)
            assert known.walk(source, sink, dscp) in found


@given(meshes(), st.data())
@settings(max_examples=10)
def test_the_walk_knows_what_fast_failover_does(plan: Plan, data: st.DataObject) -> None:
    span = data.draw(st.sampled_from(list(plan.long_hauls())))
    dead = frozenset({span.a.interface})
    if not connected(plan, span.name):
        return
    known = forwarding.of(plan)
    for source, sink in everybody(plan):
        told = {ends for _, ends in known.ways(source, sink, dead=dead)}
        assert told == {tuple(ends) for ends, _ in ways(plan, source, sink, dead)}


@pytest.mark.parametrize("policy", POLICY_NAMES)
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_topologies_are_whole_under_every_policy(path, policy: str) -> None:
    plan = plan_of_file(path, f"routing={policy}")
    firsts = {host.campus: host for host in (*reversed(plan.hosts), *plan.probes)}.values()
    for source, sink in itertools.permutations(firsts, 2):
        assert {mac for _, mac in ways(plan, source, sink)} == {sink.mac}


BIG = """
campuses:
  c1: {{fabric: {{kind: leaf-spine, leaves: 4, spines: 2}}, hosts: [{{count: 8, accelerator: H100}}]}}
  c2: {{fabric: {{kind: leaf-spine, leaves: 4, spines: 2}},
        hosts: [{{count: {hosts}, accelerator: H100}}]}}
links:
  c1-c2: {{between: [c1, c2], distance: 10mi, rate: 400G}}
"""


def test_rules_of_a_switch_do_not_grow_with_hosts_elsewhere() -> None:
    few, many = plan_of(BIG.format(hosts=8)), plan_of(BIG.format(hosts=160))
    for switch in few.switches:
        if switch.campus == "c1":
            assert len(few.tables.of(switch.name).rules) == len(many.tables.of(switch.name).rules)


def test_a_leaf_has_a_rule_per_host_per_other_leaf_and_one_for_all_else() -> None:
    plan = plan_of(BIG.format(hosts=8))
    # two hosts of its own; the three other leaves, and the border's probe; everybody else
    assert len(plan.tables.of("c1-l1").rules) == 2 + 4 + 1


def link(plan: Plan, name: str) -> PlannedWire:
    return next(link for link in plan.wires if link.name == name)


def test_a_leaf_spreads_connections_over_both_spines_and_over_one_when_the_other_is_cut() -> None:
    plan = plan_of(BIG.format(hosts=8))
    known = forwarding.of(plan)
    source, sink = plan.hosts[0], next(host for host in plan.hosts if host.leaf == "c1-l2")
    shares = {ends[2].node: share for share, ends in known.ways(source, sink)}
    assert shares == {"c1-s1": 0.5, "c1-s2": 0.5}
    dead = frozenset({link(plan, "c1-l1-c1-s1").a.interface})
    (only,) = known.ways(source, sink, dead=dead)
    assert (only[0], only[1][2].node) == (1.0, "c1-s2")


# --- trees ---------------------------------------------------------------------------------------


def arc(name: str) -> Arc:
    """`x.a.b`: span x from a to b."""
    span, tail, head = name.split(".")
    return Arc(span, tail, head, 1e9, 1e-3)


def path(*names: str) -> tuple[Arc, ...]:
    return tuple(map(arc, names))


def test_paths_that_agree_share_a_tree_and_others_do_not() -> None:
    trees = Trees()
    assert trees.add(path("x.a.b", "y.b.d")) == 0
    assert trees.add(path("y.b.d")) == 0
    assert trees.add(path("z.c.b", "y.b.d")) == 0
    assert trees.add(path("w.b.c", "v.c.d")) == 1
    assert trees.add(path("u.a.c", "v.c.d")) == 1


@pytest.mark.parametrize(
    "broken", [path("x.a.b", "y.c.d"), path("x.a.b", "x.b.a"), path("x.a.b", "y.b.c", "z.c.b")]
)
def test_what_is_no_simple_path_is_refused(broken: tuple[Arc, ...]) -> None:
    with pytest.raises(ValueError, match="no path"):
        Trees().add(broken)
