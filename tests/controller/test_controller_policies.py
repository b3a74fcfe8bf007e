"""Each policy chooses the paths that it says it chooses."""

from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.damping import Damping
from controller.policies import POLICIES, policy
from controller.policies.campuses import CampusGraph, by_links, disjoint_paths, rank, simple_paths
from controller.policies.loss_aware import LossAware
from controller.policies.policy import MOST_WEIGHT, Share, weights
from controller.routes.routes import dealt
from scenario.plan.rules import Bucket
from scenario.plan.ways import EXPEDITED
from scenario.types.topology import Routing, StaticPath
from tests.controller.networks import graph

# A triangle: the direct span a-b is long, thin and sick; around over c it is fat and clean.
TRIANGLE = graph(
    ("ab", "a", "b", 100, 100, 1e-3), ("ac", "a", "c", 400, 80, 0), ("cb", "c", "b", 400, 90, 0)
)
PARALLEL = graph(
    ("ab1", "a", "b", 400, 10, 0), ("ab2", "a", "b", 100, 20, 0), ("ab3", "a", "b", 400, 30, 0),
    ("bc", "b", "c", 400, 10, 0),
)  # fmt: skip


def links(shares: Sequence[Share]) -> list[tuple[str, ...]]:
    return [tuple(arc.link for arc in share.path) for share in shares]


def chosen(
    routing: Routing, given: CampusGraph, source: str = "a", sink: str = "b"
) -> Sequence[Share]:
    return policy(routing).paths(given, source, sink)


def test_shortest_delay_takes_the_direct_span() -> None:
    assert links(chosen(Routing("shortest-delay"), TRIANGLE)) == [("ab",)]


def test_most_bandwidth_goes_around_a_thin_span() -> None:
    assert links(chosen(Routing("most-bandwidth"), TRIANGLE)) == [("ac", "cb")]


def test_most_bandwidth_takes_the_shorter_of_equally_wide_spans() -> None:
    assert links(chosen(Routing("most-bandwidth"), PARALLEL)) == [("ab1",)]


def test_ecmp_gives_every_path_of_fewest_spans_the_same_share() -> None:
    shares = chosen(Routing("ecmp"), PARALLEL, "a", "c")
    assert links(shares) == [("ab1", "bc"), ("ab2", "bc"), ("ab3", "bc")]
    assert [share.weight for share in shares] == [1, 1, 1]
    assert links(chosen(Routing("ecmp"), TRIANGLE)) == [("ab",)]


def test_a_detour_lets_ecmp_go_around() -> None:
    shares = chosen(Routing("ecmp", detour=1), TRIANGLE)
    assert links(shares) == [("ab",), ("ac", "cb")]


def test_wcmp_weighs_paths_by_their_bottlenecks() -> None:
    shares = chosen(Routing("wcmp"), PARALLEL)
    assert [(share.weight, *link) for share, link in zip(shares, links(shares), strict=True)] == [
        (4, "ab1"), (1, "ab2"), (4, "ab3"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("message_bytes", "path"), [(1e3, ("ab",)), (64e6, ("ac", "cb"))], ids=["short", "long"]
)
def test_loss_aware_avoids_the_sick_span_when_a_message_is_long_enough(
    message_bytes: float, path: tuple[str, ...]
) -> None:
    routing = Routing("loss-aware", message_bytes=message_bytes)
    assert links(chosen(routing, TRIANGLE)) == [path]


def test_loss_aware_weighs_paths_by_the_formula_of_mathis() -> None:
    routing = Routing("loss-aware", message_bytes=1e6, mtu_bytes=1500)
    (direct,) = chosen(Routing("shortest-delay"), TRIANGLE)
    # 1.22 · 1448 B / (200 µs · √0.001) = 279.3 MB/s, less than the span's 12.5 GB/s
    assert LossAware(routing).cost_s(direct.path) == pytest.approx(
        200e-6 + 1e6 / 279.32e6, rel=1e-4
    )


def test_loss_aware_takes_the_sick_span_where_there_is_no_other() -> None:
    assert links(chosen(Routing("loss-aware"), TRIANGLE.without("ac"))) == [("ab",)]


def test_collective_aware_hurries_small_messages_and_spreads_bulk_over_disjoint_spans() -> None:
    shares = chosen(Routing("collective-aware"), TRIANGLE)
    assert links([share for share in shares if share.dscp == EXPEDITED]) == [("ab",)]
    bulk = [share for share in shares if share.dscp is None]
    assert links(bulk) == [("ac", "cb"), ("ab",)]
    assert [share.weight for share in bulk] == [4, 1]


def test_static_takes_what_is_given_and_the_shortest_where_nothing_is() -> None:
    routing = Routing("static", paths=(StaticPath("a", "b", ("ac", "cb")),))
    assert links(chosen(routing, TRIANGLE)) == [("ac", "cb")]
    assert links(chosen(routing, TRIANGLE, "b", "a")) == [("ab",)]
    assert links(chosen(routing, TRIANGLE.without("cb"))) == [("ab",)]


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_where_nothing_leads_no_policy_says_otherwise(name: str) -> None:
    assert list(chosen(Routing(name), TRIANGLE.without("ab").without("ac"))) == []


# --- the searches --------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"), st.integers(1, 9)),
                min_size=1, max_size=9))  # fmt: skip
