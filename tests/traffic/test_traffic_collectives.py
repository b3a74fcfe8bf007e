"""Every algorithm, read by a second reader: right results in any order of events, the promised steps and
bytes."""

from itertools import pairwise
from math import ceil, log2
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.traffic.replay_in_memory import Buffers, InMemory, bytes_sent
from tests.traffic.steps import longest_chain
from traffic.collectives import (
    ALGORITHMS,
    INNER,
    Layout,
    Options,
    make_schedule,
    outer_algorithms,
    results,
)
from traffic.collectives.trees import double_tree_parent
from traffic.schedule import ELEMENT_BYTES, Schedule, buffer_bytes, matches, placed

SEEDS = st.integers(0, 2**32)
NAMES = sorted(ALGORITHMS)
REDUCING = [name for name in NAMES if name[0] in ("all_reduce", "reduce_scatter", "reduce")]


def options_for(ranks: int, draw: st.DataObject) -> Options:
    return draw.draw(
        st.builds(
            Options,
            channels=st.integers(1, 3),
            segment_bytes=st.sampled_from([None, 4, 8, 20]),
            root=st.integers(0, ranks - 1),
            servers=st.integers(1, ranks),
            order=st.sampled_from(["campus", "rank", "interleaved"]),
            inner=st.sampled_from(INNER),
            outer=st.sampled_from(outer_algorithms()),
        )
    )


def layout_for(ranks: int, draw: st.DataObject) -> Layout:
    campuses = st.lists(st.sampled_from("abc"), min_size=ranks, max_size=ranks)
    return Layout(tuple(draw.draw(campuses)))


