"""Graphs of any shape: leaving out what costs nothing and joining runs changes no time at all."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.text.diagnostics import InvalidInput
from traffic.traces.assembling import assemble
from traffic.traces.form import Compute, Trace, TracedCollective
from traffic.traces.mapping import Message, Shared, Work, on_hosts
from traffic.traces.nodes import ordered
from traffic.traces.recording import GroupKey, GroupWork, RawNode, RawWork, Recording

WORKS: st.SearchStrategy[RawWork] = st.one_of(
    st.none(),
    st.integers(0, 50).map(Compute),
    st.sampled_from(["a", "b"]).map(lambda name: GroupWork("all_reduce", 8, GroupKey(name))),
)


@st.composite
def graphs(draw: st.DrawFn) -> list[RawNode]:
    """Nodes that wait for earlier ones, in the order of a file that need not be theirs."""
    works = draw(st.lists(WORKS, min_size=1, max_size=24))
    nodes: list[RawNode] = []
    for key, work in enumerate(works):
        after = draw(st.lists(st.integers(0, key - 1), max_size=3)) if key else []
        nodes.append(RawNode(key, f"node {key}", work, list(after)))
    draw(st.randoms(use_true_random=False)).shuffle(nodes)
    return nodes


def recording(nodes: list[RawNode], rank: int = 0) -> Recording:
    copies = [RawNode(n.key, n.name, n.work, list(n.after), n.stream) for n in nodes]
    return Recording(Path(f"r{rank}"), "test", rank, nodes=copies)


def longest_ns(found: Recording) -> int:
    """The longest path through a recording's own nodes; a collective takes 7 ns. `ordered` has chained
    each group's."""
    by_key = {node.key: node for node in found.nodes}
    known: dict[object, int] = {}

    def end(key: object) -> int:
        if key not in known:
            node = by_key[key]
            known[key] = max((end(one) for one in node.after), default=0) + cost_ns(node.work)
        return known[key]

    return max(end(key) for key in by_key)


def cost_ns(work: object) -> int:
    return work.ns if isinstance(work, Compute) else 7 if work is not None else 0


@given(graphs())
def test_the_longest_path_stays_as_long(nodes: list[RawNode]) -> None:
    found = recording(nodes)
    ends: list[int] = []
    for step in ordered(found):
        ends.append(max((ends[one] for one in step.after), default=0) + cost_ns(step.work))
    assert max(ends, default=0) == longest_ns(found)


@given(graphs())
def test_compute_and_collectives_are_all_there(nodes: list[RawNode]) -> None:
    steps = ordered(recording(nodes))
    total = sum(cost_ns(node.work) for node in nodes)
    assert sum(cost_ns(step.work) for step in steps) == total
    assert all(one < index for index, step in enumerate(steps) for one in step.after)


@given(graphs(), st.integers(2, 6))
def test_ranks_that_do_the_same_fit_together_and_take_the_same_time_on_hosts(
    nodes: list[RawNode], ranks: int
) -> None:
    """With a collective of 7 ns that begins once all have entered it."""
    trace = assemble([recording(nodes)], ranks).trace
    alone = on_hosts(trace, 1)
    for host, tasks in enumerate(alone.hosts):
        ends: list[int] = []
        for task in tasks:
            lasts = task.what.ns if isinstance(task.what, Work) else 7
            ends.append(max((ends[one] for one in task.after), default=0) + lasts)
        nodes_of = trace.ranks[host]
        own: list[int] = []
        for node in nodes_of:
            own.append(max((own[one] for one in node.after), default=0) + cost_ns(node.work))
        assert max(ends, default=0) == max(own, default=0)


@given(graphs(), st.integers(2, 8), st.integers(1, 8))
def test_a_group_within_a_host_crosses_no_network_and_others_keep_their_bytes(
    nodes: list[RawNode], ranks: int, per_host: int
) -> None:
    trace = assemble([recording(nodes)], ranks).trace
    hosts = on_hosts(trace, per_host)
    shared = {
        task.what.number: task.what
        for tasks in hosts.hosts
        for task in tasks
        if isinstance(task.what, Shared | Message)
    }
    collectives = [node for node in trace.ranks[0] if isinstance(node.work, TracedCollective)]
    assert len(shared) == (0 if per_host >= ranks else len(collectives))
    assert all(isinstance(one, Shared) and one.size_bytes == 8 for one in shared.values())
    compute = sum(
        cost_ns(n.work) for own in trace.ranks for n in own if isinstance(n.work, Compute)
    )
    kept = [t.what.ns for own in hosts.hosts for t in own if isinstance(t.what, Work)]
    assert sum(kept) == compute


def test_nodes_that_wait_in_a_circle_are_refused() -> None:
    nodes = [RawNode(1, "a", Compute(1), [2]), RawNode(2, "b", Compute(1), [1])]
    with pytest.raises(InvalidInput, match="circle"):
        ordered(recording(nodes))


def pair(*orders: tuple[str, str]) -> list[Recording]:
    """Ranks with two groups, one behind the other, in an order of their own."""
    return [
        recording(
            [
                RawNode(0, first, GroupWork("all_reduce", 8, GroupKey(first))),
                RawNode(1, second, GroupWork("all_reduce", 8, GroupKey(second)), [0]),
            ],
            rank,
        )
        for rank, (first, second) in enumerate(orders)
    ]


def test_ranks_that_would_wait_for_each_other_are_refused() -> None:
    with pytest.raises(InvalidInput, match="wait for ever"):
        assemble(pair(("a", "b"), ("b", "a")))
    assert len(assemble(pair(("a", "b"), ("a", "b"))).trace.groups) == 2


def exchange(sizes: list[list[int]]) -> Trace:
    """An all-to-all in which rank i has sizes[i][j] bytes for rank j."""
    ranks = [
        recording(
            [RawNode(0, "x", GroupWork("all_to_all", sum(row), GroupKey(""), sends=tuple(row)))],
            rank,
        )
        for rank, row in enumerate(sizes)
    ]
    return assemble(ranks).trace


def test_an_all_to_all_between_hosts_is_that_of_all_their_ranks() -> None:
    drawn = random.Random(4)
    sizes = [[drawn.randrange(1, 100) for _ in range(5)] for _ in range(5)]
    (task,) = on_hosts(exchange(sizes), 2).hosts[2]
    assert isinstance(task.what, Shared)
    for here in range(3):
        for there in range(3):
            between = sum(
                sizes[i][j] for i in range(5) for j in range(5) if (i // 2, j // 2) == (here, there)
            )
            assert task.what.counts[here][there] == (0 if here == there else between)


def test_an_even_all_to_all_needs_no_counts() -> None:
    (task,) = on_hosts(exchange([[10] * 4] * 4), 2).hosts[0]
    assert isinstance(task.what, Shared)
    assert (task.what.size_bytes, task.what.counts) == (2 * 40, ())
    assert not isinstance(task.what, Message)