def test_simple_paths_are_all_there_are_in_order(drawn: list[tuple[str, str, int]]) -> None:
    found = graph(*((f"s{i}", a, b, 1, d, 0) for i, (a, b, d) in enumerate(drawn) if a != b))
    expected = sorted(_all_simple(found, "a", "d", ()), key=rank)
    assert list(simple_paths(found, "a", "d")) == expected
    by_length = list(simple_paths(found, "a", "d", by_links))
    assert by_length == sorted(expected, key=lambda path: (len(path), rank(path)))


def _all_simple(given: CampusGraph, at: str, sink: str, path: tuple) -> list:
    if at == sink:
        return [path]
    visited = {arc.tail for arc in path}
    return [
        longer
        for arc in given.leaving.get(at, ())
        if arc.head not in visited
        for longer in _all_simple(given, arc.head, sink, (*path, arc))
    ]


def test_disjoint_paths_share_no_span() -> None:
    paths = list(disjoint_paths(PARALLEL, "a", "b"))
    names = [arc.link for path in paths for arc in path]
    assert names == ["ab1", "ab2", "ab3"]


@given(st.lists(st.sampled_from([1.0, 100e9, 130e9, 200e9, 400e9]), min_size=1, max_size=16))
def test_weights_are_whole_small_and_in_order(rates: list[float]) -> None:
    found = weights(rates)
    assert min(found) >= 1
    assert sum(found) <= MOST_WEIGHT
    for (rate, weight), (other, more) in permutations(zip(rates, found, strict=True), 2):
        assert rate >= other or weight <= more


def test_weights_of_rates_in_whole_proportion_are_that_proportion() -> None:
    assert weights([400e9, 100e9, 200e9]) == [4, 1, 2]
    assert weights([800e6, 800e6]) == [1, 1]


def test_receivers_are_dealt_to_paths_in_turn_by_weight() -> None:
    ways = [Bucket(1, weight=2), Bucket(2, weight=1)]
    assert [way.port for way in dealt(ways, 7)] == [1, 1, 2, 1, 1, 2, 1]


# --- flap damping --------------------------------------------------------------------------------


def test_each_failure_doubles_the_hold_down_until_it_is_long() -> None:
    damping = Damping(0.5)
    held = []
    for second in range(10):
        damping.failed("x", float(second))
        held.append(damping.hold_down_s("x"))
    assert held == [0.5, 1, 2, 4, 8, 16, 32, 32, 32, 32]
    assert damping.hold_down_s("y") == 0.5


def test_a_link_that_has_long_been_up_is_forgiven() -> None:
    damping = Damping(1.0)
    damping.failed("x", 0.0)
    damping.failed("x", 1.0)
    assert damping.hold_down_s("x") == 2.0
    damping.failed("x", 1.0 + 64.5)
    assert damping.hold_down_s("x") == 1.0


def test_failures_are_remembered_by_when_they_were() -> None:
    damping = Damping(1.0)
    damping.failed("x", 5.0)
    assert damping.failed_since("x", 4.0)
    assert not damping.failed_since("x", 5.0)