def expected(op: str, own: Buffers, size: int, root: int) -> list[tuple[int, list[int]]]:
    """What every rank should hold, by the definition of the collective: (first element, numbers)."""
    count, ranks = size // ELEMENT_BYTES, range(len(own))
    edges = [count * i // len(own) for i in (*ranks, len(own))]
    total = [sum(column) for column in zip(*(numbers[:count] for numbers in own), strict=True)]
    gathered = [own[r][i] for r in ranks for i in range(edges[r], edges[r + 1])]
    each = count // len(own)
    blocks = [
        [x for s in ranks if s != r for x in own[s][r * each : (r + 1) * each]] for r in ranks
    ]
    return {
        "all_reduce": [(0, total) for _ in ranks],
        "reduce_scatter": [(edges[r], total[edges[r] : edges[r + 1]]) for r in ranks],
        "all_gather": [(0, gathered) for _ in ranks],
        "broadcast": [(0, own[root][:count]) for _ in ranks],
        "reduce": [(0, total if r == root else []) for r in ranks],
        "send_recv": [
            (count, own[r - 1][:count]) if len(own) > 1 else (0, [])
            for r in ranks
        ],
        "all_to_all": [(-1, numbers) for numbers in blocks],
        "barrier": [(0, []) for _ in ranks],
    }[op]  # fmt: skip


def replayed(schedule: Schedule, own: Buffers, seed: int, room: int) -> Buffers:
    matches(schedule)
    return InMemory(schedule, [list(numbers) for numbers in own], seed, room).run()


def numbers_of(schedule: Schedule, ranks: int, size: int) -> Buffers:
    """Numbers for all of every rank's buffer, all different."""
    count = max(size, buffer_bytes(schedule)) // ELEMENT_BYTES
    return [[(rank + 1) * 100_003 + place**2 for place in range(count)] for rank in range(ranks)]


@pytest.mark.parametrize(("op", "algorithm"), NAMES)
@given(st.integers(1, 33), st.integers(0, 40), st.data())
@settings(max_examples=12)
def test_every_rank_ends_with_the_right_numbers_in_whatever_order_things_happen(
    op: str, algorithm: str, ranks: int, elements: int, data: st.DataObject
) -> None:
    options, layout = options_for(ranks, data), layout_for(ranks, data)
    seed, room = data.draw(SEEDS), data.draw(st.integers(1, 9))
    size = elements * ELEMENT_BYTES
    schedule = make_schedule(op, algorithm, layout, size, options)
    own = numbers_of(schedule, ranks, size)
    left = replayed(schedule, own, seed, room)
    for rank, (first, numbers) in enumerate(expected(op, own, size, options.root)):
        if op == "all_to_all":
            pieces = results(op, ranks, size, options)[rank]
            found = [x for piece in pieces for x in _elements(left[rank], piece.offset, piece.size)]
            assert found == numbers
        else:
            assert left[rank][first : first + len(numbers)] == numbers


def _elements(numbers: list[int], offset: int, size: int) -> list[int]:
    return numbers[offset // ELEMENT_BYTES : (offset + size) // ELEMENT_BYTES]


@pytest.mark.parametrize("op", sorted({op for op, _ in NAMES}))
@given(st.integers(1, 12), st.integers(0, 40), st.data())
@settings(max_examples=20)
def test_what_an_agent_checks_is_what_the_definition_says(
    op: str, ranks: int, elements: int, data: st.DataObject
) -> None:
    size, options = elements * ELEMENT_BYTES, options_for(ranks, data)
    own = [[(rank + 1) * 100_003 + place**2 for place in range(elements)] for rank in range(ranks)]
    for rank, (first, numbers) in enumerate(expected(op, own, size, options.root)):
        told = [
            sum(column)
            for result in results(op, ranks, size, options)[rank]
            for column in zip(
                *(_elements(own[r], result.source, result.size) for r in result.of), strict=True
            )
        ]
        assert told == numbers
        if op != "all_to_all" and told:
            assert results(op, ranks, size, options)[rank][0].offset in (
                first * ELEMENT_BYTES,
                size,
            )


@pytest.mark.parametrize("algorithm", [name for op, name in NAMES if op == "all_to_all"])
@given(st.integers(1, 9), SEEDS, st.integers(1, 9), st.data())
@settings(max_examples=15)
def test_an_all_to_all_of_given_counts_delivers_every_block(
    algorithm: str, ranks: int, seed: int, room: int, data: st.DataObject
) -> None:
    row = st.lists(st.integers(0, 5), min_size=ranks, max_size=ranks)
    drawn = data.draw(st.lists(row, min_size=ranks, max_size=ranks))
    counts = tuple(tuple(ELEMENT_BYTES * each for each in row) for row in drawn)
    options = Options(counts=counts)
    schedule = make_schedule("all_to_all", algorithm, Layout.one_campus(ranks), 0, options)
    most = max(map(sum, counts)) + max(map(sum, zip(*counts, strict=True)))
    own = numbers_of(schedule, ranks, most)
    left = replayed(schedule, own, seed, room)
    for sink in range(ranks):
        found = [
            x
            for result in results("all_to_all", ranks, 0, options)[sink]
            for x in _elements(left[sink], result.offset, result.size)
        ]
        blocks = [
            (source, sum(drawn[source][:sink]), drawn[source][sink])
            for source in range(ranks)
            if source != sink
        ]
        assert found == [x for source, at, count in blocks for x in own[source][at : at + count]]


@given(st.integers(2, 33), st.integers(2, 33))
def test_no_rank_leaves_a_barrier_before_every_rank_has_come(ranks: int, late: int) -> None:
    """Whoever comes late sends late: all others must have heard of it, at one remove or many."""
    late %= ranks
    schedule = make_schedule("barrier", "dissemination", Layout.one_campus(ranks), 0)
    sender = {there: here for here, there in matches(schedule).items()}
    knows = {(late, index) for index in range(len(schedule[late]))}
    grown = -1
    while grown != len(knows):
        grown = len(knows)
        for rank, ops in enumerate(schedule):
            for index, op in enumerate(ops):
                after = any((rank, before) in knows for before in op.after)
                if after or sender.get((rank, index)) in knows:
                    knows.add((rank, index))
    assert {rank for rank, _ in knows} == set(range(ranks))


# --- steps and bytes -----------------------------------------------------------------------------

POWERS = (1, 2, 4, 8, 16, 32)
EACH = 96 * ELEMENT_BYTES


def lg(ranks: int) -> int:
    return ceil(log2(ranks))


STEPS = {
    ("all_reduce", "ring"): lambda n: 2 * (n - 1),
    ("all_reduce", "recursive_doubling"): lg,
    ("all_reduce", "halving_doubling"): lambda n: 2 * lg(n),
    ("all_reduce", "binomial"): lambda n: 2 * lg(n),
    ("all_reduce", "pairwise"): lambda n: 2 * (n - 1),
    ("all_reduce", "direct"): lambda n: 2 * (n > 1),
    ("all_reduce", "parameter_server"): lambda n: 2 * (n > 1),
    ("reduce_scatter", "ring"): lambda n: n - 1,
    ("reduce_scatter", "halving_doubling"): lg,
    ("reduce_scatter", "pairwise"): lambda n: n - 1,
    ("reduce_scatter", "direct"): lambda n: n > 1,
    ("all_gather", "ring"): lambda n: n - 1,
    ("all_gather", "halving_doubling"): lg,
    ("all_gather", "bruck"): lg,
    ("all_gather", "pairwise"): lambda n: n - 1,
    ("all_gather", "direct"): lambda n: n > 1,
    ("broadcast", "ring"): lambda n: n - 1,
    ("broadcast", "binomial"): lg,
    ("reduce", "ring"): lambda n: n - 1,
    ("reduce", "binomial"): lg,
    ("all_to_all", "pairwise"): lambda n: n - 1,
    ("all_to_all", "direct"): lambda n: n > 1,
    ("all_to_all", "bruck"): lg,
    ("barrier", "dissemination"): lg,
    ("send_recv", "direct"): lambda n: n > 1,
}
"""Messages that must come one after the other, as the docstrings say, for powers of two."""


@pytest.mark.parametrize(("op", "algorithm"), sorted(STEPS))
@pytest.mark.parametrize("ranks", POWERS)
def test_latencies_are_as_many_as_its_formula_says(op: str, algorithm: str, ranks: int) -> None:
    schedule = make_schedule(op, algorithm, Layout.one_campus(ranks), ranks * EACH)
    assert longest_chain(schedule) == STEPS[op, algorithm](ranks)


BETAS = {
    ("all_reduce", "ring"): lambda n: 2 * (n - 1) / n,
    ("all_reduce", "recursive_doubling"): lg,
    ("all_reduce", "halving_doubling"): lambda n: 2 * (n - 1) / n,
    ("all_reduce", "pairwise"): lambda n: 2 * (n - 1) / n,
    ("all_reduce", "direct"): lambda n: 2 * (n - 1) / n,
    ("reduce_scatter", "ring"): lambda n: (n - 1) / n,
    ("reduce_scatter", "halving_doubling"): lambda n: (n - 1) / n,
    ("reduce_scatter", "pairwise"): lambda n: (n - 1) / n,
    ("reduce_scatter", "direct"): lambda n: (n - 1) / n,
    ("all_gather", "ring"): lambda n: (n - 1) / n,
    ("all_gather", "halving_doubling"): lambda n: (n - 1) / n,
    ("all_gather", "bruck"): lambda n: (n - 1) / n,
    ("all_gather", "pairwise"): lambda n: (n - 1) / n,
    ("all_gather", "direct"): lambda n: (n - 1) / n,
    ("all_to_all", "pairwise"): lambda n: (n - 1) / n,
    ("all_to_all", "direct"): lambda n: (n - 1) / n,
    ("all_to_all", "bruck"): lambda n: lg(n) / 2,
    ("send_recv", "direct"): lambda n: n > 1,
}
"""Buffers that every rank sends, for powers of two."""


@pytest.mark.parametrize(("op", "algorithm"), sorted(BETAS))
@pytest.mark.parametrize("ranks", POWERS)
def test_every_rank_sends_as_many_bytes_as_its_formula_says(
    op: str, algorithm: str, ranks: int
) -> None:
    size = ranks * EACH
    schedule = make_schedule(op, algorithm, Layout.one_campus(ranks), size)
    assert bytes_sent(schedule) == [round(BETAS[op, algorithm](ranks) * size)] * ranks


@given(st.integers(2, 40))
def test_binomial_trees_send_the_buffer_once_to_each_rank_but_the_root(ranks: int) -> None:
    for op in ("broadcast", "reduce"):
        schedule = make_schedule(op, "binomial", Layout.one_campus(ranks), EACH)
        assert sum(bytes_sent(schedule)) == (ranks - 1) * EACH
        assert longest_chain(schedule) == max(place.bit_count() for place in range(ranks))


@given(st.integers(3, 40).filter(lambda n: n & (n - 1)))
def test_ranks_beyond_a_power_of_two_cost_two_more_messages(ranks: int) -> None:
    """One to fold in and one to be told. What is folded in last may not be what is told last, so that
    the longest chain may be shorter by one."""
    layout = Layout.one_campus(ranks)
    below = ranks.bit_length() - 1
    for algorithm, steps in (("recursive_doubling", below), ("halving_doubling", 2 * below)):
        schedule = make_schedule("all_reduce", algorithm, layout, ranks * EACH)
        assert steps + 1 <= longest_chain(schedule) <= steps + 2


@given(st.integers(2, 40))
@settings(max_examples=30)
def test_bruck_takes_the_logarithm_of_any_number_of_ranks(ranks: int) -> None:
    """Everybody sends so often. A last round that is not full may pass on nothing that came in the one
    before it, so that the longest chain may be shorter by one."""
    for op in ("all_gather", "all_to_all"):
        schedule = make_schedule(op, "bruck", Layout.one_campus(ranks), ranks * EACH)
        assert lg(ranks) - 1 <= longest_chain(schedule) <= lg(ranks)
        assert _rounds(schedule) == [lg(ranks)] * ranks


def _rounds(schedule: Schedule) -> list[int]:
    """To how many others, one after the other, each rank sends."""
    peers = [[op.peer for op in ops if op.kind == "send"] for ops in schedule]
    return [sum(a != b for a, b in pairwise([-1, *sent])) for sent in peers]


@given(st.integers(2, 200))
def test_in_two_complementary_trees_no_rank_has_children_in_both(ranks: int) -> None:
    for tree in (0, 1):
        parents = [double_tree_parent(tree, rank, ranks) for rank in range(ranks)]
        assert parents.count(None) == 1
        children = [sum(p == rank for p in parents) for rank in range(ranks)]
        assert max(children) <= 2
        assert max(_depths(parents)) <= lg(ranks)
    first, second = (
        {double_tree_parent(tree, rank, ranks) for rank in range(ranks)} - {None} for tree in (0, 1)
    )
    assert first & second <= ({0} if ranks % 2 else set())


def _depths(parents: list[int | None]) -> list[int]:
    def depth(rank: int) -> int:
        above = parents[rank]
        return 0 if above is None else 1 + depth(above)

    return [depth(rank) for rank in range(len(parents))]


@given(st.integers(2, 12), st.integers(2, 20))
def test_segments_of_a_chain_follow_each_other_one_latency_apart(ranks: int, segments: int) -> None:
    size = segments * EACH
    schedule = make_schedule(
        "broadcast", "ring", Layout.one_campus(ranks), size, Options(segment_bytes=EACH)
    )
    assert longest_chain(schedule) == ranks - 1
    assert len(schedule[0]) == segments


# --- across campuses -----------------------------------------------------------------------------


def crossing(schedule: Schedule, layout: Layout, campus: str) -> tuple[int, int]:
    """Bytes that leave a campus, and that enter it."""
    inside = {rank for rank, own in enumerate(layout.campuses) if own == campus}
    out = sum(
        op.size
        for rank in inside
        for op in schedule[rank]
        if op.kind == "send" and op.peer not in inside
    )
    into = sum(
        op.size
        for rank in inside
        for op in schedule[rank]
        if op.kind != "send" and op.peer not in inside
    )
    return out, into


@given(st.lists(st.integers(1, 7), min_size=2, max_size=5), st.sampled_from(INNER))
def test_a_hierarchical_all_reduce_crosses_with_two_of_c_minus_one_cths_per_campus_each_way(
    sizes: list[int], inner: str
) -> None:
    count = len(sizes)
    layout = Layout(tuple(f"c{i}" for i, size in enumerate(sizes) for _ in range(size)))
    size = 420 * count * ELEMENT_BYTES  # 420 divides by 1 to 7: all shards are whole
    schedule = make_schedule("all_reduce", "hierarchical", layout, size, Options(inner=inner))
    for number in range(count):
        share = 2 * (count - 1) * size // count
        assert crossing(schedule, layout, f"c{number}") == pytest.approx(
            (share, share), abs=2 * sum(sizes) * count * ELEMENT_BYTES
        )


@given(st.integers(2, 4), st.integers(1, 4))
def test_of_equal_campuses_every_byte_count_is_exact(campuses: int, each: int) -> None:
    layout = Layout(tuple(f"c{i}" for i in range(campuses) for _ in range(each)))
    size = 12 * campuses * each * ELEMENT_BYTES
    schedule = make_schedule("all_reduce", "hierarchical", layout, size)
    share = 2 * (campuses - 1) * size // campuses
    for number in range(campuses):
        assert crossing(schedule, layout, f"c{number}") == (share, share)


@given(st.integers(2, 4), st.integers(2, 5))
def test_a_ring_that_knows_the_campuses_crosses_once_each_and_one_that_does_not_at_every_step(
    campuses: int, each: int
) -> None:
    layout = Layout(tuple(f"c{i}" for _ in range(each) for i in range(campuses)))
    size = 12 * campuses * each * ELEMENT_BYTES

    def across(order: str) -> int:
        options = Options(order=order)  # type: ignore[arg-type]
        schedule = make_schedule("all_reduce", "ring", layout, size, options)
        return sum(crossing(schedule, layout, f"c{i}")[0] for i in range(campuses))

    count = campuses * each
    one_way = 2 * (count - 1) * size // count
    assert across("campus") == campuses * one_way
    assert across("interleaved") == across("rank") == count * one_way


# --- options -------------------------------------------------------------------------------------


def test_channels_share_every_message_and_have_connections_of_their_own() -> None:
    one = make_schedule("all_reduce", "ring", Layout.one_campus(4), 4 * EACH)
    three = make_schedule("all_reduce", "ring", Layout.one_campus(4), 4 * EACH, Options(channels=3))
    assert bytes_sent(three) == bytes_sent(one)
    assert {op.channel for op in three[0]} == {0, 1, 2}
    for channel in range(3):
        sent = [op.size for op in three[0] if op.kind == "send" and op.channel == channel]
        assert sent == [EACH // 3] * 6


@pytest.mark.parametrize(
    ("op", "algorithm", "options", "complaint"),
    [
        ("all_sum", "ring", Options(), "'all_sum' is not a collective: all_reduce, "),
        ("all_reduce", "rnig", Options(), "'rnig' is not an algorithm for all_reduce: ring, tree, "),
        ("all_reduce", "hierarchical", Options(inner="tree"), "'tree' is not an inner algorithm"),
        ("all_reduce", "hierarchical", Options(outer="hierarchical"), "not an outer algorithm"),
        ("broadcast", "ring", Options(root=4), "root is 4: expected 0 to 3"),
        ("all_reduce", "parameter_server", Options(servers=0), "servers is 0: expected 1 to 4"),
        ("all_reduce", "ring", Options(channels=0), "channels is 0: expected 1 to 64"),
        ("all_reduce", "ring", Options(segment_bytes=0), "segment_bytes is 0: expected 4 to "),
        ("all_to_all", "direct", Options(counts=((0,) * 4,)), "expected 4 rows of 4"),
        ("all_to_all", "direct", Options(counts=((0, 0, 0, 3),) * 4), "in whole elements of 4"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_what_would(
    op: str, algorithm: str, options: Options, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        make_schedule(op, algorithm, Layout.one_campus(4), 400, options)


def test_a_schedule_of_a_group_is_placed_on_any_ranks() -> None:
    schedule = make_schedule("all_reduce", "ring", Layout.one_campus(3), 120)
    there = placed(schedule, (5, 2, 9))
    assert set(there) == {2, 5, 9}
    assert [op.peer for op in there[5]] == [{1: 2, 2: 9}[op.peer] for op in schedule[0]]
    assert [op.after for op in there[9]] == [op.after for op in schedule[2]]


def test_every_algorithm_is_documented_under_its_name() -> None:
    text = (Path(__file__).parents[2] / "docs" / "collectives.md").read_text()
    for op, algorithm in NAMES:
        assert f"`{algorithm}`" in text
        assert op in text
